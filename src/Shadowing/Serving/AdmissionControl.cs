using System.Diagnostics;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>
/// Decides how a request is taken: which side answers it, and whether it is compared. All that a caller pays for before its own work.
/// </summary>
internal sealed class AdmissionControl<TStore>(
    ServingContext context, ShadowLane lane, SnapshotHorizon horizon, CandidateServer<TStore> candidates, WriteServer<TStore> writes)
{
    /// <summary>Counts the request, says which side answers it, and whether it is to be compared.</summary>
    /// <returns>Null where the experiment is not registered: there is nothing to count it by, and no route.</returns>
    public ServedRequest<TStore, TRequest, TResult>? Admit<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, CancellationToken caller)
    {
        var arrived = context.Clock.GetTimestamp();
        if (context.Operations.StateOf(experiment) is not { } operation)
        {
            context.Rules.NoteUnregistered(experiment.Operation);
            return null;
        }

        context.Metrics.Request(experiment);
        var shape = operation.Evidence.ShapeOf(context.Rules.ShapeOf(experiment, request) ?? OperationLedger.OtherShape);
        operation.Evidence.Arrived(shape);
        var serves = MayServe(experiment, request, shape, arrived) && !candidates.IsExhausted && !writes.IsExhausted;
        var side = serves ? Side.Candidate : Side.Control;
        if (Activity.Current is { IsAllDataRequested: true } span) span.SetTag("shadow.side", side.Wire());
        var skipped = ReasonToSkip(experiment, shape, side);
        if (skipped is { } reason)
        {
            if (reason is SkipReason.Budget or SkipReason.QueueFull) shape.Shed();
            operation.Tally.Skipped(reason);
            context.Metrics.Skip(experiment, reason);
        }

        var isOurTransaction = experiment.Writes && (skipped is null || serves);
        var admission = new Admission(operation, shape, side, context.Evidence.Fingerprint, skipped)
        {
            Arrived = arrived,
            HandedOver = isOurTransaction ? new() : null,
            Horizon = experiment.Writes || skipped is not null ? null : horizon.Latest,
        };
        return new(experiment, request, admission, caller);
    }

    /// <summary>Whether the candidate may answer, by what is known of the rollout at this moment.</summary>
    /// <param name="now">A timestamp that is not older than the request.</param>
    public bool MayServe<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, ShapeLedger shape, long now)
    {
        var routes = context.Control.Routes;
        var route = routes[experiment.Operation];
        return route.ServePercent > 0 && now < routes.ServesUntil && context.Switch.IsOn
            && (!experiment.Writes || (writes.HasStage && context.Switch.HasSandbox))
            && context.Rules.UserOf(experiment, request) is { } user && route.Serves(experiment.Operation, user, shape.Shape);
    }

    private SkipReason? ReasonToSkip(Experiment experiment, ShapeLedger shape, Side side)
    {
        var route = context.Control.Routes[experiment.Operation];
        if (!context.Switch.IsOn || !route.Shadowed) return SkipReason.Off;
        if (experiment.Writes && !writes.HasStage) return SkipReason.UnsafeWrite;
        if (experiment.Writes && !context.Switch.HasSandbox) return SkipReason.SandboxUnavailable;
        if (lane.IsStopping) return SkipReason.Shutdown;
        if (context.Control.IsShortOfMemory) return SkipReason.Memory;
        var share = route.SamplePercent / 100 * shape.SampleShare;
#pragma warning disable CA5394 // Sampling needs no secret.
        if (share < 1 && Random.Shared.NextDouble() >= share) return SkipReason.NotSampled;
#pragma warning restore CA5394
        if (!context.Budget.Allows(isReserved: side is Side.Candidate || !shape.IsProven)) return SkipReason.Budget;
        // The images would be read for nothing.
        return experiment.Writes && lane.Queue.IsFull ? SkipReason.QueueFull : null;
    }
}
