using EndToEnd.Tests.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;
using Ticketing;
using Ticketing.Api;
using Ticketing.Demo;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Browser;

/// <summary>A service with very many operations, each with evidence on very many shapes in its store, and with mismatches.</summary>
internal sealed class CrowdedService : IAsyncDisposable
{
    public const int Operations = 500;
    public const int Shapes = 200;
    public const int Mismatches = 300;
    private const int OfTickets = 7;

    private readonly WebApplication _app;
    private readonly PrivatePostgres _postgres;

    private readonly string _evidence;

    private CrowdedService(WebApplication app, PrivatePostgres postgres, string evidence) => (_app, _postgres, _evidence) = (app, postgres, evidence);

    public DemoSecrets Secrets { get; private init; } = DemoSecrets.Draw();

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The last operation that is registered; the only one with a mismatch of the critical class.</summary>
    public static string Worst => NameOf(Operations - OfTickets);

    /// <summary>One that nothing is wrong with.</summary>
    public static string Calm => NameOf(1);

    public static async Task<CrowdedService> StartAsync()
    {
        var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var database = await postgres.CreateAsync("crowded", Cancellation);
        await Seeder.SeedAsync(database, 1_000, Cancellation);
        var secrets = DemoSecrets.Draw();
        var service = new CrowdedService(Compose(database, secrets), postgres, database.Evidence) { Secrets = secrets };
        try
        {
            await service._app.StartAsync(Cancellation);
            await service.FillAsync(database);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>Lets evidence of one shape come again and again, and counts the operations that the gate judges anew for it.</summary>
    /// <param name="times">How often.</param>
    /// <returns>How many were judged, and what it cost this process, in words.</returns>
    public async Task<(int Judged, string Words)> ChangeOneAsync(int times)
    {
        var board = _app.Services.GetRequiredService<GateBoard>();
        await using var store = NpgsqlDataSource.Create(_evidence);
        var (judged, used, began) = (0, Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
        for (var time = 0; time < times; time++)
        {
            var (before, requests) = (board.Read.Operations.ToDictionary(one => one.Evidence.Operation), Requests());
            await using var command = store.CreateCommand(
                """
                with one as (update shadow.evidence set requests = requests + 1, last_at = now() where operation = $1 and shape like '% filter 200 %')
                insert into shadow.flush (instance, sequence) values (gen_random_uuid(), 1)
                """);
            command.Parameters.AddWithValue(Calm);
            await command.ExecuteNonQueryAsync(Cancellation);
            await Eventually.HoldsAsync("it is judged", () => Task.FromResult(Requests() > requests));
            // A busy machine may have kept this run itself silent for half a minute: that concerns every operation, and is no part of this.
            judged += board.Read.Operations.Count(one => before[one.Evidence.Operation] is var last && !ReferenceEquals(last.Decision, one.Decision)
                && last.Evidence.SinceUncleanExit == one.Evidence.SinceUncleanExit);
        }

        var (taken, cost) = (TimeProvider.System.GetElapsedTime(began), Environment.CpuUsage.TotalTime - used);
        return (judged, $"{times} changes of one shape in {taken.TotalSeconds:F1} s: {judged} of {Operations * times:N0} judgements, "
            + $"{cost / taken:P0} of a processor");

        long Requests() => board.Read.JudgedOf(Calm)!.Evidence.Shapes.Sum(shape => shape.Requests);
    }

    private static string NameOf(int number) => $"orders.report{number:000}";

    private static WebApplication Compose(TicketingDatabase database, DemoSecrets secrets) => ApiHost.Build([], builder =>
    {
        builder.Configuration.AddInMemoryCollection(
        [
            .. secrets.Settings,
            new("urls", "http://127.0.0.1:0"),
            new("ConnectionStrings:Served", database.Served),
            new("ConnectionStrings:Shadow", database.Shadow),
            new("ConnectionStrings:Sandbox", database.Sandbox),
            new("ConnectionStrings:Evidence", database.Evidence),
            new("Operators:RequestsPerSecond", "1000"),
            new("Shadowing:Replica", "crowded"),
            new("Stopping:ServeFor", "00:00:00"),
        ]);
        builder.Logging.ClearProviders();
        for (var number = 1; number <= Operations - OfTickets; number++)
        {
            builder.Services.AddSingleton<Experiment>(new Experiment<ITicketStore, GetTicket, TicketAnswer>(
                NameOf(number), static (store, request, token) => store.GetAsync(request, token)));
        }
    });

    /// <summary>Puts evidence on all shapes into the store, once it is known for which build; and waits until the gate has judged it.</summary>
    private async Task FillAsync(TicketingDatabase database)
    {
        var (ledger, board) = (_app.Services.GetRequiredService<EvidenceLedger>(), _app.Services.GetRequiredService<GateBoard>());
        await Eventually.HoldsAsync("the first reading", () => Task.FromResult(board.Latest.At is not null && ledger.Fingerprint.All(char.IsAsciiHexDigitLower)));
        await using var store = NpgsqlDataSource.Create(database.Evidence);
        string[] operations = [.. _app.Services.GetServices<Experiment>().Select(experiment => experiment.Operation)];
        Assert.Equal(Operations, operations.Length);
        var code = _app.Services.GetRequiredService<ShadowedCode>();
        await new MismatchStore(store).SaveAsync(
            Guid.NewGuid(), [.. operations.TakeLast(Mismatches).Select(operation => Mismatch(operation, ledger.Fingerprint, code.Candidate))], Cancellation);
        await using var connection = await store.OpenConnectionAsync(Cancellation);
        await ExecuteAsync(
            $"""
            insert into shadow.evidence (fingerprint, operation, shape, requests, comparisons, differing, tolerated, transients, incomparable,
                shed, statement_trials, statements_more, due, decided, with_rows, recent_comparisons)
            select $1, operation, format('staff %s / filter %s / page %s', s % 4, s, s % 3), 10 * s, 10 * s, 0, 0, 0, 0, 0, s, 0, s, s, s, s
            from unnest($2) operation, generate_series(1, {Shapes}) s
            """);
        await ExecuteAsync(
            $"""
            insert into shadow.evidence_page (fingerprint, operation, shape, kind, page, bits)
            select $1, operation, format('staff %s / filter %s / page %s', s % 4, s, s % 3), kind, 0, rpad(repeat('1', s * 10), 4096, '0')::bit(4096)
            from unnest($2) operation, generate_series(1, {Shapes}) s, unnest(array['all', 'live']) kind
            """);
        await ExecuteAsync(
            """
            insert into shadow.traffic (operation, minute, requests, comparisons, differing, undecided)
            select operation, date_trunc('minute', now()) - m * interval '1 minute', 100, 90 + m % 7, m % 3, m % 5
            from unnest($2) operation, generate_series(1, 59) m where length($1) > 0
            """);
        var began = TimeProvider.System.GetTimestamp();
        // What another replica would have sent with it: so all replicas read it again.
        await ExecuteAsync("insert into shadow.flush (instance, sequence) select gen_random_uuid(), cardinality($2) where length($1) > 0");
        await Eventually.HoldsAsync("evidence on every shape of every operation", () => Task.FromResult(
            board.Latest.Operations.Count(judged => judged.Evidence.Shapes.Count == Shapes) == Operations));
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{Operations * Shapes:N0} shapes were read and judged {TimeProvider.System.GetElapsedTime(began).TotalSeconds:F1} s after they were stored");

        async Task ExecuteAsync(string sql)
        {
            await using var insert = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
            insert.Parameters.AddWithValue(ledger.Fingerprint);
            insert.Parameters.AddWithValue(operations);
            await insert.ExecuteNonQueryAsync(Cancellation);
        }
    }

    private static MismatchGroup Mismatch(string operation, string build, string candidate)
    {
        var now = TimeProvider.System.GetUtcNow();
        var diagnosis = new NamedDiagnosis("time_zone", "every value is later by one hour", "look at the mapping of the column");
        return new(
            $"{operation.GetHashCode(StringComparison.Ordinal):x8}0000", operation, "mismatch", operation == Worst ? "critical" : "normal",
            [new("orders[*].createdAt", "value")], null, 5, 0, false, now.AddHours(-1), now, [candidate], ["staff 1 / filter 1 / page 1"],
            new Dictionary<string, long> { ["time_zone"] = 5 }, diagnosis, [])
        {
            Builds = [build],
        };
    }
}
