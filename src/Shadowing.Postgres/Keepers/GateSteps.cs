using System.Runtime.ExceptionServices;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Serving;

namespace Shadowing.Postgres.Keepers;

/// <summary>A step that is earned and that the operation takes by itself.</summary>
/// <param name="Generation">The one that it was judged at.</param>
internal sealed record EarnedStep(GateDecision Decision, long Generation);

/// <summary>Does what the gate says without an operator: a rollback always, an advance where an operation is automatic.</summary>
internal sealed class GateSteps(
    RolloutStore store, RolloutLease lease, ShadowingControl control, GateBoard board, EvidenceLedger ledger)
{
    /// <summary>Who acts where no operator does.</summary>
    public const string Service = "service";

    /// <summary>
    /// Rolls back on this replica what the gate refuses. It comes before anything that can fail: neither an advance nor a report may delay
    /// a rollback.
    /// </summary>
    /// <returns>The advances that are left to take.</returns>
    public IReadOnlyList<EarnedStep> RollBackWhatIsRefused()
    {
        var reading = board.Latest;
        List<EarnedStep> advances = [];
        foreach (var (evidence, decision, _, generation) in reading.Operations)
        {
            if (lease.StateOf(evidence.Operation) is not { } state || state.Generation != generation
                || reading.Fingerprint != ledger.Fingerprint) continue;
            if (decision.Decision is GateVerdict.Rollback && evidence.Nominated)
                control.RollBack(evidence.Operation, string.Join("; ", decision.Reasons.Select(reason => reason.Text)));
            else if (decision.Decision is GateVerdict.Advance && state is { IsAutomatic: true, IsHeld: false }
                && !(decision.Target.Serves && !evidence.Nominated))
                advances.Add(new(decision, generation));
        }

        return advances;
    }

    /// <summary>Stores each advance on its own: one that cannot be stored delays no other.</summary>
    /// <exception cref="Exception">The last one that could not be stored, once all have been tried.</exception>
    public async Task AdvanceAsync(IReadOnlyList<EarnedStep> advances, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? refused = null;
        foreach (var (decision, generation) in advances)
        {
            var step = new MoveTo(decision.Target, false, Service, decision.Sentence);
            try
            {
                await store.ChangeAsync(decision.Operation, step, generation, generation, decision, cancellationToken);
                lease.Hurry();
            }
#pragma warning disable CA1031 // Thrown below, once the others have been tried.
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                refused = ExceptionDispatchInfo.Capture(failure);
            }
#pragma warning restore CA1031
        }

        refused?.Throw();
    }
}
