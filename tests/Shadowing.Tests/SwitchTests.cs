using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.Tests;

public sealed class SwitchTests
{
    [Fact]
    public async Task Off_the_caller_gets_the_controls_own_task_whatever_becomes_of_it()
    {
        await using var engine = new Engine();
        engine.Switch.Hold(ShadowSwitch.KillFile, off: true);
        var failure = new NotSupportedException("as it is");
        engine.Control = (_, _) => throw failure;
        Assert.Same(failure, await Assert.ThrowsAsync<NotSupportedException>(() => engine.AskAsync()));
        engine.Control = async (_, token) =>
        {
            await Task.Yield();
            throw new OperationCanceledException(token);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.AskAsync());
        engine.OpeningServed = _ => throw failure;
        Assert.Same(failure, await Assert.ThrowsAsync<NotSupportedException>(() => engine.AskAsync()));
        Assert.Equal((3L, 3L), (engine.Status.Requests, engine.Status.Skips["off"]));
    }

    [Theory]
    [InlineData("Enabled", "false", "off")]
    [InlineData("Operations:oracle.ask:Enabled", "false", "off")]
    [InlineData("SamplePercent", "0", "not_sampled")]
    [InlineData("Operations:oracle.ask:SamplePercent", "0", "not_sampled")]
    public async Task What_the_settings_switch_off_is_answered_and_skipped(string setting, string value, string reason)
    {
        await using var engine = await new Engine(new() { [setting] = value }).StartAsync();
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal(1, engine.Status.Skips[reason]);
        Assert.DoesNotContain("Candidate Shadow", engine.Opened);
    }

    [Fact]
    public async Task A_kill_file_switches_off_and_its_removal_on_again()
    {
        var file = Path.GetTempFileName();
        await using var engine = await new Engine(new() { ["KillFile"] = file }).StartAsync();
        await engine.AskAsync();
        Assert.Equal(1, engine.Status.Skips["off"]);
        Assert.Equal([ShadowSwitch.KillFile], engine.Report.OffBecause);
        File.Delete(file);
        await Eventually.HoldsAsync(() => engine.Report.IsOn);
        Assert.Equal(1, (await engine.CompareAsync()).Comparisons["match"]);
    }

    [Fact]
    public async Task Every_reason_to_be_off_suffices_alone()
    {
        await using var engine = await new Engine().StartAsync();
        engine.Switch.Hold(ShadowSwitch.CriticalFinding, off: true);
        engine.Switch.Hold(ShadowSwitch.KillFile, off: true);
        engine.Switch.Hold(ShadowSwitch.KillFile, off: false);
        await engine.AskAsync();
        Assert.Equal(1, engine.Status.Skips["off"]);
    }

    [Fact]
    public async Task What_holds_the_shadow_off_is_measured_by_operation_and_reason()
    {
        await using var engine = await new Engine(
            new() { ["Operations:oracle.ask:Enabled"] = "false" }, experiments: [Engine.Ask, Engine.Named("oracle.other")]).StartAsync();
        engine.Switch.Hold(ShadowSwitch.CriticalFinding, off: true);
        using var collector = new MetricCollector<int>(
            engine.Services.GetRequiredService<IMeterFactory>(), ShadowingMeter.Name, "shadow.switch.status");
        collector.RecordObservableInstruments();
        var measured = collector.GetMeasurementSnapshot();
        Assert.Equal(2 * ShadowSwitch.All.Length, measured.Count);
        Assert.Equal(
            [("oracle.ask", "critical_finding"), ("oracle.ask", "disabled"), ("oracle.other", "critical_finding")],
            measured.Where(one => one.Value == 1).Select(one => ((string)one.Tags["shadow.operation"]!, (string)one.Tags["shadow.reason"]!)).Order());
    }

