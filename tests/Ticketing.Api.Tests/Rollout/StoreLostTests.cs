using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Shadowctl;
using Shadowing.Model;
using Ticketing.Api.Tests.Cli;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>The evidence store goes away while the service runs: that is loud, and nothing old is taken for something known.</summary>
public sealed class StoreLostTests(PostgresFixture postgres)
{
    private const int Lost = 93;
    private const int Back = 95;
    private const int LeaseLost = 28;
    private const int LeaseBack = 29;

    /// <summary>Within this it is told; a busy machine is given some more.</summary>
    private static readonly TimeSpan Told = TimeSpan.FromSeconds(5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lost_store_is_a_finding_a_line_and_a_metric_within_five_seconds_and_the_gate_knows_nothing()
    {
        var database = await postgres.CloneAsync("store_lost", Cancellation);
        await using var forwarder = new Forwarder(database.Evidence);
        await using var replica = await Replica.StartAsync(database with { Evidence = forwarder.ConnectionString });
        await replica.ProveAsync();
        await replica.ChangeAsync("tickets.get", new() { ["nominate"] = "this" });
        await replica.ChangeAsync("tickets.get", new() { ["stage"] = "ramp-50", ["force"] = true });
        await Until.HoldsAsync(async () => (string?)(await replica.GetAsync("gate/tickets.get"))["decision"] == "advance");

        var lost = Stopwatch.GetTimestamp();
        forwarder.Cut();
        await Until.HoldsAsync(async () => (await replica.Service.StatusAsync()).Findings.Any(finding => finding.Object == "evidence store"));
        await Until.HoldsAsync(() => Task.FromResult(Count(replica, Lost) == 1));
        await Until.HoldsAsync(() => Task.FromResult(Alive(replica, "evidence") == 0));
        await Until.HoldsAsync(async () => (string?)(await replica.GetAsync("gate/tickets.get"))["decision"] == "no_evidence");
        Assert.InRange(Stopwatch.GetElapsedTime(lost), TimeSpan.Zero, Told + TimeSpan.FromSeconds(5));

        var gate = await replica.GetAsync("gate/tickets.get");
        Assert.Contains(gate["reasons"]!.AsArray(), reason => (string?)reason!["code"] == "evidence_unreadable");
        Assert.NotNull((string?)gate["asOf"]);
        var asked = await ShadowctlTests.RunAsync(replica.Service, Replica.OperatorToken, ["gate", "get"]);
        Assert.Equal(ExitCodes.Unreachable, asked.Exit);
        Assert.Contains("next: shadowctl doctor", asked.Output, StringComparison.Ordinal);
        await Until.HoldsAsync(async () => (string?)(await replica.RolloutAsync())["servesNoneBecause"]
            == "the store has not confirmed the stage for 3 s, so the control answers everybody");
        Assert.Equal(200, await replica.Service.GetAsync("/api/tickets/1"));
        Assert.Equal(1, Count(replica, Lost));
        await Until.HoldsAsync(() => Task.FromResult(Count(replica, LeaseLost) == 1));
        var doctor = await ShadowctlTests.RunAsync(replica.Service, Replica.OperatorToken, ["doctor"]);
        Assert.Equal(ExitCodes.Hold, doctor.Exit);
        Assert.Contains("CRITICAL connection  ConnectionStrings:Evidence: cannot be asked", doctor.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(replica.Service.Logs.GetSnapshot(), entry => entry.Exception is not null && entry.Category!.StartsWith("Shadowing", StringComparison.Ordinal));

        forwarder.Mend();
        await Until.HoldsAsync(() => Task.FromResult((Count(replica, Back), Count(replica, LeaseBack)) == (1, 1)));
        await Until.HoldsAsync(async () => (string?)(await replica.GetAsync("gate/tickets.get"))["decision"] == "advance");
        Assert.DoesNotContain((await replica.Service.StatusAsync()).Findings, finding => finding.Object == "evidence store");
    }

    private static int Count(Replica replica, int id) => replica.Service.Logs.GetSnapshot().Count(entry => entry.Id.Id == id);

    private static int Alive(Replica replica, string keeper)
    {
        using var collector = new MetricCollector<int>(
            replica.Service.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), ShadowingMeter.Name, "shadow.keeper.alive");
        collector.RecordObservableInstruments();
        return collector.GetMeasurementSnapshot().Last(measured => (string?)measured.Tags["shadow.keeper"] == keeper).Value;
    }
}
