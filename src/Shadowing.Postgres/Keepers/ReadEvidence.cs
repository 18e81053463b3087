using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;

namespace Shadowing.Postgres.Keepers;

/// <summary>What all replicas know, read again only where it may have changed.</summary>
internal sealed class ReadEvidence(EvidenceStore store, EvidenceLedger ledger, ShadowedCode code, StoreMark marks, TimeProvider clock)
{
    private readonly MarkCursor _cursor = new(marks, clock);
    private MergedEvidence? _merged;
    private GatePolicy? _policy;

    /// <param name="isChanged">Whether this replica has changed it itself since.</param>
    public async Task<MergedEvidence> ReadAsync(
        IReadOnlyCollection<string> operations, GatePolicy policy, bool isChanged, CancellationToken cancellationToken)
    {
        var mark = _cursor.Latest;
        var isSame = _merged is not null && _merged.Fingerprint == ledger.Fingerprint && policy == _policy;
        if (isSame && !isChanged && !_cursor.IsDue(mark)) return _merged!;
        _merged = await store.ReadAsync(ledger.Fingerprint, code.Candidate, operations, policy, cancellationToken);
        _policy = policy;
        // What this replica has just flushed is in no mark yet: the next one differs, and leads to one more reading.
        _cursor.Done(mark);
        return _merged;
    }
}
