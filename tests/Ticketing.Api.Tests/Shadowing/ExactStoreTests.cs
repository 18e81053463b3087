using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>Whoever dies in the middle of whatever: the store is the sum of what was acknowledged, and the union of the cases.</summary>
public sealed class ExactStoreTests
{
    private static readonly TimeSpan MostLost = TimeSpan.FromSeconds(2.5);

    /// <summary>At most so many requests come while the database restarts.</summary>
    private const int Undecided = 100;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [LongForm(nameof(EvidenceStoreTests))]
    public async Task After_a_kill_and_a_restart_of_the_database_in_the_middle_of_flushes_the_sums_agree()
    {
        // What it has acknowledged must survive its own crash, or nothing can be said of what was lost.
        await using var postgres = await PrivatePostgres.StartAsync(durable: true, Cancellation);
        var database = await postgres.CreateAsync("exact", Cancellation);
        await Seeder.SeedAsync(database, 20_000, Cancellation);
        await using var first = await StartAsync(database, "first");
        await using var second = await StartAsync(database, "second");
        await using var killed = await StartAsync(database, "killed");
        await using var evidence = NpgsqlDataSource.Create(database.Evidence);
        await using var owner = NpgsqlDataSource.Create(database.Owner);
        var answered = new ConcurrentQueue<(ServiceProcess By, long At)>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var next = 0;
        var load = Task.WhenAll(new[] { first, second, killed }.Select(replica => DriveAsync(replica, () => Interlocked.Increment(ref next), answered, enough.Token)));

        await Until.HoldsAsync(async () => await CountAsync(evidence, "select sum(comparisons) from shadow.evidence") > 100);
        // From here on nothing is stored until it has died.
        var held = Stopwatch.GetTimestamp();
        await InTheMiddleOfFlushesAsync(owner, evidence, waiting: 3, () => killed.KillAsync());
        await Until.HoldsAsync(async () => await CountAsync(evidence, "select sum(comparisons) from shadow.evidence") > 300);
        await InTheMiddleOfFlushesAsync(owner, evidence, waiting: 2, () => postgres.RestartAsync(Cancellation));
        await Until.HoldsAsync(async () => await CountAsync(evidence, "select sum(comparisons) from shadow.evidence") > 600);
        await enough.CancelAsync();
        await load;
        await first.TerminateAsync();
        await second.TerminateAsync();

        var (requests, comparisons) = (await CountAsync(evidence, "select sum(requests) from shadow.evidence"), await CountAsync(evidence, "select sum(comparisons) from shadow.evidence"));
        Assert.Equal(requests, await CountAsync(evidence, "select sum(requests) from shadow.flush"));
        Assert.Equal(comparisons, await CountAsync(evidence, "select sum(comparisons) from shadow.flush"));

        // Each request that could be decided is a case of its own; while the database was away some could not. What the operation's bitmap
        // holds its shapes' hold too, but for a case whose replica died in between, and buckets that two of them share.
        var cases = await CountAsync(evidence, "select sum(occupied) from shadow.evidence_page where shape = '' and kind = 'live'");
        var ofShapes = await CountAsync(evidence, "select sum(occupied) from shadow.evidence_page where shape <> '' and kind = 'live'");
        Assert.InRange(cases, comparisons - Undecided, comparisons);
        Assert.InRange(ofShapes, cases - 20, cases + 1);

        // Of the one that died, no more is missing than the moments before; of the others what was answered is there.
        var (theirs, limit) = (await OfAsync(evidence, "killed"), held - (long)(MostLost.TotalSeconds * Stopwatch.Frequency));
        Assert.InRange(theirs, answered.Count(one => one.By == killed && one.At < limit), answered.Count(one => one.By == killed) + 4);
        foreach (var (name, replica) in new[] { ("first", first), ("second", second) })
            Assert.True(await OfAsync(evidence, name) >= answered.Count(one => one.By == replica), name);
        Assert.Equal(1, await CountAsync(evidence, "select count(*) from shadow.instance where stopped_at is null"));
    }

    private static Task<ServiceProcess> StartAsync(TicketingDatabase database, string name) => ServiceProcess.StartAsync(
        database, ("Shadowing:Replica", name), ("Shadowing:DatabaseTimeBudget", "16"), ("Shadowing:YieldAfter", "00:00:05"));

    /// <summary>Asks for one ticket after the other, no ticket twice; a service or a database that is away is asked again.</summary>
    private static async Task DriveAsync(
        ServiceProcess replica, Func<int> ticket, ConcurrentQueue<(ServiceProcess, long)> answered, CancellationToken enough)
    {
        using var http = new HttpClient { BaseAddress = replica.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Http.AccessTokens.For(ShadowedService.Staff));
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        try
        {
            while (await pace.WaitForNextTickAsync(enough))
            {
                try
                {
                    using var response = await http.GetAsync($"/api/tickets/{ticket()}", Cancellation);
                    if (response.IsSuccessStatusCode) answered.Enqueue((replica, Stopwatch.GetTimestamp()));
                }
                catch (HttpRequestException)
                {
                    // It was killed.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }

    /// <summary>Acts while the flushes of so many replicas have begun and cannot end.</summary>
    private static async Task InTheMiddleOfFlushesAsync(NpgsqlDataSource owner, NpgsqlDataSource evidence, int waiting, Func<Task> act)
    {
        await using var connection = await evidence.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var hold = new NpgsqlCommand("lock table shadow.traffic in exclusive mode", connection, transaction);
        await hold.ExecuteNonQueryAsync(Cancellation);
        // The first waits for the table, the others for rows that the first has taken.
        await Until.HoldsAsync(async () => await CountAsync(owner, "select count(distinct pid) from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()") >= waiting);
        await act();
    }

    private static Task<long> OfAsync(NpgsqlDataSource evidence, string replica) => CountAsync(
        evidence, $"select sum(f.requests) from shadow.flush f join shadow.instance i on i.id = f.instance where i.replica = '{replica}'");

    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql)
    {
        try
        {
            await using var command = source.CreateCommand(sql);
            return await command.ExecuteScalarAsync(Cancellation) is { } count and not DBNull ? Convert.ToInt64(count, null) : 0;
        }
        catch (NpgsqlException)
        {
            // The database is being restarted.
            return 0;
        }
    }
}
