using Shadowing.Evidence;
using Shadowing.Postgres.Stores;

namespace Shadowing.Postgres.Keepers;

/// <summary>Stores what this replica has seen, batch by batch. A batch that could not be stored is tried again first, unchanged.</summary>
internal sealed class EvidenceFlush(
    EvidenceLedger ledger, EvidenceStore store, InstanceRecord instance, EvidenceMetrics metrics, TimeProvider clock)
{
    /// <summary>A run counts as ended uncleanly after 30 s of silence.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    /// <summary>How often it is looked for runs that have ended and left timed pairs.</summary>
    private static readonly TimeSpan BetweenAdoptions = TimeSpan.FromMinutes(1);

    private long? _heard;
    private long? _adopted;
    private bool _failed;

    /// <summary>Whether this run is on record. Before that nothing can be stored.</summary>
    public bool HasBegun => instance.HasBegun;

    /// <summary>Stores everything that waits; where nothing does, now and then that this run is alive.</summary>
    /// <returns>Whether anything was stored that may be read.</returns>
    public async Task<bool> FlushAsync(CancellationToken cancellationToken)
    {
        var flushed = false;
        await AdoptAsync(cancellationToken);
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
            (_failed, flushed, _heard) = (false, true, clock.GetTimestamp());
        }

        if (_heard is { } at && clock.GetElapsedTime(at) < Silence) return flushed;
        await store.BeatAsync(instance.Id, cancellationToken);
        _heard = clock.GetTimestamp();
        return flushed;
    }

    /// <summary>A thin operation fills a block in weeks: each deploy would begin it anew.</summary>
    private async Task AdoptAsync(CancellationToken cancellationToken)
    {
        if (_adopted is { } at && clock.GetElapsedTime(at) < BetweenAdoptions) return;
        var fingerprint = ledger.Fingerprint;
        foreach (var (operation, open) in await store.AdoptPairsAsync(fingerprint, cancellationToken))
            ledger.Adopt(fingerprint, operation, open);
        _adopted = clock.GetTimestamp();
    }
}
