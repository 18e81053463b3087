using System.Diagnostics;
using System.Runtime.CompilerServices;
using ShadowTicketing.Shadowing.Evidence;
using ShadowTicketing.Shadowing.Rollout;

namespace ShadowTicketing.Shadowing;

/// <summary>How a request is taken: which side answers it, and whether it is compared.</summary>
public sealed partial class ExperimentRunner<TStore>
{
    /// <summary>
    /// Counts the request, says which side answers it, and queues it if it is to be compared. Everything the caller pays for before its own work
    /// is here.
    /// </summary>
    private Turn<TRequest, TResult> Admit<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request, long arrived)
    {
        Metrics.Request(experiment);
        var operation = _operations.Of(experiment);
        var fingerprint = _ledger.Fingerprint;
        var shape = operation.Evidence.Of(Ask(experiment.Shape, request, OperationLedger.OtherShape));
        operation.Evidence.Arrived(shape);
        var route = _control.Routes[experiment.Operation];
        var serves = MayServe(experiment, request, shape, arrived) && !_server.IsExhausted && !_writes.IsExhausted;
        var side = serves ? Side.Candidate : Side.Control;
        if (Activity.Current is { IsAllDataRequested: true } span) span.SetTag("shadow.side", side.Wire());
        if (ReasonToSkip(experiment, route, shape, side) is { } reason)
        {
            if (reason is SkipReason.Budget or SkipReason.QueueFull) shape.Shed();
            operation.Tally.Skipped(reason);
            Metrics.Skip(experiment, reason);
            return new(operation, shape, side, fingerprint, null, reason) { HandedOver = experiment.Writes && side is Side.Candidate ? new() : null };
        }

        // A write is handed over once it has been committed.
        if (experiment.Writes) return new(operation, shape, side, fingerprint, null, null) { HandedOver = new() };
        var comparison = new ComparisonRun<TStore, TRequest, TResult>(this, experiment, request, side)
        {
            Operation = operation,
            Shape = shape,
            EnqueuedAt = arrived,
            Horizon = _horizon.Latest,
            Caller = Activity.Current?.Context ?? default,
        };
        if (operation.Tally.Enqueue(_lane, comparison)) return new(operation, shape, side, fingerprint, comparison, null);
        Metrics.Skip(experiment, SkipReason.QueueFull);
        shape.Shed();
        return new(operation, shape, side, fingerprint, null, SkipReason.QueueFull);
    }

    /// <summary>Whether the candidate may answer, by what is known of the rollout at this moment.</summary>
    /// <param name="now">A timestamp that is not older than the request.</param>
    private bool MayServe<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request, ShapeLedger shape, long now)
    {
        var routes = _control.Routes;
        var route = routes[experiment.Operation];
        return route.ServePercent > 0 && now < routes.ServesUntil && _control.Switch.IsOn
            && (!experiment.Writes || (_sandbox.Exists && _control.Switch.HasSandbox))
            && route.Serves(experiment.Operation, Ask(experiment.UserOf, request, 0), shape.Shape);
    }

    /// <summary>How a request was taken.</summary>
    /// <param name="Skipped">Why it is not compared; null where it is.</param>
    private readonly record struct Turn<TRequest, TResult>(
        OperationState Operation, ShapeLedger Shape, Side Side, string Fingerprint, ComparisonRun<TStore, TRequest, TResult>? Comparison,
        SkipReason? Skipped)
    {
        /// <summary>Set where it runs in a transaction of ours, as a write that is to be compared does, or that the candidate does: whether it has been counted yet.</summary>
        public StrongBox<bool>? HandedOver { get; init; }
    }

    /// <summary>The application's own code: it must not fail the request. A shape that it cannot name is never proven.</summary>
    private static T Ask<TRequest, T>(Func<TRequest, T> what, TRequest request, T otherwise)
    {
        try
        {
            return what(request);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception)
        {
            return otherwise;
        }
#pragma warning restore CA1031
    }

    private SkipReason? ReasonToSkip(Experiment experiment, Route route, ShapeLedger shape, Side side)
    {
        if (!_control.Switch.IsOn || !route.Shadowed) return SkipReason.Off;
        if (experiment.Writes && !_sandbox.Exists) return SkipReason.UnsafeWrite;
        if (experiment.Writes && !_control.Switch.HasSandbox) return SkipReason.SandboxUnavailable;
        if (_lane.IsStopping) return SkipReason.Shutdown;
        if (_control.IsShortOfMemory) return SkipReason.Memory;
        var share = route.SamplePercent / 100 * shape.SampleShare;
#pragma warning disable CA5394 // Sampling needs no secret.
        if (share < 1 && Random.Shared.NextDouble() >= share) return SkipReason.NotSampled;
#pragma warning restore CA5394
        if (!_budget.Allows(isReserved: side is Side.Candidate || !shape.IsProven)) return SkipReason.Budget;
        // The images would be read for nothing.
        return experiment.Writes && _lane.IsFull ? SkipReason.QueueFull : null;
    }
}
