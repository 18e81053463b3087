using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Serving;

/// <summary>One request's turn in the shadow.</summary>
internal abstract class ShadowRun
{
    public required OperationState Operation { get; init; }

    public required long EnqueuedAt { get; init; }

    /// <summary>How much memory it holds while it waits, about, in bytes; 0 for what its place alone bounds.</summary>
    public long Size { get; init; }

    /// <summary>Runs the shadow and says what came of it. Never throws.</summary>
    public abstract Task RunAsync(CancellationToken stopping);

    /// <summary>Ends the request uncompared.</summary>
    public abstract void Shed(SkipReason reason);
}

/// <summary>
/// Where the shadow runs: a bounded queue whose reader polls, so that handing a request over costs the caller one write; waits for moments
/// without served traffic, but never so long that an operation starves; and drains when the service stops.
/// </summary>
internal sealed partial class ShadowLane : IHostedService, IDisposable
{
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdlePoll = TimeSpan.FromMilliseconds(20);

    private readonly Channel<ShadowRun> _queue;
    private readonly ServedTraffic _served;
    private readonly SettingsInForce _settings;
    private readonly KeeperStanding _standing;
    private readonly int _capacity;
    private readonly TimeSpan _pollInterval;
    private readonly TimeProvider _clock;
    private readonly ILogger<ShadowLane> _logger;
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly PeriodicTimer[] _polls;
    private readonly CancellationToken _stopped;
    private Task[] _workers = [];
    private long _bytes;
    private bool _isDisposed;

    public ShadowLane(
        SettingsInForce settings, KeeperRegister keepers, ServedTraffic served, OperationStates operations, OperationMetrics metrics,
        TimeProvider clock, ILogger<ShadowLane> logger)
    {
        (_settings, _served, _clock, _logger) = (settings, served, clock, logger);
        var built = settings.Current;
        (_capacity, _pollInterval) = (built.QueueCapacity, built.PollInterval);
        _standing = keepers.Register(new("lane", _pollInterval, Timeout.InfiniteTimeSpan) { HoldsGate = true });
        _stopped = _stopping.Token;
        _queue = Channel.CreateBounded<ShadowRun>(new BoundedChannelOptions(_capacity)
        {
            SingleReader = built.Workers == 1,
            AllowSynchronousContinuations = false,
        });
        _polls = [.. Enumerable.Range(0, built.Workers).Select(_ => new PeriodicTimer(_pollInterval, clock))];
        metrics.ObserveLane(
            () => operations.All.Select(state =>
                new Measurement<int>((int)state.Tally.Queued, ShadowingMeter.Operation(state.Experiment.Operation))),
            () => operations.All.SelectMany(state => state.Breaker.States()));
        metrics.ObserveDetector(() => operations.All
            .Select(state => (state.Experiment, state.SelfTest.Read().IsAlive))
            .Where(state => state.IsAlive is not null)
            .Select(state => new Measurement<int>(state.IsAlive is true ? 1 : 0, ShadowingMeter.Operation(state.Experiment.Operation))));
    }

    /// <summary>Whether the lane has been told to stop: what comes now is counted as shut down.</summary>
    public bool IsStopping => _draining.IsCancellationRequested;

    /// <summary>Whether what came now would be shed.</summary>
    public bool IsFull => _queue.Reader.Count >= _capacity || Volatile.Read(ref _bytes) >= _settings.Current.QueueBytes;

    public bool TryWrite(ShadowRun run)
    {
        if (run.Size == 0) return _queue.Writer.TryWrite(run);
        if (Interlocked.Add(ref _bytes, run.Size) <= _settings.Current.QueueBytes && _queue.Writer.TryWrite(run)) return true;
        Interlocked.Add(ref _bytes, -run.Size);
        return false;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // The lane's flow must not inherit anything ambient, such as an activity or a request.
        using (ExecutionContext.SuppressFlow())
            _workers = [.. _polls.Select(poll => Task.Run(() => WorkAsync(poll), CancellationToken.None))];
        return Task.CompletedTask;
    }

    /// <summary>Goes on with what waits for as long as the settings and the host allow, then counts the rest.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _draining.CancelAsync();
        _queue.Writer.TryComplete();
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
        for (; TryRead(out var run); left++)
        {
            run.Operation.Tally.Started();
            run.Shed(SkipReason.Shutdown);
        }

        if (left > 0) LogLeft(left);
    }

    /// <summary>Ends the workers where they are: whoever wants them to drain stops the lane first.</summary>
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

    /// <param name="poll">Ticks until the lane stops; then waiting for it ends at once, and what is left is drained.</param>
    private async Task WorkAsync(PeriodicTimer poll)
    {
        var lastWork = _clock.GetTimestamp();
        while (!_stopping.IsCancellationRequested)
        {
            if (TryRead(out var run))
            {
                run.Operation.Tally.Started();
                Poll(poll, _pollInterval);
                await TryRunAsync(run, poll);
                lastWork = _clock.GetTimestamp();
            }
            else if (IsStopping)
            {
                return;
            }
            else
            {
                if (_clock.GetElapsedTime(lastWork) > IdleAfter) Poll(poll, IdlePoll);
                await poll.WaitForNextTickAsync();
            }
        }
    }

    private bool TryRead([NotNullWhen(true)] out ShadowRun? run)
    {
        if (!_queue.Reader.TryRead(out run)) return false;
        if (run.Size > 0) Interlocked.Add(ref _bytes, -run.Size);
        return true;
    }

    private void Poll(PeriodicTimer poll, TimeSpan interval)
    {
        if (interval < _pollInterval) interval = _pollInterval;
        try
        {
            if (poll.Period != interval) poll.Period = interval;
        }
        catch (ObjectDisposedException)
        {
            // The lane is being stopped; there is nothing left to wait for.
        }
    }

    /// <summary>A run never throws; should one do so all the same, the worker goes on with the next.</summary>
    private async Task TryRunAsync(ShadowRun run, PeriodicTimer poll)
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

    private async Task YieldThenRunAsync(ShadowRun run, PeriodicTimer poll)
    {
        while (_served.IsBusy && !IsStopping && !run.Operation.IsFloorDue(_settings.Current.FloorInterval))
        {
            if (_clock.GetElapsedTime(run.EnqueuedAt) > _settings.Current.YieldAfter)
            {
                run.Shed(SkipReason.Yielded);
                return;
            }

            await poll.WaitForNextTickAsync();
        }

        run.Operation.Started();
        await run.RunAsync(_stopped);
    }

    [LoggerMessage(20, LogLevel.Information, "Stopping: {Left} requests were left in the lane uncompared and are counted as shut down.")]
    private partial void LogLeft(int left);
}

/// <summary>How many served operations are running now: what the lane yields to.</summary>
internal sealed class ServedTraffic
{
    private int _running;

    public bool IsBusy => Volatile.Read(ref _running) > 0;

    public void Enter() => Interlocked.Increment(ref _running);

    public void Leave() => Interlocked.Decrement(ref _running);
}
