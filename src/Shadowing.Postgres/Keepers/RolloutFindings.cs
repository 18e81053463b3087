using Shadowing.Experiments;
using Shadowing.Rollout;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>Says in the findings which states of the store are refused, and which rules of the application have thrown.</summary>
internal sealed class RolloutFindings(RolloutLease lease, RuleFaults rules, Findings findings)
{
    /// <summary>Replaces what was said before.</summary>
    public void Publish()
    {
        findings.Replace("rollout", [.. lease.Refused.Select(refused =>
            new Finding(Finding.Critical, "shadow.rollout", $"Refused, and rolled back here: {refused}."))]);
        findings.Replace("rules", [.. rules.All.Select(fault => fault.ToFinding())]);
    }
}
