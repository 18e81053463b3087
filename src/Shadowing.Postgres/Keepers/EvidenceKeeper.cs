using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Stores what this run has seen, each second and at once after a mismatch; reads what all replicas know; lets the gate judge it.
/// </summary>
/// <remarks>What could not be stored stays and is tried again.</remarks>
internal sealed class EvidenceKeeper(
    EvidenceLedger ledger, EvidenceStore store, EvidenceFlush flush, EvidenceRestart restart, PolicyInForce policies, GateRound gate,
    ShadowedCode code, KeeperRegister keepers) : Keeper(
        new("evidence", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)) { HoldsGate = true, LongestPause = TimeSpan.FromSeconds(5) },
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
        await flush.FlushAsync(cancellationToken);
        await flush.BeatAsync(cancellationToken);
        var policy = await policies.ReadAsync(cancellationToken);
        var merged = await store.ReadAsync(ledger.Fingerprint, code.Candidate, gate.Operations, policy, cancellationToken);
        ledger.IsBusy = merged.IsBusy;
        await restart.EnterAsync(merged, cancellationToken);
        gate.Judge(merged, policy);
    }
}
