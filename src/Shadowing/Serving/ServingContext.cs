using Shadowing.Confirming;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
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

    /// <summary>Counts that a side has answered a user, or failed to; and how long that took, where it is timed.</summary>
    /// <param name="isFallback">Whether the candidate was asked first, and failed or took too long.</param>
    public void Served(in Admission admission, Side side, bool isFallback, TimeSpan duration, Exception? error)
    {
        admission.Operation.Tally.Served(side, isFallback);
        if (admission.IsTimed) Metrics.Served(admission.Operation.Experiment, side, duration, error);
    }

    /// <summary>What shadowing added to a caller's own flow.</summary>
    public void Overhead(in Admission admission, TimeSpan elapsed)
    {
        if (admission.IsTimed) Metrics.Overhead(admission.Operation.Experiment, elapsed);
    }

    /// <summary>The gate's policy in force.</summary>
    public GatePolicy Policy => Policies.Current;
}
