using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Postgres.Connections;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Pooler;

/// <summary>The service behind a real PgBouncer in transaction mode.</summary>
public sealed class PoolerTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Behind_a_transaction_pooler_no_user_meets_a_failure_and_the_candidate_is_blamed_for_nothing(bool all)
    {
        var database = await postgres.CloneAsync($"pooler_{all}", Cancellation);
        await using var bouncer = await PgBouncer.StartAsync(database, servers: 3, Cancellation);
        var through = database with { Served = bouncer.Through(database.Served) };
        if (all) through = through with { Shadow = bouncer.Through(database.Shadow), Evidence = bouncer.Through(database.Evidence) };
        await using var service = await ShadowedService.StartAsync(through, settings: WritesUnderTrafficTests.Everything);

        await WritesUnderTrafficTests.DriveAsync(service, requests: 600, concurrency: 8);
        await BlamesNobodyAsync(service);
        var findings = (await service.StatusAsync()).Findings;
        var pooled = findings.Where(finding => finding.Text.Contains("pooler", StringComparison.Ordinal)).ToArray();
        string[] settings = ["ConnectionStrings:Listen", "ConnectionStrings:Served", "ConnectionStrings:Shadow"];
        Assert.Equal(all ? settings : ["ConnectionStrings:Served"], pooled.Select(finding => finding.Object));
        Assert.All(pooled, finding => Assert.Equal("warning", finding.Severity));
    }

    [Fact]
    [LongForm(nameof(Behind_a_transaction_pooler_no_user_meets_a_failure_and_the_candidate_is_blamed_for_nothing))]
    public async Task A_pooler_put_in_between_while_users_are_served_fails_no_request_of_theirs()
    {
        var database = await postgres.CloneAsync("pooler_later", Cancellation);
        await using var bouncer = await PgBouncer.StartAsync(database, servers: 3, Cancellation);
        await using var forwarder = new Forwarder(database.Served);
        await using var service = await ShadowedService.StartAsync(
            database with { Served = forwarder.ConnectionString }, settings: WritesUnderTrafficTests.Everything);
        var pools = service.Services.GetRequiredKeyedService<ConnectionPools>(ServedDatabase.Key);
        await WritesUnderTrafficTests.DriveAsync(service, requests: 100, concurrency: 1);
        Assert.True(pools.IsPreparing);

        // Those that are open stay direct; so many at once need new ones.
        forwarder.LeadTo(bouncer.Port);
        await WritesUnderTrafficTests.DriveAsync(service, requests: 400, concurrency: 12, seed: 2);
        Assert.True(pools.HasPooler);

        // The switch itself breaks what is open; nothing after it fails.
        forwarder.Cut();
        forwarder.Mend();
        await Until.HoldsAsync(async () => await service.GetAsync("/api/tickets/1") == 200);
        await BreakAsync(service);
        await WritesUnderTrafficTests.DriveAsync(service, requests: 400, concurrency: 12, seed: 3);
        await BlamesNobodyAsync(service);
    }

    [Fact]
    public async Task A_sandbox_behind_a_pooler_is_not_used_and_leaves_no_table_behind_in_it()
    {
        var database = await postgres.CloneAsync("pooler_sandbox", Cancellation);
        await using var bouncer = await PgBouncer.StartAsync(database, servers: 3, Cancellation);
        await using var service = await ShadowedService.StartAsync(
            database with { Sandbox = bouncer.Through(database.Sandbox) }, settings: WritesUnderTrafficTests.Everything);
        await WritesUnderTrafficTests.DriveAsync(service, requests: 40, concurrency: 4, seed: 1, "tickets.update");

        var update = await service.SettledAsync("tickets.update");
        Assert.Equal(update.Requests, update.Skips["sandbox_unavailable"]);
        Assert.Contains((await service.StatusAsync()).Findings, finding =>
            finding is { Object: "ConnectionStrings:Sandbox", Severity: "critical" }
            && finding.Text.Contains("pooler", StringComparison.Ordinal));
        Assert.Equal("0", await Sql.LineAsync(database.Owner, "select count(*) from pg_class where relpersistence = 't'"));
    }

    [Fact]
    public async Task A_listener_behind_a_pooler_says_so_and_does_not_listen_there()
    {
        var database = await postgres.CloneAsync("pooler_listen", Cancellation);
        await using var bouncer = await PgBouncer.StartAsync(database, servers: 1, Cancellation);
        await using var service = await ShadowedService.StartAsync(
            database, settings: ("ConnectionStrings:Listen", bouncer.Through(database.Evidence)));
        await Until.HoldsAsync(async () =>
            (await service.StatusAsync()).Findings.Any(finding => finding.Object == "ConnectionStrings:Listen"));
        const string Heard = "select count(*) from pg_listening_channels()";
        Assert.Equal("0", await Sql.LineAsync(bouncer.Through(database.Evidence), Heard));
    }

    [Fact]
    public async Task A_service_without_a_pooler_says_nothing_of_one_and_prepares_in_both_positions()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("pooler_none", Cancellation));
        await service.GetAsync("/api/tickets/1");
        Assert.All(
            (string[])[ServedDatabase.Key, Databases.Shadow],
            position => Assert.True(service.Services.GetRequiredKeyedService<ConnectionPools>(position).IsPreparing));
        Assert.Empty((await service.StatusAsync()).Findings);
    }

    /// <summary>Uses every connection that the pools may hold, so that what was broken is known to be.</summary>
    private static async Task BreakAsync(ShadowedService service)
    {
        var pools = service.Services.GetRequiredKeyedService<ConnectionPools>(ServedDatabase.Key);
        var held = new ConcurrentBag<Npgsql.NpgsqlConnection>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 32), Cancellation, async (turn, token) =>
        {
            var connection = turn % 2 == 0 ? await pools.OpenAsync(token) : await pools.Unprepared.OpenConnectionAsync(token);
            held.Add(connection);
            try
            {
                await using var command = new Npgsql.NpgsqlCommand("select 1", connection);
                await command.ExecuteScalarAsync(token);
            }
            catch (Npgsql.NpgsqlException)
            {
                // Broken by the switch.
            }
        });
        foreach (var connection in held) await connection.DisposeAsync();
    }

    internal static async Task BlamesNobodyAsync(ShadowedService service)
    {
        foreach (var operation in (await service.StatusAsync()).Operations.Select(status => status.Operation))
        {
            var status = await service.SettledAsync(operation);
            var (compared, skipped) = (status.Comparisons.Where(one => one.Value > 0), status.Skips.Where(one => one.Value > 0));
            var told = $"{operation}: {string.Join(' ', compared)} skips {string.Join(' ', skipped)}";
            TestContext.Current.TestOutputHelper?.WriteLine(told);
            string[] blame = ["mismatch", "candidate_error", "candidate_timeout", "control_error"];
            Assert.True(blame.Sum(outcome => status.Comparisons[outcome]) == 0, told);
            Assert.NotEqual(0, status.Comparisons["match"] + status.Comparisons["tolerated"] + status.Comparisons["transient"]);
        }
    }
}
