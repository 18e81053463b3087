using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Serving;

/// <summary>
/// Runs the shadow: a bounded queue whose readers poll, so that handing over a request costs the caller one write. It waits for moments
/// without served traffic, but never so long that an operation is not compared. It drains when the service stops.
/// </summary>
internal sealed partial class ShadowLane : IHostedService, IDisposable
{
    private readonly LaneQueue _queue;
    private readonly ServedTraffic _served;
    private readonly SettingsInForce _settings;
    private readonly KeeperStanding _standing;
    private readonly TimeProvider _clock;
    private readonly ILogger<ShadowLane> _logger;
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly LaneTimer[] _polls;
    private readonly CancellationToken _stopped;
    private Task[] _workers = [];
    private bool _isDisposed;

    public ShadowLane(
        SettingsInForce settings, KeeperRegister keepers, ServedTraffic served, TimeProvider clock, ILogger<ShadowLane> logger)
    {
        (_settings, _served, _clock, _logger) = (settings, served, clock, logger);
        (_queue, _stopped) = (new(settings), _stopping.Token);
        var interval = settings.Current.PollInterval;
        _standing = keepers.Register(new("lane", interval, Timeout.InfiniteTimeSpan) { HoldsGate = true });
        _polls = [.. Enumerable.Range(0, settings.Current.Workers).Select(_ => new LaneTimer(interval, clock))];
    }

    /// <summary>Whether the lane has been told to stop: requests that come now are counted as shut down.</summary>
    public bool IsStopping => _draining.IsCancellationRequested;

    /// <summary>The waiting requests.</summary>
    public LaneQueue Queue => _queue;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // The lane's flow must not inherit anything ambient, such as an activity or a request.
        using (ExecutionContext.SuppressFlow())
            _workers = [.. _polls.Select(poll => Task.Run(() => WorkAsync(poll), CancellationToken.None))];
        return Task.CompletedTask;
    }

    /// <summary>Runs what waits until the drain timeout or the host's limit, then counts the rest as shut down.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _draining.CancelAsync();
        _queue.Complete();
        foreach (var poll in _polls) poll.Dispose();
        try
        {
            await Task.WhenAll(_workers).WaitAsync(_settings.Current.DrainTimeout, _clock, cancellationToken);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            await _stopping.CancelAsync();
            await Task.WhenAll(_workers).WaitAsync(_settings.Current.CancelGrace + _settings.Current.CancelGrace, _clock,
                CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var left = 0;
        for (; _queue.TryRead(out var run); left++)
        {
            run.Operation.Tally.Started();
            run.Shed(SkipReason.Shutdown);
        }

        if (left > 0) LogLeft(left);
    }

    /// <summary>Stops the workers at once. To let them drain, stop the lane first.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _draining.Cancel();
        _stopping.Cancel();
        foreach (var poll in _polls) poll.Dispose();
        _draining.Dispose();
        _stopping.Dispose();
    }

    private async Task WorkAsync(LaneTimer poll)
    {
        while (!_stopping.IsCancellationRequested)
        {
            if (_queue.TryRead(out var run))
            {
                run.Operation.Tally.Started();
                poll.Worked();
                await TryRunAsync(run, poll);
                poll.Worked();
            }
            else if (IsStopping)
            {
                return;
            }
            else
            {
                await poll.WaitIdleAsync();
            }
        }
    }

    /// <summary>A run should never throw; if one does, the worker goes on with the next.</summary>
    private async Task TryRunAsync(ShadowRun run, LaneTimer poll)
    {
        try
        {
            await YieldThenRunAsync(run, poll);
            _standing.Succeeded();
        }
#pragma warning disable CA1031 // Counted and logged as for every keeper: a worker that ends would end shadowing.
        catch (Exception failure)
        {
            _standing.Failed(failure);
        }
#pragma warning restore CA1031
    }

    private async Task YieldThenRunAsync(ShadowRun run, LaneTimer poll)
    {
        while (_served.IsBusy && !IsStopping && !run.Operation.IsFloorDue(_settings.Current.FloorInterval))
        {
            if (_clock.GetElapsedTime(run.EnqueuedAt) > _settings.Current.YieldAfter)
            {
                run.Shed(SkipReason.Yielded);
                return;
            }

            await poll.WaitAsync();
        }

        run.Operation.Started();
        await run.RunAsync(_stopped);
    }

    [LoggerMessage(20, LogLevel.Information, "Stopping: {Left} requests were left in the lane uncompared and are counted as shut down.")]
    private partial void LogLeft(int left);
}
