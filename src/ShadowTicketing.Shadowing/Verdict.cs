using ShadowTicketing.Shadowing.Comparison;

namespace ShadowTicketing.Shadowing;

/// <summary>How a comparison ended, and what it rests on.</summary>
/// <param name="Reason">Set where the outcome is incomparable.</param>
/// <param name="Differences">Of the observations that decided: the pair on one snapshot, or the live pair where that is what differs.</param>
/// <param name="ErrorType">The candidate's error; null where it had none.</param>
internal sealed record Verdict(
    Outcome Outcome, IncomparableReason? Reason = null, IReadOnlyList<Difference>? Differences = null, string? ErrorType = null);
