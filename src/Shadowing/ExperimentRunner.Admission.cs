using System.Diagnostics;
using System.Runtime.CompilerServices;
using Shadowing.Evidence;
using Shadowing.Rollout;

namespace Shadowing;

/// <summary>How a request is taken: which side answers it, and whether it is compared.</summary>
public sealed partial class ExperimentRunner<TStore>
{
    /// <summary>
    /// Counts the request, says which side answers it, and whether it is to be compared. Everything the caller pays for before its own work
    /// is here.
    /// </summary>
    private Turn Admit<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request, long arrived)
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
            return new(operation, shape, side, fingerprint, reason)
            {
                HandedOver = experiment.Writes && side is Side.Candidate ? new() : null,
            };
        }

        return experiment.Writes
            ? new(operation, shape, side, fingerprint, null) { HandedOver = new() }
            : new(operation, shape, side, fingerprint, null) { Horizon = _horizon.Latest };
    }

    /// <summary>
    /// Queues a request to be compared, or counts why it is not. Only now that it has been answered: its own run is no traffic that the
    /// shadow waits for, and how long it took decides nothing about whether it is compared.
    /// </summary>
    /// <param name="observation">What the served side did; null where the caller gave up on it.</param>
    /// <param name="number">The number of the candidate's answer to the user; null where the control answered.</param>
    /// <param name="isLate">
    /// Whether the request has been counted as in flight, because its user was answered by the other side before.
    /// </param>
    private void HandOver<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Turn turn, Observation<TResult>? observation,
        long? number = null,
        bool isLate = false)
    {
        turn.HandedOver?.Value = true;
        if (turn.Skipped is not null) return;
        if (observation is null || (experiment.Writes && observation.Rows is null))
        {
            Skip(experiment, turn, observation is null ? SkipReason.Cancelled : SkipReason.SandboxUnavailable, number);
            return;
        }

        var run = new ComparisonRun<TStore, TRequest, TResult>(this, experiment, request, turn.Side, observation, number)
        {
            Operation = turn.Operation,
            Shape = turn.Shape,
            EnqueuedAt = _clock.GetTimestamp(),
            Horizon = turn.Horizon,
            Caller = Activity.Current?.Context ?? default,
            Size = observation.Rows?.Before.Size ?? 0,
        };
        if (turn.Operation.Tally.Enqueue(_lane, run, isLate) is not { } refused) return;
        if (refused is SkipReason.QueueFull) turn.Shape.Shed();
        Metrics.Skip(experiment, refused);
        if (number is { } known) _journal.Judged(known, "skipped:" + refused.Wire());
    }

    private void Skip(Experiment experiment, Turn turn, SkipReason reason, long? number = null)
    {
        turn.HandedOver?.Value = true;
        if (turn.Skipped is not null) return;
        turn.Operation.Tally.Skipped(reason);
        Metrics.Skip(experiment, reason);
        if (number is { } known) _journal.Judged(known, "skipped:" + reason.Wire());
    }

    /// <summary>Whether the candidate may answer, by what is known of the rollout at this moment.</summary>
    /// <param name="now">A timestamp that is not older than the request.</param>
    private bool MayServe<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, ShapeLedger shape, long now)
    {
        var routes = _control.Routes;
        var route = routes[experiment.Operation];
        return route.ServePercent > 0 && now < routes.ServesUntil && _control.Switch.IsOn
            && (!experiment.Writes || (_sandbox.Exists && _control.Switch.HasSandbox))
            && route.Serves(experiment.Operation, Ask(experiment.UserOf, request, 0), shape.Shape);
    }

    /// <summary>How a request was taken.</summary>
    /// <param name="Skipped">Why it is not compared; null where it is.</param>
    private readonly record struct Turn(OperationState Operation, ShapeLedger Shape, Side Side, string Fingerprint, SkipReason? Skipped)
    {
        /// <summary>
        /// Set where it runs in a transaction of ours, as a write that is to be compared does, or that the candidate does: whether it has
        /// been counted yet.
        /// </summary>
        public StrongBox<bool>? HandedOver { get; init; }

        /// <summary>The moment the request began, by the database's own reckoning; null for a write.</summary>
        public string? Horizon { get; init; }
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
