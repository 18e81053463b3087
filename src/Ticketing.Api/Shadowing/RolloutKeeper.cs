using Ticketing.Api.Tickets;
using Shadowing;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Postgres;
using Shadowing.Rollout;

namespace Ticketing.Api.Shadowing;

/// <summary>
/// Keeps this replica and the store of one mind about the rollout: tells the store what was rolled back here, takes over what it says, reports
/// what has been applied, and does what the gate says by itself: a rollback always, an advance where an operation is automatic.
/// </summary>
internal sealed class RolloutKeeper(
    RolloutStore store, PendingRollbacks pending, ReplicaRegister replicas, RolloutLease lease, ShadowingControl control, GateBoard board,
    EvidenceLedger ledger, IncarnationRecord incarnation, ShadowingReport report, Findings findings, Keepers keepers, TimeProvider clock) : Keeper(
        // More often than each second, so that a rollback elsewhere is applied within one even if its notification is lost.
        // Bounded: a replica that waits for a store that does not answer confirms nothing and rolls nothing back.
        new("rollout", TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2)) { HoldsGate = true, LongestPause = TimeSpan.FromMilliseconds(400) },
        keepers, clock)
{
    /// <summary>Who acts where nobody does.</summary>
    public const string Service = "service";

    private static readonly string[] Operations = [.. TicketExperiments.All.Select(experiment => experiment.Operation)];

    protected override bool StartsAtOnce => true;

    protected override Task PartAsync(CancellationToken cancellationToken) =>
        incarnation.HasBegun ? replicas.LeaveAsync(incarnation.Id, cancellationToken) : Task.CompletedTask;

    protected override Task WaitAsync(PeriodicTimer tick, CancellationToken stopping) => lease.WaitAsync(Plan.Interval, stopping);

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!incarnation.HasBegun)
        {
            control.Refresh();
            return;
        }

        try
        {
            await KeepAsync(cancellationToken);
        }
        catch
        {
            // The lease runs out by itself.
            control.Refresh();
            throw;
        }
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        await pending.PublishAsync(cancellationToken);
        var asked = Clock.GetTimestamp();
        var reading = await store.ReadAsync(Operations, cancellationToken);
        lease.Confirm(asked, reading.States, reading.Unreadable);
        control.Refresh();
        findings.Replace("rollout", [.. lease.Refused.Select(refused => new Finding(Finding.Critical, "shadow.rollout", $"Refused, and rolled back here: {refused}."))]);
        var (serving, writes) = (report.Serving(), report.WritesInFlight());
        await replicas.ReportAsync(
            incarnation.Id, report.Replica, ledger.Fingerprint,
            TicketExperiments.All.Select(control.StandingOf).ToDictionary(one => one.Operation, one => new AppliedRollout(
                one.State?.Generation ?? 0, (one.State?.Stage ?? Stage.Off).Name, one.ServePercent, serving[one.Operation], writes[one.Operation])),
            cancellationToken);
        await ActAsync(cancellationToken);
    }

    private async Task ActAsync(CancellationToken cancellationToken)
    {
        var reading = board.Latest;
        foreach (var (evidence, decision, _, generation) in reading.Operations)
        {
            if (lease.Of(evidence.Operation) is not { } state || state.Generation != generation || reading.Fingerprint != ledger.Fingerprint) continue;
            if (decision.Decision is GateVerdict.Rollback && evidence.Nominated)
            {
                control.RollBack(evidence.Operation, string.Join("; ", decision.Reasons.Select(reason => reason.Text)));
            }
            else if (decision.Decision is GateVerdict.Advance && state is { IsAutomatic: true, IsHeld: false } && !(decision.Target.Serves && !evidence.Nominated))
            {
                await store.ChangeAsync(
                    evidence.Operation, new MoveTo(decision.Target, false, Service, decision.Sentence), generation, generation, decision,
                    cancellationToken);
                lease.Hurry();
            }
        }
    }
}
