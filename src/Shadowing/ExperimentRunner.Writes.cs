using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Shadowing.Writing;

namespace Shadowing;

/// <summary>
/// Writes that are to be compared, or that the candidate does: in a transaction of ours, and handed over once it is committed.
/// </summary>
public sealed partial class ExperimentRunner<TStore>
{
    private async Task<TResult> ServeWriteAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, long arrived, CancellationToken cancellationToken)
    {
        try
        {
            return turn.Side is Side.Candidate
                ? await WriteWithCandidateAsync(experiment, request, turn, arrived, cancellationToken)
                : await WriteWithControlAsync(experiment, request, turn, arrived, cancellationToken);
        }
        catch (Exception failure) when (!turn.HandedOver!.Value)
        {
            Metrics.Served(experiment, turn.Side, isFallback: false, _clock.GetElapsedTime(arrived), failure);
            Skip(experiment, turn, cancellationToken.IsCancellationRequested ? SkipReason.Cancelled : SkipReason.SandboxUnavailable);
            throw;
        }
    }

    private async Task<TResult> WriteWithControlAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, long arrived, CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        var overhead = _clock.GetElapsedTime(arrived, started);
        var attempt = await _writes.WriteAsync(experiment, request, Side.Control, cancellationToken);
        _budget.Charge(attempt.ImageTime);
        if (attempt.Observation.Error is WriteUndoneException)
        {
            // In a transaction it is undone by what it gets over outside of one: it cannot be compared, and is done as it always was.
            Skip(experiment, turn, SkipReason.UnsafeWrite);
            return await ServeControlAsync(experiment, request, turn, arrived, isFallback: false, cancellationToken);
        }

        if (attempt.IsUndone && _judge.IsOutdated(attempt.Observation.Error))
        {
            // Nothing of it remains, and it fails through no fault of its own: done again where no statement is prepared, it does not fail.
            Skip(experiment, turn, SkipReason.SandboxUnavailable);
            return await ServeControlAsync(experiment, request, turn, arrived, isFallback: false, cancellationToken);
        }

        var ended = _clock.GetTimestamp();
        HandOver(experiment, request, turn, attempt.Observation);
        Metrics.Served(experiment, Side.Control, isFallback: false, _clock.GetElapsedTime(started, ended), attempt.Observation.Error);
        Metrics.Overhead(experiment, overhead + attempt.ImageTime + _clock.GetElapsedTime(ended));
        return Answer(attempt.Observation);
    }

    /// <summary>
    /// The candidate writes; the control does instead where the candidate failed, and it is certain that nothing of its write remains.
    /// </summary>
    private async Task<TResult> WriteWithCandidateAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, long arrived, CancellationToken cancellationToken)
    {
        var operation = turn.Operation;
        var number = _journal.Began(
            _clock.GetUtcNow(), experiment.Operation, turn.Shape.Shape, Ask(experiment.SubjectOf, request, null),
            Ask(experiment.UserOf, request, 0),
            turn.Fingerprint);
        operation.EnterWrite(new(number, _clock.GetUtcNow(), turn.Shape.Shape, Ask(experiment.SubjectOf, request, null)));
        WriteAttempt<TResult>? attempt;
        try
        {
            attempt = await _writes.TryAsync(
                experiment, request, Side.Candidate, withImages: turn.Skipped is null, _server.DeadlineOf(operation),
                () => MayServe(experiment, request, turn.Shape, _clock.GetTimestamp()), cancellationToken);
        }
        catch (RowsHeldException)
        {
            // It has not begun: the control waits for the rows as it always did, and nothing is learnt of the candidate.
            _journal.Judged(number, "not_written");
            operation.LeaveWrite(number);
            Skip(experiment, turn, SkipReason.SandboxUnavailable);
            return await ServeControlAsync(experiment, request, turn, arrived, isFallback: true, cancellationToken);
        }
        catch
        {
            _journal.Judged(number, "not_written");
            operation.LeaveWrite(number);
            throw;
        }

        operation.LeaveWrite(number);
        if (attempt is null)
        {
            // It was taken from the users while it waited for the rows: the write is the control's, as if it came now.
            _journal.Judged(number, "not_written");
            Activity.Current?.SetTag("shadow.side", Side.Control.Wire());
            if (turn.Skipped is null)
                return await ServeWriteAsync(experiment, request, turn with { Side = Side.Control }, arrived, cancellationToken);
            turn.HandedOver!.Value = true;
            return await ServeControlAsync(experiment, request, turn, arrived, isFallback: false, cancellationToken);
        }

        _budget.Charge(attempt.ImageTime);
        var observation = attempt.Observation;
        if (observation.Error is null)
        {
            _journal.Wrote(number, Ask(experiment.CreatedOf, observation.Value!, null));
            if (turn.Skipped is { } reason) _journal.Judged(number, "skipped:" + reason.Wire());
            HandOver(experiment, request, turn, observation, number);
            Metrics.Served(experiment, Side.Candidate, isFallback: false, observation.Duration, null);
            Count(operation, failed: false);
            return observation.Value!;
        }

        HandOver(experiment, request, turn, observation);
        if (!attempt.IsUndone)
        {
            // It may be stored, or not: nobody may do it again, and the caller must know.
            _journal.Judged(number, "commit_unknown");
            Metrics.Served(experiment, Side.Candidate, isFallback: false, observation.Duration, observation.Error);
            Count(operation, failed: !_judge.IsUnavailable(observation.Error));
            return Answer(observation);
        }

        _journal.Judged(number, "not_written");
        Activity.Current?.SetTag("shadow.fallback", true);
        var began = _clock.GetTimestamp();
        var value = await ServeControlAsync(experiment, request, turn, arrived, isFallback: true, cancellationToken);
        // A failure that the control shares says nothing; it has been thrown by now.
        Count(operation, IsCandidatesFailure(observation, _clock.GetElapsedTime(began)));
        return value;
    }

    private static TResult Answer<TResult>(Observation<TResult> observation)
    {
        if (observation.Error is { } error) ExceptionDispatchInfo.Throw(error);
        return observation.Value!;
    }
}
