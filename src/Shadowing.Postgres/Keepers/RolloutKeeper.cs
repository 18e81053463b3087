using System.Runtime.ExceptionServices;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Keeps this replica and the store of one mind about the rollout: tells the store what was rolled back here, takes over what it says,
/// reports what has been applied, and does what the gate says by itself: a rollback always, an advance where an operation is automatic.
/// </summary>
internal sealed class RolloutKeeper(
    RolloutStore store, PendingRollbacks pending, ReplicaRegister replicas, RolloutLease lease, ShadowingControl control, GateBoard board,
    EvidenceLedger ledger, InstanceRecord instance, IEnumerable<Experiment> experiments, ShadowingReport report, Findings findings,
    KeeperRegister keepers, TimeProvider clock) : Keeper(
        // More often than each second, so that a rollback elsewhere is applied within one even if its notification is lost.
        // Bounded: a replica that waits for a store that does not answer confirms nothing and rolls nothing back.
        new("rollout", TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2))
        {
            HoldsGate = true,
            LongestPause = TimeSpan.FromMilliseconds(400),
        },
        keepers, clock)
{
    /// <summary>Who acts where nobody does.</summary>
    public const string Service = "service";

    private readonly Experiment[] _experiments = [.. experiments];

    protected override bool StartsAtOnce => true;

    protected override Task PartAsync(CancellationToken cancellationToken) =>
        instance.HasBegun ? replicas.LeaveAsync(instance.Id, cancellationToken) : Task.CompletedTask;

    protected override Task WaitAsync(PeriodicTimer tick, CancellationToken stopping) => lease.WaitAsync(Plan.Interval, stopping);

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!instance.HasBegun)
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
        // Beside each other: what cannot be published must not keep this replica from hearing of the others.
        var publishing = pending.PublishAsync(cancellationToken);
        List<(GateDecision Decision, long Generation)> advances;
        try
        {
            advances = await HearAsync(cancellationToken);
        }
        finally
        {
            await publishing;
        }

        await AdvanceAsync(advances, cancellationToken);
    }

    /// <summary>Takes over what the store says, and reports what has been applied.</summary>
    /// <returns>The steps that are earned and taken without anybody.</returns>
    private async Task<List<(GateDecision Decision, long Generation)>> HearAsync(CancellationToken cancellationToken)
    {
        var asked = Clock.GetTimestamp();
        var reading = await store.ReadAsync([.. _experiments.Select(experiment => experiment.Operation)], cancellationToken);
        lease.Confirm(asked, reading.States, reading.Unreadable);
        control.Refresh();
        var advances = RollBackWhatTheGateRefuses();
        findings.Replace("rollout", [.. lease.Refused.Select(refused =>
            new Finding(Finding.Critical, "shadow.rollout", $"Refused, and rolled back here: {refused}."))]);
        findings.Replace("rules", [.. report.RuleFaults.Select(fault => fault.ToFinding())]);
        var (serving, writes) = (report.Serving(), report.WritesInFlight());
        await replicas.ReportAsync(
            instance.Id, report.Replica, ledger.Fingerprint,
            _experiments.Select(control.StandingOf).ToDictionary(one => one.Operation, one => new AppliedRollout(
                one.State?.Generation ?? 0, (one.State?.Stage ?? Stage.Off).Name, one.ServePercent, serving[one.Operation],
                writes[one.Operation])),
            cancellationToken);
        return advances;
    }

    /// <summary>Each on its own: one that cannot be stored holds up no other.</summary>
    private async Task AdvanceAsync(List<(GateDecision Decision, long Generation)> advances, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? refused = null;
        foreach (var (decision, generation) in advances)
        {
            var step = new MoveTo(decision.Target, false, Service, decision.Sentence);
            try
            {
                await store.ChangeAsync(decision.Operation, step, generation, generation, decision, cancellationToken);
                lease.Hurry();
            }
#pragma warning disable CA1031 // Thrown below, once the others have had their turn.
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                refused = ExceptionDispatchInfo.Capture(failure);
            }
#pragma warning restore CA1031
        }

        refused?.Throw();
    }

    /// <summary>Before anything that can fail: no advance, and no report, may stand in the way of a rollback.</summary>
    /// <returns>The steps that are earned and taken without anybody.</returns>
    private List<(GateDecision Decision, long Generation)> RollBackWhatTheGateRefuses()
    {
        var reading = board.Latest;
        List<(GateDecision, long)> advances = [];
        foreach (var (evidence, decision, _, generation) in reading.Operations)
        {
            if (lease.StateOf(evidence.Operation) is not { } state || state.Generation != generation
                || reading.Fingerprint != ledger.Fingerprint) continue;
            if (decision.Decision is GateVerdict.Rollback && evidence.Nominated)
                control.RollBack(evidence.Operation, string.Join("; ", decision.Reasons.Select(reason => reason.Text)));
            else if (decision.Decision is GateVerdict.Advance && state is { IsAutomatic: true, IsHeld: false }
                && !(decision.Target.Serves && !evidence.Nominated))
                advances.Add((decision, generation));
        }

        return advances;
    }
}
