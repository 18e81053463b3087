using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Serving;

/// <summary>
/// Answers writes that are compared, or that the candidate does: in a transaction of shadowing's own, handed over once it is committed.
/// </summary>
internal sealed class WriteServing<TStore>(
    ServingContext context, AdmissionControl<TStore> admissions, CandidateServer<TStore> candidates, WriteServer<TStore> writes,
    ReadServing<TStore> untracked, ComparisonQueue<TStore> queue, CandidateFailures failures)
{
    /// <summary>The admitted side writes. The request is counted, even if an exception is thrown.</summary>
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
            Due(admission, elapsed);
            context.Served(admission, admission.Side, isFallback: false, elapsed, failure);
            queue.Skip(served, served.Caller.IsCancellationRequested ? SkipReason.Cancelled : SkipReason.SandboxUnavailable);
            throw;
        }
    }

    private async Task<TResult> ByControlAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var (experiment, request, admission, caller) = served;
        var started = context.Clock.GetTimestamp();
        var overhead = context.Clock.GetElapsedTime(admission.Arrived, started);
        var attempt = await writes.WriteAsync(
            experiment, request, new(Side.Control, WithImages: true, Timeout.InfiniteTimeSpan, served.Scope), caller);
        context.Budget.Charge(attempt.ImageTime);
        // The write goes on after a failed statement, which only works without a transaction. It cannot be compared, and runs without one.
        if (attempt.Observation.Error is WriteUndoneException) return await UntrackedAsync(SkipReason.UnsafeWrite);
        // Nothing of it remains, and a prepared statement was outdated. It runs again on a connection that prepares none.
        if (attempt.IsUndone && context.Judge.IsOutdated(attempt.Observation.Error))
            return await UntrackedAsync(SkipReason.SandboxUnavailable);

        var ended = context.Clock.GetTimestamp();
        Due(admission, attempt.Observation.Duration);
        HandOver(served, attempt, number: null);
        var duration = context.Clock.GetElapsedTime(started, ended);
        context.Served(admission, Side.Control, isFallback: false, duration, attempt.Observation.Error);
        context.Overhead(admission, overhead + attempt.ImageTime + context.Clock.GetElapsedTime(ended));
        return Answer(attempt.Observation);

        Task<TResult> UntrackedAsync(SkipReason reason)
        {
            queue.Skip(served, reason);
            return untracked.ByControlAsync(served, isFallback: false);
        }
    }

    /// <summary>
    /// The candidate writes. If it fails, and it is certain that nothing of its write remains, the control writes instead.
    /// </summary>
    private async Task<TResult> ByCandidateAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var (experiment, request, admission, caller) = served;
        var number = Begin(served);
        WriteAttempt<TResult>? attempt;
        try
        {
            attempt = await writes.TryAsync(
                experiment, request,
                new(Side.Candidate, admission.Skipped is null,
                    writes.CanUndo ? candidates.DeadlineOf(admission.Operation) : Timeout.InfiniteTimeSpan, served.Scope),
                () => admissions.MayServe(experiment, request, admission.Shape, context.Clock.GetTimestamp()), caller);
        }
        catch (RowsHeldException)
        {
            // The candidate has not begun. The control waits for the rows as it does without shadowing, and nothing is known of the
            // candidate.
            NotWritten();
            queue.Skip(served, SkipReason.SandboxUnavailable);
            return await untracked.ByControlAsync(served, isFallback: true);
        }
        catch
        {
            // The caller gave up. What is in a transaction of ours was not committed; elsewhere the side may go on and commit.
            NotWritten(writes.CanUndo ? "not_written" : "commit_unknown");
            throw;
        }

        if (attempt is null)
        {
            NotWritten();
            return await InsteadAsync(served);
        }

        admission.Operation.LeaveWrite(number);
        return await EndAsync(served, attempt, number);

        void NotWritten(string verdict = "not_written")
        {
            context.Answers.Judged(number, verdict);
            admission.Operation.LeaveWrite(number);
        }
    }

    /// <returns>The number of the write in the served log.</returns>
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

    /// <summary>A rollback came while the candidate waited for the rows: the control writes, as if the request came now.</summary>
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
        Due(admission, observation.Duration);
        if (observation.Error is null)
        {
            context.Answers.Wrote(number, context.Rules.CreatedOf(experiment, observation.Value!));
            if (admission.Skipped is { } reason) context.Answers.Judged(number, "skipped:" + reason.Wire());
            HandOver(served, attempt, number);
            context.Served(admission, Side.Candidate, isFallback: false, observation.Duration, null);
            failures.Count(admission.Operation, failed: false);
            return observation.Value!;
        }

        HandOver(served, attempt, number: null);
        if (!attempt.IsUndone)
        {
            // The write may be stored or not. So neither side may repeat it, and the caller gets the failure.
            context.Answers.Judged(number, "commit_unknown");
            context.Served(admission, Side.Candidate, isFallback: false, observation.Duration, observation.Error);
            failures.Count(admission.Operation, failed: !context.Judge.IsUnavailable(observation.Error));
            return Answer(observation);
        }

        context.Answers.Judged(number, "not_written");
        Activity.Current?.SetTag("shadow.fallback", true);
        var began = context.Clock.GetTimestamp();
        var value = await untracked.ByControlAsync(served, isFallback: true);
        // A failure that the control shares has been thrown by now, and does not count against the candidate.
        failures.Count(admission.Operation, failures.IsOwn(observation, context.Clock.GetElapsedTime(began)));
        return value;
    }

    private void HandOver<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served, WriteAttempt<TResult> attempt, long? number)
    {
        if (attempt.Later is { } later) queue.HandOverWith(served, attempt.Observation, later, number);
        else queue.HandOver(served, attempt.Observation, number);
    }

    private static void Due(Admission admission, TimeSpan duration)
    {
        if (admission.IsDue) admission.Operation.Evidence.Counts.Due(duration);
    }

    private static TResult Answer<TResult>(Observation<TResult> observation)
    {
        if (observation.Error is { } error) ExceptionDispatchInfo.Throw(error);
        return observation.Value!;
    }
}
