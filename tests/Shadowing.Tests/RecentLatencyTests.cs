using Microsoft.Extensions.Time.Testing;
using Shadowing.Model;
using Shadowing.Serving;

namespace Shadowing.Tests;

/// <summary>The control's p99 that a candidate's deadline rests on: of the last minutes, in bounded memory.</summary>
public sealed class RecentLatencyTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void A_control_that_has_become_quick_again_is_called_quick_within_two_windows()
    {
        var latency = new RecentLatency(_clock);
        Add(latency, TimeSpan.FromSeconds(8), 1000);
        Assert.InRange(latency.P99.TotalSeconds, 7, 9);
        _clock.Advance(RecentLatency.Window);
        Add(latency, TimeSpan.FromMilliseconds(10), 1000);
        Assert.InRange(latency.P99.TotalSeconds, 7, 9);
        _clock.Advance(RecentLatency.Window);
        Add(latency, TimeSpan.FromMilliseconds(10), 1000);
        Assert.InRange(latency.P99.TotalMilliseconds, 9, 11);
    }

    [Fact]
    public void Without_traffic_it_is_forgotten()
    {
        var latency = new RecentLatency(_clock);
        Add(latency, TimeSpan.FromSeconds(8), 1000);
        _clock.Advance(2 * RecentLatency.Window);
        Assert.Equal(TimeSpan.Zero, latency.P99);
    }

    [Fact]
    public void Too_few_durations_have_no_p99()
    {
        var latency = new RecentLatency(_clock);
        Add(latency, TimeSpan.FromSeconds(8), RecentLatency.Least - 1);
        Assert.Equal(TimeSpan.Zero, latency.P99);
        Add(latency, TimeSpan.FromSeconds(8), 1);
        Assert.InRange(latency.P99.TotalSeconds, 7, 9);
    }

    [Fact]
    public void A_tallys_p99_is_of_recent_minutes_while_its_quantiles_are_of_the_whole_run()
    {
        var tally = new OperationTally(_clock);
        for (var run = 0; run < 200; run++) Compare(tally, TimeSpan.FromSeconds(8));
        _clock.Advance(3 * RecentLatency.Window);
        for (var run = 0; run < 100; run++) Compare(tally, TimeSpan.FromMilliseconds(10));
        Assert.InRange(tally.ControlP99.TotalMilliseconds, 9, 11);
    }

    private static void Add(RecentLatency latency, TimeSpan duration, int times)
    {
        for (var time = 0; time < times; time++) latency.Add(duration);
    }

    private static void Compare(OperationTally tally, TimeSpan control) =>
        tally.Compared(
            new(Outcome.Match), [], new Observation<int>(1, null, control, new()), new Observation<int>(1, null, control, new()));
}
