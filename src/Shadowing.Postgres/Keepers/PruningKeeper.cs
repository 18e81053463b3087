using Shadowing.Postgres.Stores;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Deletes what is no longer asked for. A keeper of its own: however much there is to delete, no evidence, mismatch or rollback waits.
/// </summary>
internal sealed class PruningKeeper(
    EvidenceStore evidence, MismatchStore mismatches, ServedStore served, SweepStore sweeps, InstanceRecord instance,
    KeeperRegister keepers) : Keeper(
        new("pruning", TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(5)) { FirstPause = TimeSpan.FromSeconds(30) }, keepers)
{
    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!instance.HasBegun) return;
        await served.PruneAsync(cancellationToken);
        await sweeps.PruneAsync(cancellationToken);
        await mismatches.PruneAsync(cancellationToken);
        await evidence.PruneAsync(cancellationToken);
    }
}
