using ShadowTicketing.Api.Shadowing;
using ShadowTicketing.Shadowing;

namespace ShadowTicketing.Api.Operations;

/// <summary>The answer of <c>/shadow/v1/status</c>. Members are added, never renamed.</summary>
/// <param name="Scope"><c>replica</c>: the counts are of the replica that answers, since it started.</param>
/// <param name="Generation">Of the rollout state; 1 while the settings alone decide.</param>
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
    Fingerprints Fingerprint,
    IReadOnlyList<Finding> Findings,
    IReadOnlyList<OperationStatus> Operations);

/// <summary>Puts the status together.</summary>
internal sealed class StatusReader(ShadowingReport report, Findings findings, TimeProvider clock)
{
    public ShadowStatus Read() => new(
        clock.GetUtcNow().UtcDateTime, report.Replica, "replica", Generation: 1, report.ConfigHash(), report.IsOn, report.OffBecause,
        Fingerprints.Current, findings.All, report.Operations());
}
