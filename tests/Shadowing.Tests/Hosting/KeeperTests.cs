using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Supervision;
using Shadowing.Tests.Evidence;

namespace Shadowing.Tests.Hosting;

public sealed class KeeperTests : IAsyncDisposable
{
    private static readonly KeeperPlan Plan = new("test", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)) { HoldsGate = true };
    private readonly FakeTimeProvider _clock = new();
    private readonly FakeLogCollector _logs = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly GateBoard _board;
    private readonly KeeperRegister _keepers;

    public KeeperTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _keepers = new(new(meters), _clock, new FakeLogger<KeeperRegister>(_logs));
        _board = new(new(meters), _keepers);
    }

    public static TheoryData<string> Failures => ["refused", "cancelled by another token", "hangs"];

    [Fact]
    public void The_pause_doubles_from_the_first_to_the_longest() => Assert.Equal(
        [1, 2, 4, 8, 16, 30, 30], Enumerable.Range(1, 7).Select(failures => Plan.PauseAfter(failures).TotalSeconds));

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failed_step_is_tried_again_and_reported_until_one_succeeds(string failure)
    {
        using var keeper = new Loop(_keepers);
        keeper.Step = Failing(failure);
        await keeper.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => keeper.Failed >= 3);
        var down = Assert.Single(_keepers.Down);
        Assert.Equal("test", down.Keeper);
        Assert.Equal(0, Alive());

        keeper.Step = _ => Task.CompletedTask;
        await UntilAsync(() => _keepers.Down.Count == 0);
        Assert.Equal(1, Alive());
        Assert.Equal([failure == "hangs" ? 96 : 90, 91], _logs.GetSnapshot().Select(log => log.Id.Id));
        await keeper.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_step_that_ignores_its_cancellation_is_reported_and_no_other_one_runs_beside_it()
    {
        var endless = new TaskCompletionSource();
        var begun = 0;
        using var keeper = new Loop(_keepers);
        keeper.Step = _ => Interlocked.Increment(ref begun) > 0 ? endless.Task : Task.CompletedTask;
        await keeper.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => _keepers.Down.Count == 1);
        for (var i = 0; i < 60; i++) _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, begun);

        endless.SetResult();
        await UntilAsync(() => _keepers.Down.Count == 0);
        await keeper.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stopping_ends_and_never_throws_whatever_the_last_step_and_the_parting_do(bool hangs)
    {
        var endless = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        using var keeper = new Loop(_keepers) { Part = _ => hangs ? endless.Task : throw new InvalidOperationException() };
        keeper.Step = _ =>
        {
            begun.TrySetResult();
            return hangs ? endless.Task : throw new InvalidOperationException();
        };
        await keeper.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => begun.Task.IsCompleted);
        var stopping = keeper.StopAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => stopping.IsCompleted);
        await stopping;
        Assert.Contains(_logs.GetSnapshot(), log => log.Id.Id == 92);
        endless.SetResult();
    }

    [Fact]
    public void While_a_keeper_is_down_that_the_gate_needs_nothing_advances_and_a_rollback_still_does()
    {
        var standing = _keepers.Register(Plan);
        var ready = Judged(GateVerdict.Advance);
        _board.Latest = new(_clock.GetUtcNow(), "f", GatePolicy.Default, [ready, Judged(GateVerdict.Rollback)]);
        standing.Failed(new TimeoutException());

        Assert.Equal([GateVerdict.Hold, GateVerdict.Rollback], _board.Latest.Operations.Select(one => one.Decision.Decision));
        var reason = Assert.Single(_board.Latest.Operations[0].Decision.Reasons);
        Assert.Equal(GateReasonCode.KeeperDown, reason.Code);
        Assert.Contains("the keeper 'test' is down", reason.Text, StringComparison.Ordinal);
        // Routes go by what was read: a hold must not make an old reading look new.
        Assert.Same(ready, _board.Read.Operations[0]);

        standing.Succeeded();
        Assert.Same(ready, _board.Latest.Operations[0]);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static JudgedOperation Judged(GateVerdict verdict) => new(
        Sample.Ready, new("list", verdict, Stage.Shadow, Stage.Shadow, [new(GateReasonCode.Proven, "ready")], "Ready.", "default", 1, null),
        new HashSet<string>(), 0);

    private static Func<CancellationToken, Task> Failing(string failure) => failure switch
    {
        "refused" => _ => throw new InvalidOperationException(),
        "hangs" => token => Task.Delay(Timeout.InfiniteTimeSpan, token),
        _ => _ => Task.FromCanceled(new CancellationToken(canceled: true)),
    };

    private int Alive()
    {
        using var collector = new MetricCollector<int>(_services.GetRequiredService<IMeterFactory>(), ShadowingMeter.Name, "shadow.keeper.alive");
        collector.RecordObservableInstruments();
        return Assert.Single(collector.GetMeasurementSnapshot()).Value;
    }

    /// <summary>Time goes on until it holds.</summary>
    private Task UntilAsync(Func<bool> condition) => Eventually.HoldsAsync(() =>
    {
        if (condition()) return true;
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        return false;
    });

    private sealed class Loop(KeeperRegister keepers) : Keeper(KeeperTests.Plan, keepers)
    {
        private volatile Func<CancellationToken, Task> _step = _ => Task.CompletedTask;

        public Func<CancellationToken, Task> Step { set => _step = value; }

        public Func<CancellationToken, Task> Part { get; init; } = _ => Task.CompletedTask;

        public int Failed => Standing.Failures;

        protected override Task StepAsync(CancellationToken cancellationToken) => _step(cancellationToken);

        protected override Task PartAsync(CancellationToken cancellationToken) => Part(cancellationToken);
    }
}
