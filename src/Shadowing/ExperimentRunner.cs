using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Shadowing.Hosting;
using Shadowing.Comparison;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Rollout;
using Shadowing.Sampling;
using Shadowing.SelfTesting;
using Shadowing.Writing;

namespace Shadowing;

/// <summary>Answers requests with the served side, on the caller's own flow, and hands them to the lane to be compared.</summary>
/// <remarks>
/// The caller gets exactly what the served side gave, exception and stack included; nothing that happens in the shadow reaches the caller.
/// </remarks>
/// <typeparam name="TStore">What both sides implement.</typeparam>
public sealed partial class ExperimentRunner<TStore>
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
    private readonly CandidateServer<TStore> _server;
    private readonly WriteObserver<TStore> _sandbox;
    private readonly WriteServer<TStore> _writes;
    private readonly ServedJournal _journal;
    private readonly EvidenceLedger _ledger;
    private readonly DatabaseTimeBudget _budget;
    private readonly TimeProvider _clock;

    internal ExperimentRunner(
        OpenStore<TStore> open, OpenSnapshot<TStore> openSnapshot, IWriteStage<TStore>? stage, OperationStates operations,
        ShadowingControl control, ShadowLane lane,
        ServedTraffic served, BoundedObserver observer, PairJudge judge, PositionWatch positions, SnapshotHorizon horizon,
        ShadowingMetrics metrics,
        ComparisonRecorder recorder,
        ServedJournal journal, EvidenceLedger ledger, DatabaseTimeBudget budget, SettingsInForce settings, TimeProvider clock,
        ILoggerFactory loggers)
    {
        (_open, _operations, _control, _lane, _served, _observer, _judge) = (open, operations, control, lane, served, observer, judge);
        (_horizon, Metrics, Recorder, _clock) = (horizon, metrics, recorder, clock);
        (_server, _journal, _ledger, _budget) = (new(open, observer, settings, clock), journal, ledger, budget);
        (_sandbox, _writes) = (new(stage, observer, clock), new(stage, settings, clock, loggers.CreateLogger<WriteServer<TStore>>()));
        _confirmer = new(openSnapshot, judge, observer, positions, settings, clock);
        Timer = new(settings);
        SelfTest = new(judge, _confirmer, metrics, settings, clock, loggers.CreateLogger<SelfTest<TStore>>());
    }

    internal ShadowingMetrics Metrics { get; }

    internal ComparisonRecorder Recorder { get; }

    internal SelfTest<TStore> SelfTest { get; }

    internal PairTimer Timer { get; }

    internal WriteObserver<TStore> Sandbox => _sandbox;

    /// <summary>Answers a request.</summary>
    /// <returns>What the served side answered; its exception passes unchanged.</returns>
    public async Task<TResult> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        var arrived = _clock.GetTimestamp();
        var turn = Admit(experiment, request, arrived);
        _served.Enter();
        try
        {
            if (turn.HandedOver is not null) return await ServeWriteAsync(experiment, request, turn, arrived, cancellationToken);
            return turn.Side is Side.Candidate
                ? await ServeCandidateAsync(experiment, request, turn, arrived, cancellationToken)
                : await ServeControlAsync(experiment, request, turn, arrived, isFallback: false, cancellationToken);
        }
        finally
        {
            _served.Leave();
        }
    }

    private async Task<TResult> ServeControlAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, long arrived, bool isFallback,
        CancellationToken cancellationToken)
    {
        // Of a fallback the comparison has the candidate's side already, and the lane brings the control's.
        var isCompared = !isFallback && !experiment.Writes && turn.Skipped is null;
        var ledger = isCompared ? StatementLedger.Open() : null;
        var started = _clock.GetTimestamp();
        var overhead = _clock.GetElapsedTime(arrived, started);
        Observation<TResult>? observation = null;
        try
        {
            await using var lease = await _open(Side.Control, Position.Served, experiment.Writes, cancellationToken);
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
            if (isCompared) HandOver(experiment, request, turn, observation);
            Metrics.Served(experiment, Side.Control, isFallback, _clock.GetElapsedTime(started, ended), observation?.Error);
            if (!isFallback) Metrics.Overhead(experiment, overhead + _clock.GetElapsedTime(ended));
        }
    }

    /// <summary>The candidate answers; if it fails, or takes longer than users are used to, the control does.</summary>
    private async Task<TResult> ServeCandidateAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, long arrived, CancellationToken cancellationToken)
    {
        var operation = turn.Operation;
        operation.EnterServed();
        try
        {
            var attempt = await AskCandidateAsync(experiment, request, turn, cancellationToken);
            if (attempt.InTime is { Error: null } answer)
            {
                var number = _journal.Answered(
                    _clock.GetUtcNow(), experiment.Operation, turn.Shape.Shape, Ask(experiment.SubjectOf, request, null),
                    Ask(experiment.UserOf, request, 0), turn.Fingerprint);
                HandOver(experiment, request, turn, answer, number);
                if (turn.Skipped is { } reason) _journal.Judged(number, "skipped:" + reason.Wire());
                Metrics.Served(experiment, Side.Candidate, isFallback: false, answer.Duration, null);
                Count(operation, failed: false);
                return answer.Value!;
            }

            if (attempt.InTime is { } failed) HandOver(experiment, request, turn, failed);
            else HandOverLate(experiment, request, turn, attempt.Eventually);
            Activity.Current?.SetTag("shadow.fallback", true);
            var began = _clock.GetTimestamp();
            var value = await ServeControlAsync(experiment, request, turn, arrived, isFallback: true, cancellationToken);
            // A failure that the control shares says nothing; it has been thrown by now. Late is not failed: what becomes of it is still to
            // be seen.
            var control = _clock.GetElapsedTime(began);
            if (attempt.InTime is { } inTime) Count(operation, IsCandidatesFailure(inTime, control));
            else _ = attempt.Eventually.ContinueWith(
                late => Count(operation, IsCandidatesFailure(late.Result, control)), CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            return value;
        }
        finally
        {
            operation.LeaveServed();
        }
    }

    private async Task<ServedAttempt<TResult>> AskCandidateAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, CancellationToken cancellationToken)
    {
        var asked = _clock.GetTimestamp();
        try
        {
            var attempt = await _server.AskAsync(experiment, request, _server.DeadlineOf(turn.Operation), cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            return attempt;
        }
        catch (Exception failure)
        {
            // The user gave up, or the position's database cannot be had: the control would meet the same, so the user sees it as it came.
            var hasGivenUp = cancellationToken.IsCancellationRequested;
            Skip(experiment, turn, hasGivenUp ? SkipReason.Cancelled : SkipReason.Unavailable);
            if (!hasGivenUp) Metrics.Served(experiment, Side.Candidate, isFallback: false, _clock.GetElapsedTime(asked), failure);
            throw;
        }
    }

    /// <summary>Queues a candidate's run that the user did not wait for, once it has ended; until then it is in flight.</summary>
    private void HandOverLate<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, Task<Observation<TResult>> eventually)
    {
        if (turn.Skipped is not null) return;
        turn.Operation.Tally.IsLate();
        _ = eventually.ContinueWith(
            late => HandOver(experiment, request, turn, late.Result, isLate: true), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>
    /// Whether a failure of the candidate, where the control answered in its place, is the candidate's own: not where the database was not
    /// there, nor where the control was as slow at that moment.
    /// </summary>
    /// <param name="control">How long the control took.</param>
    private bool IsCandidatesFailure<TResult>(Observation<TResult> candidate, TimeSpan control) =>
        candidate.Error is { } error && !_judge.IsUnavailable(error)
            && (error is not ShadowTimeoutException || control < candidate.Duration);

    private void Count(OperationState operation, bool failed)
    {
        operation.Evidence.Served(failed);
        if (operation.Failures.Add(_clock.GetUtcNow(), failed) is { } trip)
            _control.RollBack(operation.Experiment.Operation, RollbackRules.Excess(Plain.Label(operation.Experiment.Operation), trip).Text);
    }

    /// <summary>How a side is asked where nobody notices: in the shadow position, a write in a sandbox.</summary>
    /// <param name="written">What the served side's write did; null for a read.</param>
    internal Func<Side, Task<Observation<TResult>>> Shadow<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, WrittenRows? written, CancellationToken stopping) =>
        !experiment.Writes
            ? side => _observer.ObserveAsync(
                token => _open(side, Position.Shadow, experiment.Writes, token),
                (store, token) => experiment.RunAsync(store, request, token), stopping)
            : side => _sandbox.ObserveAsync(experiment, request, side, written!, stopping);

    /// <summary>Runs the side that does not answer.</summary>
    /// <param name="served">The failure of the side that did; what the candidate shares with it speaks for the candidate.</param>
    /// <returns>What it did, or why it was not run.</returns>
    internal async Task<(Observation<TResult> Shadow, SkipReason? Refused)> ObserveShadowAsync<TResult>(
        OperationState operation, Side side, Func<Side, Task<Observation<TResult>>> ask, Exception? served, CancellationToken stopping)
    {
        if (!_control.Switch.IsOn) return (null!, SkipReason.Off);
        if (_observer.IsExhausted) return (null!, SkipReason.BreakerOpen);
        Observation<TResult>? shadow = null;
        var tried = true;
        if (side is Side.Candidate) tried = await operation.Breaker.TryAsync(ObserveAsync);
        else await ObserveAsync();
        stopping.ThrowIfCancellationRequested();
        if (shadow?.Error is ShadowUnavailableException { InnerException: SandboxUnsafeException })
            return (shadow, SkipReason.SandboxUnavailable);
        return (shadow!, tried ? null : SkipReason.BreakerOpen);

        async Task<Exception?> ObserveAsync()
        {
            shadow = await ask(side);
            return stopping.IsCancellationRequested || (served is not null && _judge.ErrorType(served) == _judge.ErrorType(shadow.Error))
                ? null : shadow.Error;
        }
    }

    /// <summary>
    /// What was wrong is wrong for users too, where this build serves them: it is taken from them at once. What a build does that is not
    /// nominated says nothing of the one that is.
    /// </summary>
    internal void Wrong(Experiment experiment, Outcome outcome, Signature? signature, bool isCritical)
    {
        if (_control.StandingOf(experiment).State?.Nominated != _ledger.Fingerprint) return;
        var what = (isCritical ? "critical " : "") + outcome.Wire().Replace('_', ' ');
        _control.RollBack(experiment.Operation, $"{what} confirmed while the candidate serves, signature {signature?.Id ?? "none"}");
    }

    internal void JudgedServed(long number, string verdict) => _journal.Judged(number, verdict);

    /// <summary>Says how the comparison ends: at once where the sides agree or nothing can be said, else by confirming.</summary>
    /// <returns>The verdict, and how the two observations differed as they were made.</returns>
    internal async Task<(Verdict Verdict, IReadOnlyList<Difference> Live)> JudgeAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate,
        Side served, string? horizon, Func<Side, Task<Observation<TResult>>> ask, CancellationToken stopping)
    {
        var errorType = _judge.ErrorType(candidate.Error);
        if (_judge.IsUnavailable(control.Error))
        {
            return served is Side.Control ? (new(Outcome.ControlError, ErrorType: errorType), [])
                : (new(Outcome.Incomparable, IncomparableReason.ShadowUnavailable, ErrorType: errorType), []);
        }

        if (_judge.IsUnavailable(candidate.Error))
            return (new(Outcome.Incomparable, IncomparableReason.ShadowUnavailable, ErrorType: errorType), []);
        // What the control refused may not be stored by the candidate: of a write, a refusal is an answer.
        if (control.Error is not null && candidate.Error is null && !experiment.Writes) return (new(Outcome.ControlError), []);

        var pair = _judge.Compare(experiment, request, control, candidate);
        if (pair.Incomparable is { } reason) return (new(Outcome.Incomparable, reason), []);
        if (pair.IsSame)
            return (pair.Tolerated.Count == 0 ? new(Outcome.Match) : new(Outcome.Tolerated, Tolerated: pair.Tolerated.First()), []);

        var (found, verdict) = await _confirmer.ConfirmAsync(experiment, request, control, candidate, pair, served, horizon, ask, stopping);
        stopping.ThrowIfCancellationRequested();
        Metrics.Confirmation(experiment, found);
        return (verdict with { ErrorType = verdict.ErrorType ?? errorType }, pair.Differences);
    }
}
