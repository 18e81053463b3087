using Shadowing.Evidence;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Stores what this run has seen, each second and at once after a mismatch; reads what all replicas know, if that may have changed; lets
/// the
/// gate judge it.
/// </summary>
/// <remarks>What could not be stored stays and is tried again.</remarks>
internal sealed class EvidenceKeeper(
    EvidenceLedger ledger, EvidenceFlush flush, EvidenceRestart restart, PolicyInForce policies, GateRound gate,
    ReadEvidence reading, KeeperRegister keepers) : Keeper(
        new("evidence", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10))
        {
            HoldsGate = true,
            NeedsStore = true,
            LongestPause = TimeSpan.FromSeconds(5),
        },
        keepers)
{
    /// <summary>Stores what came while the lane drained: it has stopped by now.</summary>
    protected override Task PartAsync(CancellationToken cancellationToken) =>
        flush.HasBegun ? flush.FlushAsync(cancellationToken) : Task.CompletedTask;

    protected override Task WaitAsync(PeriodicTimer tick, CancellationToken stopping) => ledger.WaitForUrgentAsync(Plan.Interval, stopping);

    protected override Task StepAsync(CancellationToken cancellationToken) =>
        flush.HasBegun ? KeepAsync(cancellationToken) : Task.Delay(Plan.Interval, Clock, cancellationToken);

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        var flushed = await flush.FlushAsync(cancellationToken);
        var policy = await policies.ReadAsync(cancellationToken);
        var merged = await reading.ReadAsync(gate.Operations, policy, isChanged: flushed, cancellationToken);
        ledger.IsBusy = merged.IsBusy;
        await restart.EnterAsync(merged, cancellationToken);
        gate.Judge(merged, policy);
    }
}
