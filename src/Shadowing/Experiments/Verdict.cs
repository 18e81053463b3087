using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>The outcome of a comparison, with its grounds.</summary>
/// <param name="Reason">Set where the outcome is incomparable.</param>
/// <param name="Differences">
/// Those of the deciding observations: the pair on one snapshot or in the sandbox, or the live pair where only that differs.
/// </param>
/// <param name="ErrorType">The category of the candidate's error; null where it had none.</param>
/// <param name="Change">The concurrent change that explains a transient difference; set with that outcome only.</param>
/// <param name="Tolerated">Why it is tolerated: a rule's reason, or that the signature is accepted.</param>
/// <param name="Pair">
/// The two observations that differ. For a transient difference, the two that agree on the snapshot; null where it is not known whether
/// users see the same rows. Null where nothing differed.
/// </param>
internal sealed record Verdict(
    Outcome Outcome,
    IncomparableReason? Reason = null,
    IReadOnlyList<Difference>? Differences = null,
    string? ErrorType = null,
    ConcurrentChange? Change = null,
    string? Tolerated = null,
    ObservedPair? Pair = null)
{
    /// <summary>
    /// Whether there are differences beyond those that were kept. Whatever depends on all of them is decided as if the worst were among
    /// these.
    /// </summary>
    public bool IsCut { get; init; }
}

/// <summary>
/// What both sides did with one request, for explaining their difference. Lives as long as the comparison, and is never stored.
/// </summary>
internal sealed record ObservedPair(
    object? Control, object? Candidate, Exception? ControlError, Exception? CandidateError, StatementLedger ControlSql,
    StatementLedger CandidateSql)
{
    /// <summary>What both sides left of the rows; null for reads.</summary>
    public (WrittenRows Control, WrittenRows Candidate)? Rows { get; private init; }

    public static ObservedPair FromObservations<T>(Observation<T> control, Observation<T> candidate) =>
        new(control.Value, candidate.Value, control.Error, candidate.Error, control.Ledger, candidate.Ledger)
        {
            Rows = control.Rows is { } left && candidate.Rows is { } right ? (left, right) : null,
        };
}
