using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ShadowTicketing.Shadowing.Comparison;
using ShadowTicketing.Shadowing.Evidence;
using ShadowTicketing.Shadowing.Journal;
using ShadowTicketing.Shadowing.SelfTesting;

namespace ShadowTicketing.Shadowing;

/// <summary>Answers requests with the served side, on the caller's own flow, and hands them to the lane to be compared.</summary>
/// <remarks>
/// The caller gets exactly what the served side gave, exception and stack included; nothing that happens in the shadow reaches the caller.
/// </remarks>
/// <typeparam name="TStore">What both sides implement.</typeparam>
public sealed class ExperimentRunner<TStore>
{
    private readonly OpenStore<TStore> _open;
    private readonly OperationStates _operations;
    private readonly ShadowingControl _control;
    private readonly ShadowLane _lane;
    private readonly ServedTraffic _served;
    private readonly BoundedObserver _observer;
    private readonly PairJudge _judge;
    private readonly Confirmer<TStore> _confirmer;
    private readonly SnapshotHorizon _horizon;
    private readonly TimeProvider _clock;

    internal ExperimentRunner(
        OpenStore<TStore> open, OpenSnapshot<TStore> openSnapshot, OperationStates operations, ShadowingControl control, ShadowLane lane,
        ServedTraffic served, BoundedObserver observer, PairJudge judge, SnapshotHorizon horizon, ShadowingMetrics metrics, ComparisonRecorder recorder,
        IOptions<ShadowingOptions> options, TimeProvider clock, ILoggerFactory loggers)
    {
        (_open, _operations, _control, _lane, _served, _observer, _judge) = (open, operations, control, lane, served, observer, judge);
        (_horizon, Metrics, Recorder, _clock) = (horizon, metrics, recorder, clock);
        _confirmer = new(open, openSnapshot, judge, observer, options, clock);
        Timer = new(open, observer, options);
        SelfTest = new(open, observer, judge, _confirmer, metrics, options, clock, loggers.CreateLogger<SelfTest<TStore>>());
    }

    internal ShadowingMetrics Metrics { get; }

    internal ComparisonRecorder Recorder { get; }

    internal SelfTest<TStore> SelfTest { get; }

    internal PairTimer<TStore> Timer { get; }

