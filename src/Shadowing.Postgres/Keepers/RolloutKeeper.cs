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
/// Synchronises this replica's rollout with the store: publishes the rollbacks made here, applies the stored states, and reports what has
/// been applied. It also acts on the gate: it always rolls back, and advances where an operation is automatic.
/// </summary>
internal sealed class RolloutKeeper(
    RolloutStore store, PendingRollbacks pending, ReplicaRegister replicas, RolloutLease lease, ShadowingControl control, GateBoard board,
    EvidenceLedger ledger, InstanceRecord instance, IEnumerable<Experiment> experiments, ShadowingReport report, Findings findings,
    KeeperRegister keepers, TimeProvider clock) : Keeper(
        // More often than each second, so that a rollback elsewhere is applied within one second even if its notification is lost.
        // With a time limit: a replica that waits for a store without an answer confirms no state and rolls nothing back.
        new("rollout", TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2))
        {
            HoldsGate = true,
            LongestPause = TimeSpan.FromMilliseconds(400),
        },
        keepers, clock)
{
    /// <summary>The actor in the audit where the service acts by itself.</summary>
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
        // In parallel: a rollback that cannot be published must not keep this replica from reading the stored states.
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

    /// <summary>Applies the stored states, and reports what has been applied.</summary>
    /// <returns>The steps that the gate grants and that no operator needs to take.</returns>
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

    /// <summary>Tries each step by itself: one that cannot be stored does not delay the others.</summary>
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
#pragma warning disable CA1031 // Thrown below, once the other steps have been tried.
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                refused = ExceptionDispatchInfo.Capture(failure);
            }
#pragma warning restore CA1031
        }

        refused?.Throw();
    }

    /// <summary>Runs before anything that can fail, so that no failed advance or report delays a rollback.</summary>
    /// <returns>The steps that the gate grants and that no operator needs to take.</returns>
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
