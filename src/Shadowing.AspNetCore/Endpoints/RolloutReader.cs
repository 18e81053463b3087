using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>Where an operation stands.</summary>
/// <param name="Generation">To be given back with a change.</param>
/// <param name="ServePercent">The share of users that the stage gives to the candidate.</param>
/// <param name="EffectiveServePercent">
/// The share that it answers on this replica here and now, within <paramref name="ServedShapes"/>.
/// </param>
/// <param name="Nominated">The fingerprint that may be promoted; <paramref name="Fingerprint"/> is this build's.</param>
/// <param name="HeldBecause">Why nothing advances until it is acknowledged.</param>
/// <param name="Forced">Whether the stage was taken against the gate.</param>
internal sealed record RolloutAnswer(
    string Operation, long Generation, string Stage, double ServePercent, double EffectiveServePercent, IReadOnlyList<string> ServedShapes,
    string? Nominated, int Attempt, string Fingerprint, string? HeldBecause, bool Automatic, bool Forced, string ChangedBy, string Reason);

/// <summary>Reads where the rollout stands, and changes it.</summary>
internal sealed class RolloutReader(
    RolloutStore store, PendingRollbacks pending, RolloutLease lease, ShadowingControl control, GateBoard board, EvidenceLedger ledger)
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
            state.Reason);
    }

    /// <summary>What the gate says of it at present; null before it has judged it.</summary>
    public GateDecision? DecisionOf(Experiment experiment) => board.Latest.JudgedOf(experiment.Operation)?.Decision;

    public async Task<RolloutChange> ChangeAsync(
        Experiment experiment, RolloutCommand change, long? expected, CancellationToken cancellationToken)
    {
        // A rollback that only this replica knows of comes first, or it would undo what is asked for now.
        if (change is not RollBack) await pending.PublishAsync(experiment.Operation, cancellationToken);
        var judged = board.Latest.JudgedOf(experiment.Operation);
        // What was judged at another generation, or for another build, says nothing of this one.
        var gate = judged is not null && judged.Generation == expected && board.Latest.Fingerprint == ledger.Fingerprint ? judged.Decision
            : null;
        var changed = await store.ChangeAsync(
            experiment.Operation, change, expected, lease.StateOf(experiment.Operation)?.Generation ?? 0, gate, cancellationToken);
        lease.Learn(changed.State);
        control.Refresh();
        lease.Hurry();
        return changed;
    }
}
