using System.Net;
using Npgsql;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Hosting;

public sealed class KeeperOutageTests(Outage outage) : IClassFixture<Outage>
{
    public static TheoryData<string> Keepers => [.. Outage.Keepers];

    [Theory]
    [MemberData(nameof(Keepers))]
    public void A_keeper_whose_database_hangs_and_refuses_is_a_finding_until_the_database_is_back(string keeper)
    {
        Assert.Contains(keeper, outage.WhileHanging);
        Assert.Contains(keeper, outage.WhileRefusing);
        Assert.DoesNotContain(keeper, outage.Afterwards);
    }

    [Fact]
    public void Users_are_answered_meanwhile() => Assert.All(outage.Users, status => Assert.Equal(200, status));

    [Fact]
    public void The_gate_is_held_meanwhile_and_not_afterwards()
    {
        // Held while a keeper is down, and no evidence at all once the one that reads it is.
        Assert.Contains(outage.GateMeanwhile.Decision, (string[])["hold", "no_evidence"]);
        Assert.Contains("keeper_down", outage.GateMeanwhile.Reasons);
        Assert.Equal(HttpStatusCode.Conflict, outage.ConfirmMeanwhile);
        Assert.DoesNotContain("keeper_down", outage.GateAfterwards);
    }

    [Fact]
    public void Evidence_is_counted_on_afterwards() => Assert.True(outage.Cases.After > outage.Cases.Before, $"{outage.Cases}");
}

public sealed class HangingStoreTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_service_stops_in_time_and_without_a_failure_while_its_databases_hang()
    {
        var database = await postgres.CloneAsync("hang_stop", TestContext.Current.CancellationToken);
        await using var evidence = new Forwarder(database.Evidence);
        await using var shadow = new Forwarder(database.Shadow);
        var service = await ShadowedService.StartAsync(
            database, settings: [("ConnectionStrings:Evidence", evidence.ConnectionString), ("ConnectionStrings:Shadow", shadow.ConnectionString)]);
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        evidence.Hang();
        shadow.Hang();
        await Until.HoldsAsync(async () => (await service.StatusAsync()).Findings.Any(finding => finding.Object == "keeper rollout"));
        Assert.True(await service.StopAsync() < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_service_that_starts_while_its_databases_hang_serves_its_users_and_shadows_once_they_are_back()
    {
        var database = await postgres.CloneAsync("hang_start", TestContext.Current.CancellationToken);
        await using var evidence = new Forwarder(database.Evidence);
        await using var shadow = new Forwarder(database.Shadow);
        evidence.Hang();
        shadow.Hang();
        await using var service = await ShadowedService.StartAsync(database, warm: false, settings:
        [
            ("ConnectionStrings:Evidence", Quick(evidence)), ("ConnectionStrings:Shadow", Quick(shadow)),
        ]);
        await Until.HoldsAsync(async () =>
        {
            Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
            var down = (await service.StatusAsync()).Findings.Select(finding => finding.Object).ToArray();
            return down.Contains("keeper instance") && down.Contains("keeper warm-up");
        });

        evidence.Flow();
        shadow.Flow();
        await service.IsOnAsync();
        await Until.HoldsAsync(async () => !(await service.StatusAsync()).Findings.Any(finding => finding.Object.StartsWith("keeper", StringComparison.Ordinal)));
    }

    private static string Quick(Forwarder to) =>
        new NpgsqlConnectionStringBuilder(to.ConnectionString) { Timeout = 1, CommandTimeout = 1, CancellationTimeout = 500 }.ConnectionString;
}
