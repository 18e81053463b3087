using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Shadowing.Serving;

namespace Shadowing.Tests;

/// <summary>The lane waits for a moment without served traffic, sheds what waits too long, and never starves an operation. On fake time.</summary>
public sealed class LaneTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task While_served_traffic_runs_the_shadow_waits_and_then_is_shed()
    {
        await using var engine = await BusyAsync();
        await engine.AskAsync("first, by the floor");
        await TickUntilAsync(engine, status => status.Comparisons["match"] == 1);
        await engine.AskAsync("second");
        await TickUntilAsync(engine, status => status.Skips["yielded"] == 1);
        Assert.Equal(1, engine.Status.Comparisons["match"]);
    }

    [Fact]
    public async Task A_moment_without_served_traffic_is_enough()
    {
        await using var engine = await BusyAsync();
        await engine.AskAsync("first, by the floor");
        await TickUntilAsync(engine, status => status.Comparisons["match"] == 1);
        await engine.AskAsync("second");
        await TickUntilAsync(engine, status => status.InFlight == 1);
        engine.Services.GetRequiredService<ServedTraffic>().Leave();
        await TickUntilAsync(engine, status => status.Comparisons["match"] == 2);
    }

    [Fact]
    public async Task A_request_is_compared_however_long_its_own_run_takes()
    {
        var answered = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var engine = await new Engine(new() { ["FloorInterval"] = "00:01:00" }, _clock)
        {
            Control = (question, _) => question.Text == "slow" ? answered.Task : Task.FromResult(new Answer("yes")),
        }.StartAsync();
        await engine.AskAsync("first, by the floor");
        await TickUntilAsync(engine, status => status.Comparisons["match"] == 1);
        var slow = engine.AskAsync("slow");
        for (var ms = 0; ms < 120; ms++) _clock.Advance(TimeSpan.FromMilliseconds(1));
        answered.SetResult(new("yes"));
        await slow;
        await TickUntilAsync(engine, status => status.Comparisons["match"] == 2);
        Assert.Equal(0, engine.Status.Skips["yielded"]);
    }

    [Theory]
    [InlineData(40, "match")]
    [InlineData(60, "yielded")]
    public async Task What_a_request_may_wait_for_other_traffic_begins_when_it_has_been_answered(int busyAfterwards, string ends)
    {
        var answered = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var engine = await new Engine(new() { ["FloorInterval"] = "00:01:00", ["YieldAfter"] = "00:00:00.050" }, _clock)
        {
            Control = (question, _) => question.Text == "slow" ? answered.Task : Task.FromResult(new Answer("yes")),
        }.StartAsync();
        await engine.AskAsync("first, by the floor");
        await TickUntilAsync(engine, status => status.Comparisons["match"] == 1);
        engine.Services.GetRequiredService<ServedTraffic>().Enter();
        var slow = engine.AskAsync("slow");
        for (var ms = 0; ms < 120; ms++) _clock.Advance(TimeSpan.FromMilliseconds(1));
        answered.SetResult(new("yes"));
        await slow;
        await TickUntilAsync(engine, status => status.InFlight == 1);
        var since = _clock.GetTimestamp();
        await TickUntilAsync(
            engine, status => status.InFlight == 0 || _clock.GetElapsedTime(since) >= TimeSpan.FromMilliseconds(busyAfterwards));
        engine.Services.GetRequiredService<ServedTraffic>().Leave();
        await TickUntilAsync(engine, status => status.InFlight == 0);
        Assert.Equal(1, ends == "match" ? engine.Status.Comparisons["match"] - 1 : engine.Status.Skips["yielded"]);
    }

    [Fact]
    public async Task However_busy_the_machine_an_operation_is_compared_once_an_interval()
    {
        await using var engine = await BusyAsync();
        for (var i = 1; i <= 3; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await engine.AskAsync();
            await TickUntilAsync(engine, status => status.Comparisons["match"] == i);
        }

        Assert.Equal(0, engine.Status.Skips["yielded"]);
    }

    [Fact]
    public async Task At_any_moment_every_request_is_somewhere()
    {
        await using var engine = await new Engine(new() { ["QueueCapacity"] = "16", ["SamplePercent"] = "80" }).StartAsync();
        await Parallel.ForAsync(0, 5_000, TestContext.Current.CancellationToken, async (_, _) =>
        {
            await engine.AskAsync();
            var status = engine.Status;
            Assert.Equal(status.Requests, status.Comparisons.Values.Sum() + status.Skips.Values.Sum() + status.Queued + status.InFlight);
        });
        Assert.Equal(5_000, (await engine.SettledAsync()).Requests);
    }

    private async Task<Engine> BusyAsync()
    {
        var engine = await new Engine(clock: _clock).StartAsync();
        engine.Services.GetRequiredService<ServedTraffic>().Enter();
        return engine;
    }

    /// <summary>Lets fake time pass by the lane's poll until something is seen.</summary>
    private async Task TickUntilAsync(Engine engine, Func<OperationStatus, bool> seen) => await Eventually.HoldsAsync(() =>
    {
        if (seen(engine.Status)) return true;
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        return false;
    });
}
