using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The state of an operation's rollout.</summary>
/// <param name="Generation">To be sent back with a change.</param>
/// <param name="ServePercent">The share of users that the stage gives to the candidate.</param>
/// <param name="EffectiveServePercent">
/// The share of users that the candidate answers on this replica now, within <paramref name="ServedShapes"/>.
/// </param>
/// <param name="Nominated">The fingerprint that may be promoted; <paramref name="Fingerprint"/> is this build's.</param>
/// <param name="HeldBecause">Why the operation may not advance until an operator acknowledges it; null while it may.</param>
/// <param name="Forced">Whether the stage was set against the gate's decision.</param>
/// <param name="AsOf">When the store was asked for it; null before its first answer.</param>
/// <param name="ServesNoneBecause">Why the candidate answers no user on this replica now; null where it answers some.</param>
internal sealed record RolloutAnswer(
    string Operation, long Generation, string Stage, double ServePercent, double EffectiveServePercent, IReadOnlyList<string> ServedShapes,
    string? Nominated, int Attempt, string Fingerprint, string? HeldBecause, bool Automatic, bool Forced, string ChangedBy, string Reason,
    DateTimeOffset? AsOf, string? ServesNoneBecause);

/// <summary>Reads the state of the rollout, and changes it.</summary>
internal sealed class RolloutReader(
    RolloutStore store, PendingRollbacks pending, RolloutLease lease, ShadowingControl control, GateBoard board, EvidenceLedger ledger,
    ExposureReport exposure, RolloutAnnouncer announcer)
{
    public IReadOnlyList<Experiment> Experiments => control.Experiments;

    public Experiment? Find(string name) =>
        OperationNames.Full(Experiments.Select(experiment => experiment.Operation), name) is { } operation
            ? Experiments.Single(experiment => experiment.Operation == operation) : null;

    public RolloutAnswer? Read(Experiment experiment)
    {
        var standing = control.StandingOf(experiment);
        if (standing.State is not { } state) return null;
        var shapes = standing.ServePercent > 0 ? board.Latest.JudgedOf(experiment.Operation)?.Servable ?? new HashSet<string>()
            : new HashSet<string>();
        return new(
            state.Operation, state.Generation, state.Stage.Name, state.Stage.ServePercent, standing.ServePercent,
            [.. shapes.Order(StringComparer.Ordinal)],
            state.Nominated, state.Attempt, ledger.Fingerprint, state.HeldBecause, state.IsAutomatic, state.IsForced, state.ChangedBy,
            state.Reason, exposure.AsOf, exposure.WhyNone(experiment));
    }

    /// <summary>What the gate says of it at present; null before it has judged it.</summary>
    public GateDecision? DecisionOf(Experiment experiment) => board.Latest.JudgedOf(experiment.Operation)?.Decision;

    public async Task<RolloutChange> ChangeAsync(
        Experiment experiment, RolloutCommand change, long? expected, CancellationToken cancellationToken)
    {
        // A rollback that only this replica knows of is published first. Published later, it would undo this change.
        if (change is not RollBack) await pending.PublishAsync(experiment.Operation, cancellationToken);
        var judged = board.Latest.JudgedOf(experiment.Operation);
        // A decision for another generation or another build does not apply.
        var gate = judged is not null && judged.Generation == expected && board.Latest.Fingerprint == ledger.Fingerprint ? judged.Decision
            : null;
        var changed = await store.ChangeAsync(
            experiment.Operation, change, expected, lease.StateOf(experiment.Operation)?.Generation ?? 0, gate, cancellationToken);
        lease.Learn(changed.State);
        announcer.Tell(changed.State);
        control.Refresh();
        lease.Hurry();
        return changed;
    }
}
