using Microsoft.Extensions.Hosting;

namespace Shadowing.Supervision;

/// <summary>A keeper's name and times.</summary>
/// <param name="Name">From a closed set: it is the attribute <c>shadow.keeper</c> of the metrics.</param>
/// <param name="Interval">The time between two steps.</param>
/// <param name="Limit">How long a step may take before it has failed. Infinite where the step limits its parts itself.</param>
public sealed record KeeperPlan(string Name, TimeSpan Interval, TimeSpan Limit)
{
    /// <summary>Whether the gate may decide to advance only while the keeper works.</summary>
    public bool HoldsGate { get; init; }

    /// <summary>Whether its steps need the evidence store, whose loss is told once for all keepers.</summary>
    public bool NeedsStore { get; init; }

    /// <summary>The pause after a first failed step. The default is the interval.</summary>
    public TimeSpan FirstPause { get; init; } = Interval;

    /// <summary>The longest pause: the pause doubles with each failed step up to this.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The pause after this many failed steps in a row; at least 1.</summary>
    public TimeSpan PauseAfter(int failures)
    {
        var longest = LongestPause > FirstPause ? LongestPause : FirstPause;
        var pause = FirstPause * Math.Pow(2, Math.Min(failures, 20) - 1);
        return pause < longest ? pause : longest;
    }
}

/// <summary>
/// A loop in the background. A step that fails for any reason, or does not end in time, is counted and tried again. Only the host's stop
/// ends the loop. Two steps never run at the same time.
/// </summary>
public abstract class Keeper : IHostedService, IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Parting = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PartingWhileDown = TimeSpan.FromSeconds(0.5);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stopped;
    private Task _loop = Task.CompletedTask;
    private volatile Task _step = Task.CompletedTask;
    private bool _isDisposed;

    /// <summary>Creates the keeper; the host starts it.</summary>
    protected Keeper(KeeperPlan plan, KeeperRegister keepers)
    {
        ArgumentNullException.ThrowIfNull(keepers);
        (Plan, Clock, _stopped) = (plan, keepers.Clock, _stopping.Token);
        Standing = keepers.Register(plan);
    }

    /// <summary>The keeper's standing, for a step that reports a success or failure before it ends.</summary>
    protected KeeperStanding Standing { get; }

    /// <summary>The keeper's name and times.</summary>
    protected KeeperPlan Plan { get; }

    /// <summary>The clock that the keeper uses.</summary>
    protected TimeProvider Clock { get; }

    /// <summary>Whether there is no work left, for the rest of the run.</summary>
    protected virtual bool IsDone => false;

    /// <summary>Whether the first step comes before the first pause.</summary>
    protected virtual bool StartsAtOnce => false;

    /// <summary>One step. It is cancelled when it takes too long and when the service stops.</summary>
    protected abstract Task StepAsync(CancellationToken cancellationToken);

    /// <summary>The pause between two steps that both succeed.</summary>
    protected virtual async Task WaitAsync(PeriodicTimer tick, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(tick);
        await tick.WaitForNextTickAsync(stopping);
    }

    /// <summary>The keeper's last work, after the loop has ended; left out while a step still hangs.</summary>
    protected virtual Task PartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public virtual Task StartAsync(CancellationToken cancellationToken)
    {
        var tick = new PeriodicTimer(Plan.Interval, Clock);
        // The loop must not inherit ambient state of the start, such as an activity.
        using (ExecutionContext.SuppressFlow()) _loop = Task.Run(() => LoopAsync(tick), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Ends within a few seconds, even if a step hangs. Never throws.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_stopped.IsCancellationRequested) await _stopping.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_loop, _step).WaitAsync(Grace, Clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_step.IsCompleted)
        {
            Standing.LeftBehind("its last step does not end");
            return;
        }

        var patience = Standing.IsDown ? PartingWhileDown : Parting;
        var parting = Task.Run(() => PartWithinAsync(patience), CancellationToken.None);
        await parting.WaitAsync(patience + Grace, Clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (parting.IsCompletedSuccessfully) return;
        Standing.LeftBehind(parting.Exception?.GetBaseException().GetType().Name ?? "it takes too long");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Stops the loop at once.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (_isDisposed || !disposing) return;
        _isDisposed = true;
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task LoopAsync(PeriodicTimer tick)
    {
        using var ticking = tick;
        var isDue = StartsAtOnce;
        while (!IsDone && !_stopped.IsCancellationRequested)
        {
            try
            {
                if (!isDue) await PauseAsync(tick);
                isDue = false;
                await RunStepAsync();
                Standing.Succeeded();
            }
            catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The rule for all loops: only the host's stop ends them, and every failure is counted.
            catch (Exception failure)
            {
                isDue = false;
                Standing.Failed(failure);
            }
#pragma warning restore CA1031
        }
    }

    private Task PauseAsync(PeriodicTimer tick) =>
        Standing.Failures > 0 ? Task.Delay(Plan.PauseAfter(Standing.Failures), Clock, _stopped) : WaitAsync(tick, _stopped);

    private async Task RunStepAsync()
    {
        // On a thread of its own, so that a step that blocks is noticed too.
        var step = _step = Task.Run(StepWithinLimitAsync, CancellationToken.None);
        var patience = Plan.Limit == Timeout.InfiniteTimeSpan ? Plan.Limit : Plan.Limit + Grace;
        try
        {
            await step.WaitAsync(patience, Clock, _stopped);
        }
        catch (TimeoutException late) when (!step.IsCompleted)
        {
            // The step ignores its cancellation. A second one beside it could do the same work twice.
            Standing.Failed(late);
            await step.WaitAsync(_stopped);
        }
    }

    private async Task StepWithinLimitAsync()
    {
        using var limit = new CancellationTokenSource(Plan.Limit, Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopped);
        try
        {
            await StepAsync(either.Token);
        }
        catch (OperationCanceledException cancelled) when (limit.IsCancellationRequested && !_stopped.IsCancellationRequested)
        {
            throw new TimeoutException($"The step did not end within {Plan.Limit}.", cancelled);
        }
    }

    private async Task PartWithinAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience, Clock);
        await PartAsync(limit.Token);
    }
}
