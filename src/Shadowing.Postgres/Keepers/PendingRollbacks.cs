using System.Collections.Concurrent;
using Shadowing.Evidence;
using Shadowing.Postgres.Statements;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Publishes this replica's rollbacks in the store, so that they apply on all replicas. A rollback that cannot be stored does not delay the
/// others: it is reported and tried again, if it was refused then with a fixed reason. On this replica it stays in force meanwhile.
/// </summary>
public sealed class PendingRollbacks(
    RolloutStore store, RolloutLease lease, GateBoard board, Findings findings, EvidenceMetrics metrics, TimeProvider clock)
{
    /// <summary>The reason that is stored where the given one could not be.</summary>
    public const string FixedReason = "Rolled back on a replica; the reason given could not be stored.";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<string, Failed> _failed = [];

    /// <summary>Tries each pending rollback, those with the fewest failures first. Throws only when cancelled.</summary>
    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var pending = lease.Pending;
        foreach (var rollback in pending.OrderBy(one => _failed.GetValueOrDefault(one.Operation).Times))
        {
            if (!await TryAsync(rollback, either.Token)) break;
        }

        cancellationToken.ThrowIfCancellationRequested();
        foreach (var settled in _failed.Keys.Except(lease.Pending.Select(one => one.Operation))) _failed.TryRemove(settled, out _);
        findings.Replace("rollbacks", [.. _failed.Keys.Order(StringComparer.Ordinal).Select(operation => new Finding(
            Finding.Critical, operation, "A rollback could not be stored; it holds on this replica, and storing it is tried again."))]);
    }

    /// <summary>Publishes the pending rollback of one operation.</summary>
    public async Task PublishAsync(string operation, CancellationToken cancellationToken)
    {
        foreach (var rollback in lease.Pending.Where(one => one.Operation == operation)) await PublishAsync(rollback, cancellationToken);
    }

    /// <returns>Whether to try the next: the store is reachable, and there is time left.</returns>
    private async Task<bool> TryAsync(PendingRollback rollback, CancellationToken cancellationToken)
    {
        try
        {
            await PublishAsync(rollback, cancellationToken);
            return true;
        }
#pragma warning disable CA1031 // For any failure: the other rollbacks are still tried, and this one again later.
        catch (Exception failure)
        {
            if (PostgresErrors.Categorize(failure).IsUnavailable) return false;
            var isRefused = failure is not (OperationCanceledException or TimeoutException);
            _failed.AddOrUpdate(
                rollback.Operation, _ => new(1, isRefused), (_, before) => new(before.Times + 1, before.IsRefused || isRefused));
            return !cancellationToken.IsCancellationRequested;
        }
#pragma warning restore CA1031
    }

    private async Task PublishAsync(PendingRollback rollback, CancellationToken cancellationToken)
    {
        var failed = _failed.GetValueOrDefault(rollback.Operation);
        var changed = await store.ChangeAsync(
            rollback.Operation, new RollBack(rollback.Actor ?? GateSteps.Service, failed.IsRefused ? FixedReason : rollback.Reason), null,
            lease.StateOf(rollback.Operation)?.Generation ?? 0, board.Latest.JudgedOf(rollback.Operation)?.Decision, cancellationToken);
        lease.Published(rollback.Operation, changed.State.Generation);
        if (failed.Times > 0) metrics.EvidenceRecords(1, "retried");
    }

    /// <param name="IsRefused">Whether the store has refused it at least once, and did not merely fail to answer in time.</param>
    private readonly record struct Failed(int Times, bool IsRefused);
}
