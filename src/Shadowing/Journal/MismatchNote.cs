using System.Diagnostics;
using Shadowing.Experiments;

namespace Shadowing.Journal;

/// <summary>A mismatch to be kept, with all its values: they are redacted before anything is.</summary>
/// <param name="Signature">What groups it with others.</param>
internal sealed record MismatchNote(Experiment Experiment, Signature Signature, Verdict Verdict, object Request)
{
    public required string Shape { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>
    /// The fingerprint that the comparison was evidence for: both sides' code, rules, engine and schema. The mismatch is open for it alone.
    /// </summary>
    public required string Build { get; init; }

    /// <summary>The request's trace; default where it has none.</summary>
    public ActivityContext Caller { get; init; }

    /// <summary>It was shown to a caller who may not see it, or stored other rows.</summary>
    public bool IsCritical { get; init; }

    /// <summary>It was shown to a caller who may not see it.</summary>
    public bool IsLeak { get; init; }

    /// <summary>How long ago the control gave the candidate's answer; null where it did not.</summary>
    public TimeSpan? StaleFor { get; init; }

    /// <summary>Whether the request stands for the traffic.</summary>
    public bool IsDue { get; init; }

    /// <summary>It is accepted as intended for now, and counts as tolerated.</summary>
    public bool IsAccepted { get; init; }
}