    /// <summary>Answers a request.</summary>
    /// <returns>What the served side answered; its exception passes unchanged.</returns>
    public async Task<TResult> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        var arrived = _clock.GetTimestamp();
        var comparison = Admit(experiment, request, arrived);
        var ledger = comparison is null ? null : StatementLedger.Open();
        _served.Enter();
        var started = _clock.GetTimestamp();
        var overhead = _clock.GetElapsedTime(arrived, started);
        Observation<TResult>? observation = null;
        try
        {
            await using var lease = await _open(Side.Control, Position.Served, cancellationToken);
            started = _clock.GetTimestamp();
            var result = await experiment.RunAsync(lease.Store, request, cancellationToken);
            observation = new(result, null, _clock.GetElapsedTime(started), ledger!);
            return result;
        }
        catch (Exception error)
        {
            if (!cancellationToken.IsCancellationRequested) observation = new(default, error, _clock.GetElapsedTime(started), ledger!);
            throw;
        }
        finally
        {
            var ended = _clock.GetTimestamp();
            _served.Leave();
            comparison?.Served(observation);
            Metrics.Served(experiment, Side.Control, _clock.GetElapsedTime(started, ended), observation?.Error);
            Metrics.Overhead(experiment, overhead + _clock.GetElapsedTime(ended));
        }
    }

    /// <summary>Counts the request, and queues it if it is to be compared. Everything the caller pays for before its own work is here.</summary>
    private ComparisonRun<TStore, TRequest, TResult>? Admit<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, long arrived)
    {
        Metrics.Request(experiment);
        var operation = _operations.Of(experiment);
        var shape = operation.Evidence.Of(ShapeOf(experiment, request));
        operation.Evidence.Arrived(shape);
        if (ReasonToSkip(experiment) is { } reason)
        {
            operation.Tally.Skipped(reason);
            Metrics.Skip(experiment, reason);
            return null;
        }

        var comparison = new ComparisonRun<TStore, TRequest, TResult>(this, experiment, request)
        {
            Operation = operation,
            Shape = shape,
            EnqueuedAt = arrived,
            Horizon = _horizon.Latest,
            Caller = Activity.Current?.Context ?? default,
        };
        if (operation.Tally.Enqueue(_lane, comparison)) return comparison;
        Metrics.Skip(experiment, SkipReason.QueueFull);
        shape.Shed();
        return null;
    }

    /// <summary>The application's own code: it must not fail the request, and what it cannot name is never proven.</summary>
    private static string ShapeOf<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request)
    {
        try
        {
            return experiment.Shape(request);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception)
        {
            return OperationLedger.OtherShape;
        }
#pragma warning restore CA1031
    }

    private SkipReason? ReasonToSkip(Experiment experiment)
    {
        var route = _control.Routes[experiment.Operation];
        if (!_control.Switch.IsOn || !route.Shadowed) return SkipReason.Off;
        if (experiment.Writes) return SkipReason.UnsafeWrite;
        if (_lane.IsStopping) return SkipReason.Shutdown;
        if (_control.IsShortOfMemory) return SkipReason.Memory;
#pragma warning disable CA5394 // Sampling needs no secret.
        return route.SamplePercent < 100 && Random.Shared.NextDouble() * 100 >= route.SamplePercent ? SkipReason.NotSampled : null;
#pragma warning restore CA5394
    }

    /// <summary>Runs the candidate in the shadow position.</summary>
    /// <returns>What it did, or why it was not run.</returns>
    internal async Task<(Observation<TResult> Candidate, SkipReason? Refused)> ObserveCandidateAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, OperationState operation, CancellationToken stopping)
    {
        if (!_control.Switch.IsOn) return (null!, SkipReason.Off);
        if (_observer.IsExhausted) return (null!, SkipReason.BreakerOpen);
        Observation<TResult>? candidate = null;
        var tried = await operation.Breaker.TryAsync(async () =>
        {
            candidate = await _observer.ObserveAsync(
                token => _open(Side.Candidate, Position.Shadow, token),
                (store, token) => experiment.RunAsync(store, request, token),
                stopping);
            return stopping.IsCancellationRequested ? null : candidate.Error;
        });
        stopping.ThrowIfCancellationRequested();
        return (candidate!, tried ? null : SkipReason.BreakerOpen);
    }

    /// <summary>Says how the comparison ends: at once where the sides agree or nothing can be said, else by confirming.</summary>
    /// <returns>The verdict, and how the two observations differed as they were made.</returns>
    internal async Task<(Verdict Verdict, IReadOnlyList<Difference> Live)> JudgeAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate,
        string? horizon, CancellationToken stopping)
    {
        var errorType = _judge.ErrorType(candidate.Error);
        if (_judge.IsUnavailable(control.Error)) return (new(Outcome.ControlError, ErrorType: errorType), []);
        if (_judge.IsUnavailable(candidate.Error))
            return (new(Outcome.Incomparable, IncomparableReason.ShadowUnavailable, ErrorType: errorType), []);
        if (control.Error is not null && candidate.Error is null) return (new(Outcome.ControlError), []);

        var pair = _judge.Compare(experiment, request, control, candidate);
        if (pair.Incomparable is { } reason) return (new(Outcome.Incomparable, reason), []);
        if (pair.IsSame)
            return (pair.Tolerated.Count == 0 ? new(Outcome.Match) : new(Outcome.Tolerated, Tolerated: pair.Tolerated.First()), []);

        var (found, verdict) = await _confirmer.ConfirmAsync(experiment, request, control, candidate, pair, horizon, stopping);
        stopping.ThrowIfCancellationRequested();
        Metrics.Confirmation(experiment, found);
        return (verdict with { ErrorType = verdict.ErrorType ?? errorType }, pair.Differences);
    }
}
