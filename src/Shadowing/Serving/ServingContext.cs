using Shadowing.Confirming;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Rollout;
using Shadowing.Supervision;

namespace Shadowing.Serving;

/// <summary>What serving and comparing use and report to, independent of the store's type.</summary>
/// <param name="Answers">What the candidate has answered.</param>
/// <param name="Policies">The gate's, for what the replica itself acts on.</param>
internal sealed record ServingContext(
    OperationStates Operations, ShadowingControl Control, OperationMetrics Metrics, EvidenceLedger Evidence, ServedJournal Answers,
    DatabaseTimeBudget Budget, PairJudge Judge, RuleFaults Rules, ShadowRefusals Refusals, WriteCrowds Crowds, TimeProvider Clock,
    GatePolicies Policies)
{
    /// <summary>Whether a shadow may run at all.</summary>
    public ShadowSwitch Switch => Control.Switch;

    /// <summary>The gate's policy in force.</summary>
    public GatePolicy Policy => Policies.Current;
}