    [Fact]
    public async Task Sampling_takes_about_the_share_that_was_asked_for()
    {
        await using var engine = new Engine(new() { ["SamplePercent"] = "25", ["QueueCapacity"] = "65536" });
        for (var i = 0; i < 4_000; i++) await engine.AskAsync();
        Assert.InRange(engine.Status.Queued, 850, 1_150);
        Assert.Equal(4_000, engine.Status.Queued + engine.Status.Skips["not_sampled"]);
    }

    [Fact]
    public async Task A_write_is_answered_by_the_control_and_never_run_in_the_shadow()
    {
        var write = Engine.Named("oracle.tell", writes: true);
        await using var engine = await new Engine(experiments: write).StartAsync();
        Assert.Equal("yes", (await engine.Runner.RunAsync(write, new Question(), TestContext.Current.CancellationToken)).Text);
        Assert.Equal(1, engine.Status.Skips["unsafe_write"]);
        Assert.DoesNotContain("Candidate Shadow", engine.Opened);
    }

    [Fact]
    public async Task A_request_that_its_caller_gave_up_on_is_no_comparison()
    {
        using var gone = new CancellationTokenSource();
        await using var engine = await new Engine
        {
            Control = async (_, token) =>
            {
                await gone.CancelAsync();
                token.ThrowIfCancellationRequested();
                return new("yes");
            },
        }.StartAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => engine.Runner.RunAsync(Engine.Ask, new Question(), gone.Token));
        Assert.Equal(1, (await engine.SettledAsync()).Skips["cancelled"]);
    }

    [Fact]
    public async Task A_candidate_that_keeps_failing_is_given_a_rest()
    {
        await using var engine = await new Engine { Candidate = Engine.Failing(new InvalidOperationException()) }.StartAsync();
        for (var i = 0; i < 20; i++) await engine.CompareAsync();
        Assert.Equal(20, engine.Status.Comparisons["candidate_error"] + engine.Status.Skips["breaker_open"]);
        Assert.NotEqual(0, engine.Status.Skips["breaker_open"]);
    }

    [Fact]
    public async Task Stopping_drains_what_waits()
    {
        await using var engine = new Engine();
        for (var i = 0; i < 50; i++) await engine.AskAsync();
        await engine.StartAsync();
        await engine.StopAsync();
        Assert.Equal((50, 0, 0), (engine.Status.Comparisons["match"], engine.Status.Queued, engine.Status.InFlight));
    }

    [Fact]
    public async Task What_cannot_be_drained_in_time_is_counted_as_shut_down()
    {
        await using var engine = new Engine(new() { ["DrainTimeout"] = "00:00:00.020", ["CancelGrace"] = "00:00:00.010" });
        engine.Candidate = (_, token) => WaitForAsync(token);
        for (var i = 0; i < 10; i++) await engine.AskAsync();
        await engine.StartAsync();
        await engine.StopAsync();
        Assert.Equal((10, 0, 0), (engine.Status.Skips["shutdown"], engine.Status.Queued, engine.Status.InFlight));
    }

    [Fact]
    public async Task Bad_settings_are_refused_all_at_once_with_the_value_quoted()
    {
        var refused = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => new Engine(new()
        {
            ["SamplePercent"] = "101",
            ["Breaker:FailureRatio"] = "7",
            ["Operations:oracle.ask:SamplePercent"] = "-1",
        }));
        Assert.Contains(refused.Failures, failure => failure.Contains("Shadowing:SamplePercent = '101'", StringComparison.Ordinal));
        Assert.Contains(refused.Failures, failure => failure.Contains("Shadowing:Breaker:FailureRatio = '7'", StringComparison.Ordinal));
        Assert.Contains(refused.Failures, failure => failure.Contains("Shadowing:Operations:oracle.ask:SamplePercent = '-1'", StringComparison.Ordinal));
        await Task.CompletedTask;
    }

    private static async Task<Answer> WaitForAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource<Answer>();
        await using var registration = token.Register(() => cancelled.TrySetCanceled(token));
        return await cancelled.Task;
    }
}
