using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Enters the epochs that other replicas have begun. What is accepted is read first: in a new epoch no comparison is judged by what was
/// accepted before it.
/// </summary>
internal sealed class EvidenceRestart(
    EvidenceLedger ledger, MismatchStore mismatches, Acceptances acceptances, EvidenceMetrics metrics)
{
    /// <summary>Does nothing where no epoch is new.</summary>
    public async Task EnterAsync(MergedEvidence merged, CancellationToken cancellationToken)
    {
        if (!merged.Epochs.Any(entry => ledger.IsBehind(entry.Key, entry.Value))) return;
        acceptances.Replace(await mismatches.AcceptancesAsync(cancellationToken));
        foreach (var (operation, epochs) in merged.Epochs)
        {
            for (var restarted = ledger.Restart(operation, epochs); restarted > 0; restarted--) metrics.EvidenceReset("acceptance");
        }
    }
}
