using System.Diagnostics;
using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>Hands answered requests to the lane to be compared, or counts why they are not.</summary>
internal sealed class ComparisonQueue<TStore>(ServingContext context, ShadowLane lane, ShadowComparer<TStore> comparer)
{
    /// <summary>
    /// Queues a request to be compared. Only now that it has been answered: its own run is no traffic that the shadow waits for, and how
    /// long it took decides nothing about whether it is compared.
    /// </summary>
    /// <param name="observation">What the served side did; null where the caller gave up on it.</param>
    /// <param name="number">The number of the candidate's answer to the user; null where the control answered.</param>
    /// <param name="isLate">
    /// Whether the request has been counted as in flight, because its user was answered by the other side before.
    /// </param>
    public void HandOver<TRequest, TResult>(
        ServedRequest<TStore, TRequest, TResult> served, Observation<TResult>? observation, long? number = null, bool isLate = false)
    {
        var (experiment, _, admission, _) = served;
        admission.HandedOver?.Value = true;
        if (admission.Skipped is not null) return;
        if (observation is null || (experiment.Writes && observation.Rows is null))
        {
            var reason = observation is null ? SkipReason.Cancelled : SkipReason.SandboxUnavailable;
            if (isLate) SkipLate(served, reason, number);
            else Skip(served, reason, number);
            return;
        }

        var run = new ComparisonRun<TStore, TRequest, TResult>(comparer, served, observation, number)
        {
            Operation = admission.Operation,
            EnqueuedAt = context.Clock.GetTimestamp(),
            Caller = Activity.Current?.Context ?? default,
            Size = observation.Rows?.Before.Size ?? 0,
        };
        if (admission.Operation.Tally.Enqueue(lane, run, isLate) is not { } refused) return;
        if (refused is SkipReason.QueueFull) admission.Shape.Shed();
        if (number is { } known) context.Answers.Judged(known, "skipped:" + refused.Wire());
    }

    /// <summary>Queues a candidate's run that the user did not wait for, once it has ended; until then it is in flight.</summary>
    public void HandOverLate<TRequest, TResult>(
        ServedRequest<TStore, TRequest, TResult> served, Task<Observation<TResult>> eventually)
    {
        if (served.Admission.Skipped is not null) return;
        served.Admission.Operation.Tally.IsLate();
        _ = eventually.ContinueWith(
            late => HandOver(served, late.Result, isLate: true), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Queues a write once its rows are read, which its user did not wait for; until then it is in flight.</summary>
    /// <param name="rows">Does not fail; null where they cannot be read.</param>
    /// <param name="number">The number of the candidate's answer to the user; null where the control answered.</param>
    public void HandOverWith<TRequest, TResult>(
        ServedRequest<TStore, TRequest, TResult> served, Observation<TResult> observation, Task<WrittenRows?> rows, long? number)
    {
        served.Admission.HandedOver?.Value = true;
        if (served.Admission.Skipped is not null) return;
        served.Admission.Operation.Tally.IsLate();
        var began = context.Clock.GetTimestamp();
        _ = rows.ContinueWith(Read, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        void Read(Task<WrittenRows?> read)
        {
            // About as long as the database worked for it.
            context.Budget.Charge(context.Clock.GetElapsedTime(began));
            HandOver(served, observation with { Rows = read.Result }, number, isLate: true);
        }
    }

    private void SkipLate<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served, SkipReason reason, long? number)
    {
        served.Admission.Operation.Tally.Abandoned(reason);
        if (number is { } known) context.Answers.Judged(known, "skipped:" + reason.Wire());
    }

    /// <summary>Counts that a request is not compared after all, unless it has been counted.</summary>
    public void Skip<TRequest, TResult>(ServedRequest<TStore, TRequest, TResult> served, SkipReason reason, long? number = null)
    {
        served.Admission.HandedOver?.Value = true;
        if (served.Admission.Skipped is not null) return;
        served.Admission.Operation.Tally.Skipped(reason);
        if (number is { } known) context.Answers.Judged(known, "skipped:" + reason.Wire());
    }
}
