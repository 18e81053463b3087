using System.Text.Json;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Postgres.Stores;

namespace Shadowing.Postgres.Keepers;

/// <summary>The policy by which the gate decides. It is in the audit before it is used.</summary>
internal sealed class PolicyInForce(GatePolicies policies, AuditLog audit, ShadowingReport report)
{
    private string? _recorded;

    /// <summary>The current policy; a changed one is recorded first.</summary>
    public async Task<GatePolicy> ReadAsync(CancellationToken cancellationToken)
    {
        var policy = policies.Current;
        var rules = JsonSerializer.Serialize(policy);
        if (rules == _recorded) return policy;
        await audit.AddAsync(
            "service", "gate.policy", report.Replica, (policy.IsWeakerThanDefault() ? "weaker than the default: " : "") + rules,
            cancellationToken);
        _recorded = rules;
        return policy;
    }
}
