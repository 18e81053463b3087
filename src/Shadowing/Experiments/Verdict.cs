using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>How a comparison ended, and what it rests on.</summary>
/// <param name="Reason">Set where the outcome is incomparable.</param>
/// <param name="Differences">
/// Of the observations that decided: the pair on one snapshot or in the sandbox, or the live pair where that is what differs.
/// </param>
/// <param name="ErrorType">The candidate's error; null where it had none.</param>
/// <param name="Change">What explains a transient difference; set with that outcome and no other.</param>
/// <param name="Tolerated">Why it is tolerated: a rule's reason, or that somebody accepted it.</param>
/// <param name="Pair">The two observations that differ; of a transient difference, the two that agree on the
/// snapshot, null where it is not known whether users see the same. Null where nothing differed.</param>
internal sealed record Verdict(
    Outcome Outcome,
    IncomparableReason? Reason = null,
    IReadOnlyList<Difference>? Differences = null,
    string? ErrorType = null,
    ConcurrentChange? Change = null,
    string? Tolerated = null,
    ObservedPair? Pair = null);

/// <summary>
/// What both sides did with one request, for whoever explains their difference. Lives as long as the comparison, and is stored nowhere.
/// </summary>
internal sealed record ObservedPair(
    object? Control, object? Candidate, Exception? ControlError, Exception? CandidateError, StatementLedger ControlSql,
    StatementLedger CandidateSql)
{
    /// <summary>What both left of the rows; null for reads.</summary>
    public (WrittenRows Control, WrittenRows Candidate)? Rows { get; private init; }

    public static ObservedPair FromObservations<T>(Observation<T> control, Observation<T> candidate) =>
        new(control.Value, candidate.Value, control.Error, candidate.Error, control.Ledger, candidate.Ledger)
        {
            Rows = control.Rows is { } left && candidate.Rows is { } right ? (left, right) : null,
        };
}
