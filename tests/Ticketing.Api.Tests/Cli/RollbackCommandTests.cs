using Npgsql;
using Shadowctl;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Cli;

/// <summary>What the exit code of <c>shadowctl rollback</c> promises: 0 only where the candidate is off everywhere, and that is known.</summary>
public sealed class RollbackCommandTests(PostgresFixture postgres)
{
    private static readonly string[] Rollback = ["rollback", "get", "--reason", "a test"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_exits_0_once_every_replica_has_applied_it_and_2_with_its_name_while_one_has_not()
    {
        var database = await postgres.CloneAsync("shadowctl_rollback", Cancellation);
        await using var one = await Replica.StartAsync(database, "one");
        await using var two = await Replica.StartAsync(database, "two");
        await Until.HoldsAsync(async () => (await RunAsync(one, "--output", "json")).Output.Contains("\"two\"", StringComparison.Ordinal));
        var applied = await RunAsync(one);
        Assert.Equal((ExitCodes.Ok, ""), (applied.Exit, applied.Error));

        // A replica that goes on reporting an older generation: its row says so, and no process behind it will change that.
        await using var evidence = NpgsqlDataSource.Create(database.Evidence);
        await using var stuck = evidence.CreateCommand(
            "insert into shadow.replica (instance, replica, fingerprint, standing) values (gen_random_uuid(), 'stuck', 'f', '{}'::jsonb)");
        await stuck.ExecuteNonQueryAsync(Cancellation);
        var missing = await RunAsync(one, "--wait", "1");
        Assert.Equal(ExitCodes.Hold, missing.Exit);
        Assert.Contains("not applied by stuck (", missing.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("two (", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_exits_2_where_the_store_could_not_be_told_and_waits_until_it_can()
    {
        var database = await postgres.CloneAsync("shadowctl_rollback_unpublished", Cancellation);
        await using var forwarder = new Forwarder(database.Evidence);
        await using var replica = await Replica.StartAsync(database with { Evidence = forwarder.ConnectionString });
        forwarder.Cut();
        var unpublished = await RunAsync(replica, "--wait", "0");
        Assert.Equal(ExitCodes.Hold, unpublished.Exit);
        Assert.StartsWith("Not published", unpublished.Error, StringComparison.Ordinal);

        var waiting = RunAsync(replica, "--wait", "60");
        forwarder.Mend();
        Assert.Equal((ExitCodes.Ok, ""), ((await waiting).Exit, (await waiting).Error));
    }

    [Fact]
    public async Task Only_access_is_denied()
    {
        await using var replica = await Replica.StartAsync(await postgres.CloneAsync("shadowctl_rollback_denied", Cancellation));
        Assert.Equal(ExitCodes.Denied, (await ShadowctlTests.RunAsync(replica.Service, ShadowedService.ViewerToken, Rollback)).Exit);
        Assert.Equal(ExitCodes.Unreachable, (await RunAsync(replica, "--url", "http://127.0.0.1:1")).Exit);
        foreach (var unreadable in (string[])["-1", "abc", "61", "2m"])
            Assert.Equal((unreadable, ExitCodes.Usage), (unreadable, (await RunAsync(replica, "--wait", unreadable)).Exit));
        foreach (var read in (string[][])[["audit", "--limit", "abc"], ["audit", "--limit", "0"], ["status", "--watch", "abc"], ["status", "--watch", "0"]])
            Assert.Equal(ExitCodes.Usage, (await ShadowctlTests.RunAsync(replica.Service, Replica.OperatorToken, read)).Exit);
        var early = await ShadowctlTests.RunAsync(replica.Service, Replica.OperatorToken, ["rollout", "set", "get", "full", "--reason", "a test"]);
        Assert.Equal(ExitCodes.Hold, early.Exit);
    }

    private static Task<(int Exit, string Output, string Error)> RunAsync(Replica replica, params string[] more) =>
        ShadowctlTests.RunAsync(replica.Service, Replica.OperatorToken, [.. Rollback, .. more]);
}
