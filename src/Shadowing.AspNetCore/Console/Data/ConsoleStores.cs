using Shadowing.AspNetCore.Endpoints;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Shadowing.Sweeping;

namespace Shadowing.AspNetCore.Console.Data;

/// <summary>What there is only where evidence is kept.</summary>
internal sealed record ConsoleStores(
    RolloutReader Rollout, Rollbacks Rollbacks, ReplicaRegister Replicas, AuditLog Audit, ServedStore Served, SweepStore Sweeps,
    IReadOnlyList<Sweep> Sweepable, AcceptanceWriter Acceptances)
{
    /// <summary>The build that sweeps are ordered for.</summary>
    public required EvidenceLedger Ledger { get; init; }

    /// <summary>Mismatches that count without holding the gate.</summary>
    public required TriageStore Triages { get; init; }
}
