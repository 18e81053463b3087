using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Postgres.Sandbox;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The answer of <c>/shadow/v1/status</c>. Members are added, never renamed.</summary>
/// <param name="Scope"><c>replica</c>: the counts are of the replica that answers, since it started.</param>
/// <param name="Generation">
/// How many changes of the rollout this replica has taken over, all operations together: it rises with each, and is 0 before the first.
/// </param>
/// <param name="Build">This build's fingerprint, as the gate names it and <c>nominate</c> takes it.</param>
/// <param name="Enabled">Whether shadowing is on right now.</param>
/// <param name="OffBecause">Every reason that holds it off; empty while it is on.</param>
internal sealed record ShadowStatus(
    DateTime AsOf,
    string Replica,
    string Scope,
    long Generation,
    string ConfigHash,
    bool Enabled,
    IReadOnlyList<string> OffBecause,
    ShadowedCode Fingerprint,
    IReadOnlyList<Finding> Findings,
    IReadOnlyList<OperationStatus> Operations,
    SandboxStatus Sandbox,
    string Build = "");

/// <summary>Where writes are compared.</summary>
/// <param name="Available">Whether there is a sandbox now; while there is none, writes are skipped as <c>sandbox_unavailable</c>.</param>
/// <param name="Blind">What no comparison in it can find.</param>
internal sealed record SandboxStatus(bool Available, IReadOnlyList<string> Blind);

/// <summary>Puts the status together.</summary>
internal sealed class StatusReader(
    ShadowingReport report, ShadowedCode code, Findings findings, ShadowSwitch shadowSwitch, RolloutLease lease, EvidenceLedger ledger,
    TimeProvider clock)
{
    public ShadowStatus Read() => new(
        clock.GetUtcNow().UtcDateTime, report.Replica, "replica", lease.States.Sum(state => state.Generation), report.ConfigHash(),
        report.IsOn, report.OffBecause, code, findings.All, report.Operations(), new(shadowSwitch.HasSandbox, WriteSandbox.Blind),
        ledger.Fingerprint);
}
