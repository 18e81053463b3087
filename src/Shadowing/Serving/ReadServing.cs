using System.Diagnostics;
using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>Answers a request outside of any transaction of ours: every read, and a write that is not compared.</summary>
internal sealed class ReadServing<TStore>(
    ServingContext context, OpenStore<TStore> open, CandidateServer<TStore> candidates, ComparisonQueue<TStore> queue,
    CandidateFailures failures)
{
    /// <summary>The control answers.</summary>
    /// <param name="isFallback">Whether the candidate was asked first.</param>
    public async Task<TResult> ByControlAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served, bool isFallback)
    {
        var (experiment, request, admission, caller) = served;
        // Of a fallback the comparison has the candidate's side already, and the lane brings the control's.
        var isCompared = !isFallback && !experiment.Writes && admission.Skipped is null;
        var ledger = isCompared ? StatementLedger.Open() : null;
        var started = context.Clock.GetTimestamp();
        var overhead = context.Clock.GetElapsedTime(admission.Arrived, started);
        Observation<TResult>? observation = null;
        try
        {
            // A candidate that was too late may still use the request's services, and one that failed may have left them unfit.
            var place = new StorePlace(Side.Control, Position.Served, experiment.Writes, isFallback ? null : served.Scope);
            await using var lease = await open(place, caller);
            started = context.Clock.GetTimestamp();
            var result = await experiment.RunAsync(lease.Store, request, caller);
            observation = new(result, null, context.Clock.GetElapsedTime(started), ledger!);
            return result;
        }
        catch (Exception error)
        {
            if (!caller.IsCancellationRequested) observation = new(default, error, context.Clock.GetElapsedTime(started), ledger!);
            throw;
        }
        finally
        {
            var ended = context.Clock.GetTimestamp();
            if (isCompared) queue.HandOver(served, observation);
            var duration = context.Clock.GetElapsedTime(started, ended);
            context.Served(admission, Side.Control, isFallback, duration, observation?.Error);
            if (!isFallback && admission.IsDue) admission.Operation.Evidence.Counts.Due(observation?.Duration ?? duration);
            if (!isFallback) context.Overhead(admission, overhead + context.Clock.GetElapsedTime(ended));
        }
    }

    /// <summary>
    /// The control answers as if there were no shadow. Where its store holds nothing, the caller gets the control's own task, and nothing
    /// is allocated for it.
    /// </summary>
    public Task<TResult> PlainAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, IServiceProvider? scope, CancellationToken caller)
    {
        var opening = open(new(Side.Control, Position.Served, experiment.Writes, scope), caller);
        if (!opening.IsCompletedSuccessfully) return LeasedAsync(opening, experiment, request, caller);
        var lease = opening.Result;
        return lease.HoldsNothing ? experiment.RunAsync(lease.Store, request, caller)
            : LeasedAsync(new(lease), experiment, request, caller);
    }

    /// <summary>The control answers a request of which nothing is to be seen but that.</summary>
    public Task<TResult> CountedAsync<TRequest, TResult>(in ServedRequest<TStore, TRequest, TResult> served)
    {
        served.Admission.Operation.Tally.Served(Side.Control, isFallback: false);
        return PlainAsync(served.Experiment, served.Request, served.Scope, served.Caller);
    }

    private static async Task<TResult> LeasedAsync<TRequest, TResult>(
        ValueTask<StoreLease<TStore>> opening, Experiment<TStore, TRequest, TResult> experiment, TRequest request,
        CancellationToken caller)
    {
        await using var lease = await opening;
        return await experiment.RunAsync(lease.Store, request, caller);
    }

    /// <summary>The candidate answers; if it fails, or takes longer than users are used to, the control does.</summary>
    public async Task<TResult> ByCandidateAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var (experiment, _, admission, _) = served;
        var operation = admission.Operation;
        operation.EnterServed();
        try
        {
            var attempt = await AskAsync(served);
            if (admission.IsDue)
                _ = attempt.Eventually.ContinueWith(
                    ended => operation.Evidence.Counts.Due(ended.Result.Duration), CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (attempt.InTime is { Error: null } answer)
            {
                var number = context.Answers.Answered(new(
                    0, context.Clock.GetUtcNow(), experiment.Operation, admission.Shape.Shape,
                    context.Rules.SubjectOf(experiment, served.Request), context.Rules.UserOf(experiment, served.Request) ?? 0,
                    admission.Fingerprint));
                queue.HandOver(served, answer, number);
                if (admission.Skipped is { } reason) context.Answers.Judged(number, "skipped:" + reason.Wire());
                context.Served(admission, Side.Candidate, isFallback: false, answer.Duration, null);
                failures.Count(operation, failed: false);
                return answer.Value!;
            }

            if (attempt.InTime is { } failed) queue.HandOver(served, failed);
            else queue.HandOverLate(served, attempt.Eventually);
            Activity.Current?.SetTag("shadow.fallback", true);
            var began = context.Clock.GetTimestamp();
            var value = await ByControlAsync(served, isFallback: true);
            // A failure that the control shares says nothing; it has been thrown by now. Late is not failed: what becomes of it is still
            // to be seen.
            var control = context.Clock.GetElapsedTime(began);
            if (attempt.InTime is { } inTime) failures.Count(operation, failures.IsOwn(inTime, control));
            else _ = attempt.Eventually.ContinueWith(
                late => failures.Count(operation, failures.IsOwn(late.Result, control)), CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            return value;
        }
        finally
        {
            operation.LeaveServed();
        }
    }

    private async Task<ServedAttempt<TResult>> AskAsync<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served)
    {
        var (experiment, _, admission, caller) = served;
        var asked = context.Clock.GetTimestamp();
        try
        {
            var attempt = await candidates.AskAsync(served, candidates.DeadlineOf(admission.Operation));
            caller.ThrowIfCancellationRequested();
            return attempt;
        }
        catch (Exception failure)
        {
            // The user gave up, or the position's database cannot be had: the control would meet the same, so the user sees it as it came.
            var hasGivenUp = caller.IsCancellationRequested;
            queue.Skip(served, hasGivenUp ? SkipReason.Cancelled : SkipReason.Unavailable);
            var elapsed = context.Clock.GetElapsedTime(asked);
            if (!hasGivenUp) context.Served(admission, Side.Candidate, isFallback: false, elapsed, failure);
            throw;
        }
    }
}
