using Shadowing.Evidence;
using Shadowing.Postgres;
using Shadowing.Rollout;

namespace Ticketing.Api.Shadowing;

/// <summary>Tells the store what was rolled back on this replica, so that it is rolled back everywhere.</summary>
internal sealed class PendingRollbacks(RolloutStore store, RolloutLease lease, GateBoard board)
{
    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        foreach (var pending in lease.Pending)
        {
            var changed = await store.ChangeAsync(
                pending.Operation, new RollBack(RolloutKeeper.Service, pending.Reason), null, lease.Of(pending.Operation)?.Generation ?? 0,
                board.Latest.Of(pending.Operation)?.Decision, cancellationToken);
            lease.Published(pending.Operation, changed.State.Generation);
        }
    }
}
