using System.Diagnostics;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Rollout;

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

        var evidence = operation.Evidence;
        var route = context.Control.Routes[experiment.Operation];
        var shape = evidence.ShapeOf(context.Rules.ShapeOf(experiment, request) ?? OperationLedger.OtherShape);
        // Traffic of which nothing may be compared is no time under watch.
        if (context.Switch.IsOn && route is { Shadowed: true, SamplePercent: > 0 }) evidence.Arrived(shape);
        var serves = MayServe(experiment, request, shape, arrived) && !candidates.MustRest(experiment.Operation) && !writes.IsExhausted;
        IDisposable? stay = null;
        var isCrowded = false;
        if (experiment.Writes && context.Switch.IsOn)
        {
            // 0 names no user: where users are not told apart, they are not one user.
            var user = context.Rules.UserOf(experiment, request) is { } known and not 0 ? known : (long?)null;
            stay = context.Crowds.TryEnter(context.Rules.SubjectOf(experiment, request), user);
            isCrowded = stay is null;
            serves &= !isCrowded;
        }

        var side = serves ? Side.Candidate : Side.Control;
        if (Activity.Current is { IsAllDataRequested: true } span) span.SetTag("shadow.side", side.Wire());
        var (skipped, isDue) = ReasonToSkip(experiment, request, route, evidence, shape, side);
        skipped ??= isCrowded ? SkipReason.Crowded : null;
        // Writes beyond what one row or user may bring at once stand for no others.
        isDue &= !isCrowded;
        if (isDue) shape.Due();
        if (skipped is { } reason)
        {
            if (reason is SkipReason.Budget or SkipReason.QueueFull) shape.Shed();
            operation.Tally.Skipped(reason);
        }

        var isOurTransaction = experiment.Writes && (skipped is null || serves);
        if (!isOurTransaction) stay?.Dispose();
        var admission = new Admission(operation, shape, side, context.Evidence.Fingerprint, skipped)
        {
            Arrived = arrived,
            IsDue = isDue,
            IsTimed = operation.Timed.Draw(arrived),
            HandedOver = isOurTransaction ? new() : null,
            Stay = isOurTransaction ? stay : null,
            Horizon = experiment.Writes || skipped is not null ? null : horizon.Latest,
        };
        return new(experiment, request, admission, caller);
    }

    /// <summary>Whether anything may run in the shadow. One volatile read.</summary>
    public bool IsOn => context.Switch.IsOn;

    /// <summary>Counts a request that came while everything is off.</summary>
    public void CountOff(Experiment experiment)
    {
        if (context.Operations.StateOf(experiment) is not { } operation)
        {
            context.Rules.NoteUnregistered(experiment.Operation);
            return;
        }

        operation.Tally.Skipped(SkipReason.Off);
        operation.Tally.Served(Side.Control, isFallback: false);
    }

    /// <summary>Whether the candidate may answer, by what is known of the rollout at this moment.</summary>
    /// <param name="now">A timestamp that is not older than the request.</param>
    public bool MayServe<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, ShapeLedger shape, long now)
    {
        var routes = context.Control.Routes;
        var route = routes[experiment.Operation];
        return route.ServePercent > 0 && now < routes.ServesUntil && context.Switch.IsOn
            && (!experiment.Writes || (writes.ServesCandidate && context.Switch.HasSandbox))
            && context.Rules.UserOf(experiment, request) is { } user && route.Serves(experiment.Operation, user, shape.Shape);
    }

    /// <returns>
    /// Why the request is not compared, or null; and whether it stands for the traffic. One draw decides on both, so that what stands for
    /// the traffic is drawn alike from every shape, and costs no comparison of its own. Load is looked at afterwards: a request that is due
    /// and shed is missed by the evidence, and counted as that.
    /// </returns>
    private (SkipReason? Skipped, bool IsDue) ReasonToSkip<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Route route, OperationLedger evidence, ShapeLedger shape,
        Side side)
    {
        if (!context.Switch.IsOn || !route.Shadowed) return (SkipReason.Off, false);
        if (experiment.Writes && !writes.HasStage) return (SkipReason.UnsafeWrite, false);
        if (experiment.Writes && !context.Switch.HasSandbox) return (SkipReason.SandboxUnavailable, false);
        if (lane.IsStopping) return (SkipReason.Shutdown, false);
        var stage = route.SamplePercent / 100;
#pragma warning disable CA5394 // Sampling needs no secret.
        var drawn = stage * Math.Max(shape.SampleShare, evidence.DueShare) < 1 ? Random.Shared.NextDouble() : 0;
#pragma warning restore CA5394
        var isDue = drawn < stage * evidence.DueShare;
        if (drawn >= stage * shape.SampleShare) return (SkipReason.NotSampled, isDue);
        if (context.Control.IsShortOfMemory) return (SkipReason.Memory, isDue);
        if (!context.Budget.Allows(isReserved: side is Side.Candidate || !shape.IsProven)) return (SkipReason.Budget, isDue);
        // Beyond a user's share of a short budget, the requests of that user stand for no other's.
        if (context.Budget.IsShort && context.Rules.UserOf(experiment, request) is { } user and not 0 && !context.Budget.AllowsUser(user))
            return (SkipReason.Budget, false);
        // The images would be read for nothing.
        return (experiment.Writes && lane.Queue.IsFull ? SkipReason.QueueFull : null, isDue);
    }
}
