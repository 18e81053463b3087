using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Keeps this replica and the store of one mind about the rollout: tells the store what was rolled back here, takes over what it says,
/// reports what has been applied, and does what the gate says by itself.
/// </summary>
internal sealed class RolloutKeeper(
    RolloutStore store, PendingRollbacks pending, RolloutLease lease, ShadowingControl control, GateSteps steps, AppliedReport report,
    RolloutFindings findings, KeeperRegister keepers) : Keeper(
        // More often than each second, so that a rollback elsewhere is applied within one even if its notification is lost.
        // Bounded: a replica that waits for a store that does not answer confirms nothing and rolls nothing back.
        new("rollout", TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2))
        {
            HoldsGate = true,
            LongestPause = TimeSpan.FromMilliseconds(400),
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
        // Beside each other: what cannot be published must not keep this replica from hearing of the others.
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

    /// <summary>Takes over what the store says, and reports what has been applied.</summary>
    /// <returns>The advances that are left to take.</returns>
    private async Task<IReadOnlyList<EarnedStep>> HearAsync(CancellationToken cancellationToken)
    {
        var asked = Clock.GetTimestamp();
        var reading = await store.ReadAsync([.. control.Experiments.Select(experiment => experiment.Operation)], cancellationToken);
        lease.Confirm(asked, reading.States, reading.Unreadable);
        control.Refresh();
        var advances = steps.RollBackWhatIsRefused();
        findings.Publish();
        await report.SendAsync(control.Experiments, cancellationToken);
        return advances;
    }
}
