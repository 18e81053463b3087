using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Confirming;

/// <summary>
/// Asks both sides again, each in a sandbox on the very rows that the write began with: nobody else writes there, so that no movement can
/// excuse a difference, and none can make one. What a candidate that served did differently, for real, may be due to rows that others wrote
/// and nobody locked: that accuses nobody. It does where nobody else could have written.
/// </summary>
internal sealed class WriteConfirmer(PairJudge judge)
{
    /// <param name="compared">Its asking runs a side in the sandbox; the side that it was served by is the one whose observation is of the
    /// write for real.</param>
    /// <param name="second">The side that is held against the control; the control itself, where its own noise is asked for.</param>
    public async Task<(ConfirmationVerdict Found, Verdict Verdict)> ConfirmAsync<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate,
        ComparisonResult seen, Side second = Side.Candidate)
    {
        var (experiment, request, again, _) = compared;
        var controlAgain = await again(Side.Control);
        if (IsSilent(controlAgain)) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        if (!judge.Compare(experiment, request, control, controlAgain).IsSame)
        {
            // What the control met is not in the rows: a deadlock, a trigger, a row beyond the image. Nothing can be held against the
            // candidate.
            return control.Error is not null && controlAgain.Error is null
                ? (ConfirmationVerdict.ControlUnstable, new(Outcome.ControlError))
                : Undecided(ConfirmationVerdict.ControlUnstable, IncomparableReason.ControlUnstable);
        }

        var candidateAgain = await again(second);
        if (judge.IsUnavailable(candidateAgain.Error) || (second is Side.Control && IsSilent(candidateAgain)))
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        var pair = judge.Compare(experiment, request, controlAgain, candidateAgain);
        if (pair.Incomparable is { } reason) return Undecided(ConfirmationVerdict.Failed, reason);
        if (!pair.IsSame)
        {
            return (ConfirmationVerdict.Confirmed, candidateAgain.Error is not null
                ? judge.Failed(controlAgain, candidateAgain, pair.Differences)
                : new(Outcome.Mismatch, Differences: pair.Differences, Pair: ObservedPair.FromObservations(controlAgain, candidateAgain)));
        }

        if (candidate.Error is not null && control.Error is null)
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotReproduced);
        // The same rows twice, nobody else there, and not the same: a race with itself.
        var own = compared.Served is Side.Control ? seen.Differences
            : [.. seen.Differences.Where(difference => RowComparison.IsOwn(difference, candidate.Rows))];
        return own.Count == 0
            ? Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotReproduced)
            : (ConfirmationVerdict.Concurrency, new(
                Outcome.Mismatch,
                Differences: [.. own.Select(difference => difference with { Kind = DifferenceKind.Concurrency })],
                Pair: ObservedPair.FromObservations(control, candidate)));
    }

    /// <summary>Whether a control says nothing: the database was not there, or the sandbox was too slow for it.</summary>
    private bool IsSilent<TResult>(Observation<TResult> control) =>
        judge.IsUnavailable(control.Error) || control.Error is ShadowTimeoutException;

    private static (ConfirmationVerdict, Verdict) Undecided(ConfirmationVerdict found, IncomparableReason reason) =>
        (found, new(Outcome.Incomparable, reason));
}
