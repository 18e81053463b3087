using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Synchronises this replica's rollout with the store: publishes the rollbacks made here, applies the stored states, reports what has been
/// applied, and takes the steps that the gate grants or demands.
/// </summary>
internal sealed class RolloutKeeper(
    RolloutPoll poll, PendingRollbacks pending, RolloutLease lease, ShadowingControl control, GateSteps steps, AppliedReport report,
    RolloutFindings findings, KeeperRegister keepers) : Keeper(
        // More often than each second, so that a rollback elsewhere is applied within one second even if its notification is lost.
        // With a time limit: a replica that waits for a store without an answer confirms no state and rolls nothing back.
        new("rollout", TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2))
        {
            HoldsGate = true,
            NeedsStore = true,
            LongestPause = TimeSpan.FromMilliseconds(500),
        },
        keepers)
{
    protected override bool StartsAtOnce => true;

    protected override Task PartAsync(CancellationToken cancellationToken) => report.LeaveAsync(cancellationToken);

    protected override Task WaitAsync(PeriodicTimer tick, CancellationToken stopping) => lease.WaitAsync(Plan.Interval, stopping);

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!report.HasBegun)
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
        IReadOnlyList<EarnedStep> advances;
        try
        {
            advances = await HearAsync(cancellationToken);
        }
        finally
        {
            await publishing;
        }

        await steps.AdvanceAsync(advances, cancellationToken);
    }

    /// <summary>Applies the stored states, and reports what has been applied.</summary>
    /// <returns>The advances that the gate grants and that need no operator.</returns>
    private async Task<IReadOnlyList<EarnedStep>> HearAsync(CancellationToken cancellationToken)
    {
        var sent = report.Read(control.Experiments);
        await poll.AskAsync([.. control.Experiments.Select(experiment => experiment.Operation)], sent, cancellationToken);
        control.Refresh();
        var advances = steps.RollBackWhatIsRefused();
        findings.Publish();
        await report.SendChangedAsync(sent, control.Experiments, cancellationToken);
        return advances;
    }
}
