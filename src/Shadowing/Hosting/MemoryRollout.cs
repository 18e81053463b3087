using System.Collections.Frozen;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.Hosting;

/// <summary>
/// Stands for the store where none is registered: every operation is in the stage shadow and stays there, and evidence that no store takes
/// is dropped. The counts of the status remain.
/// </summary>
internal sealed class MemoryRollout(
    RolloutLease lease, EvidenceLedger ledger, ShadowingControl control, RuleFaults rules, Findings findings, KeeperRegister keepers)
    : Keeper(new("rollout", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)) { LongestPause = TimeSpan.FromSeconds(1) }, keepers)
{
    private readonly RolloutState[] _states =
        [.. control.Experiments.Select(experiment => new RolloutState(experiment.Operation, 0, Stage.Shadow))];

    protected override bool StartsAtOnce => true;

    protected override Task StepAsync(CancellationToken cancellationToken)
    {
        lease.Confirm(Clock.GetTimestamp(), _states, FrozenDictionary<string, string>.Empty);
        control.Refresh();
        findings.Replace("rules", [.. rules.All.Select(fault => fault.ToFinding())]);
        while (ledger.Take() is { } batch) ledger.Stored(batch);
        return Task.CompletedTask;
    }
}
