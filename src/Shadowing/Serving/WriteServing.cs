using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Serving;

/// <summary>
/// Answers writes that are to be compared, or that the candidate does: in a transaction of ours, and handed over once it is committed.
/// </summary>
internal sealed class WriteServing<TStore>(
    ServingContext context, AdmissionControl<TStore> admissions, CandidateServer<TStore> candidates, WriteServer<TStore> writes,
    ReadServing<TStore> untracked, ComparisonQueue<TStore> queue, CandidateFailures failures)
{
    /// <summary>The side that was admitted writes; nothing that is thrown leaves the request uncounted.</summary>
    public async Task<TResult> AnswerAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var admission = served.Admission;
        try
        {
            return await (admission.Side is Side.Candidate ? ByCandidateAsync(served) : ByControlAsync(served));
        }
        catch (Exception failure) when (!admission.HandedOver!.Value)
        {
            var elapsed = context.Clock.GetElapsedTime(admission.Arrived);
            context.Metrics.Served(served.Experiment, admission.Side, isFallback: false, elapsed, failure);
            queue.Skip(served, served.Caller.IsCancellationRequested ? SkipReason.Cancelled : SkipReason.SandboxUnavailable);
            throw;
        }
    }

    private async Task<TResult> ByControlAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var (experiment, request, admission, caller) = served;
        var started = context.Clock.GetTimestamp();
        var overhead = context.Clock.GetElapsedTime(admission.Arrived, started);
        var attempt = await writes.WriteAsync(experiment, request, Side.Control, caller);
        context.Budget.Charge(attempt.ImageTime);
        // In a transaction it is undone by what it gets over outside of one: it cannot be compared, and is done as it always was.
        if (attempt.Observation.Error is WriteUndoneException) return await UntrackedAsync(SkipReason.UnsafeWrite);
        // Nothing of it remains, and it fails through no fault of its own: done again where no statement is prepared, it does not fail.
        if (attempt.IsUndone && context.Judge.IsOutdated(attempt.Observation.Error))
            return await UntrackedAsync(SkipReason.SandboxUnavailable);

        var ended = context.Clock.GetTimestamp();
        queue.HandOver(served, attempt.Observation);
        var duration = context.Clock.GetElapsedTime(started, ended);
        context.Metrics.Served(experiment, Side.Control, isFallback: false, duration, attempt.Observation.Error);
        context.Metrics.Overhead(experiment, overhead + attempt.ImageTime + context.Clock.GetElapsedTime(ended));
        return Answer(attempt.Observation);

        Task<TResult> UntrackedAsync(SkipReason reason)
        {
            queue.Skip(served, reason);
            return untracked.ByControlAsync(served, isFallback: false);
        }
    }

    /// <summary>
    /// The candidate writes; the control does instead where the candidate failed, and it is certain that nothing of its write remains.
    /// </summary>
    private async Task<TResult> ByCandidateAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var (experiment, request, admission, caller) = served;
        var number = Begin(served);
        WriteAttempt<TResult>? attempt;
        try
        {
            attempt = await writes.TryAsync(
                experiment, request, new(Side.Candidate, admission.Skipped is null, candidates.DeadlineOf(admission.Operation)),
                () => admissions.MayServe(experiment, request, admission.Shape, context.Clock.GetTimestamp()), caller);
        }
        catch (RowsHeldException)
        {
            // It has not begun: the control waits for the rows as it always did, and nothing is learnt of the candidate.
            NotWritten();
            queue.Skip(served, SkipReason.SandboxUnavailable);
            return await untracked.ByControlAsync(served, isFallback: true);
        }
        catch
        {
            NotWritten();
            throw;
        }

        if (attempt is null)
        {
            NotWritten();
            return await InsteadAsync(served);
        }

        admission.Operation.LeaveWrite(number);
        return await EndAsync(served, attempt, number);

        void NotWritten()
        {
            context.Answers.Judged(number, "not_written");
            admission.Operation.LeaveWrite(number);
        }
    }

    /// <returns>The number of the write in the damage list.</returns>
    private long Begin<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var (experiment, request, admission, _) = served;
        var now = context.Clock.GetUtcNow();
        var (subject, user) = (context.Rules.SubjectOf(experiment, request), context.Rules.UserOf(experiment, request) ?? 0);
        var number = context.Answers.Began(
            new(0, now, experiment.Operation, admission.Shape.Shape, subject, user, admission.Fingerprint));
        admission.Operation.EnterWrite(new(number, now, admission.Shape.Shape, subject));
        return number;
    }

    /// <summary>It was taken from the users while it waited for the rows: the write is the control's, as if it came now.</summary>
    private Task<TResult> InsteadAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        Activity.Current?.SetTag("shadow.side", Side.Control.Wire());
        if (served.Admission.Skipped is null)
            return AnswerAsync(served with { Admission = served.Admission with { Side = Side.Control } });
        served.Admission.HandedOver!.Value = true;
        return untracked.ByControlAsync(served, isFallback: false);
    }

    private async Task<TResult> EndAsync<TRequest, TResult>(
        ServedRequest<TStore, TRequest, TResult> served, WriteAttempt<TResult> attempt, long number)
    {
        var (experiment, _, admission, _) = served;
        context.Budget.Charge(attempt.ImageTime);
        var observation = attempt.Observation;
        if (observation.Error is null)
        {
            context.Answers.Wrote(number, context.Rules.CreatedOf(experiment, observation.Value!));
            if (admission.Skipped is { } reason) context.Answers.Judged(number, "skipped:" + reason.Wire());
            queue.HandOver(served, observation, number);
            context.Metrics.Served(experiment, Side.Candidate, isFallback: false, observation.Duration, null);
            failures.Count(admission.Operation, failed: false);
            return observation.Value!;
        }

        queue.HandOver(served, observation);
        if (!attempt.IsUndone)
        {
            // It may be stored, or not: nobody may do it again, and the caller must know.
            context.Answers.Judged(number, "commit_unknown");
            context.Metrics.Served(experiment, Side.Candidate, isFallback: false, observation.Duration, observation.Error);
            failures.Count(admission.Operation, failed: !context.Judge.IsUnavailable(observation.Error));
            return Answer(observation);
        }

        context.Answers.Judged(number, "not_written");
        Activity.Current?.SetTag("shadow.fallback", true);
        var began = context.Clock.GetTimestamp();
        var value = await untracked.ByControlAsync(served, isFallback: true);
        // A failure that the control shares says nothing; it has been thrown by now.
        failures.Count(admission.Operation, failures.IsOwn(observation, context.Clock.GetElapsedTime(began)));
        return value;
    }

    private static TResult Answer<TResult>(Observation<TResult> observation)
    {
        if (observation.Error is { } error) ExceptionDispatchInfo.Throw(error);
        return observation.Value!;
    }
}
