using Shadowing.Evidence;
using Shadowing.Postgres.Stores;

namespace Shadowing.Postgres.Keepers;

/// <summary>Stores what this replica has seen, batch by batch. A batch that could not be stored is tried again first, unchanged.</summary>
internal sealed class EvidenceFlush(EvidenceLedger ledger, EvidenceStore store, InstanceRecord instance, EvidenceMetrics metrics)
{
    private bool _failed;

    /// <summary>Whether this run is on record. Before that nothing can be stored.</summary>
    public bool HasBegun => instance.HasBegun;

    /// <summary>Stores everything that waits.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        while (ledger.Take() is { } batch)
        {
            try
            {
                await store.FlushAsync(instance.Id, batch, cancellationToken);
            }
            catch
            {
                _failed = true;
                throw;
            }

            ledger.Stored(batch);
            metrics.EvidenceRecords(batch.Records, _failed ? "retried" : "written");
            _failed = false;
        }
    }

    /// <summary>Stores that this run is alive.</summary>
    public Task BeatAsync(CancellationToken cancellationToken) => store.BeatAsync(instance.Id, cancellationToken);
}
