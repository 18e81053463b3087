using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Confirming;

/// <summary>
/// Asks both sides again, each in a sandbox with the rows that the write began with. No other transaction writes there, so no concurrent
/// change can cause or explain a difference. If a served candidate differs in its real write but not in the sandbox, rows that other
/// transactions wrote may be the cause. Such a difference is incomparable, except in rows that only this write could change.
/// </summary>
internal sealed class WriteConfirmer(PairJudge judge)
{
    /// <param name="compared">
    /// The pair to confirm. Asking it again runs a side in the sandbox; the served side's first observation is of the real write.
    /// </param>
    /// <param name="second">The side that is compared with the control; the control itself, to measure its own noise.</param>
    public async Task<(ConfirmationVerdict Found, Verdict Verdict)> ConfirmAsync<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate,
        ComparisonResult seen, Side second = Side.Candidate)
    {
        var (experiment, request, again, _) = compared;
        var controlAgain = await again(Side.Control);
        if (IsSilent(controlAgain)) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        if (!HasSameEffects(control.Rows, controlAgain.Rows) || !judge.Compare(experiment, request, control, controlAgain).IsSame)
        {
            // The cause of the control's result is not in the rows: a deadlock, a trigger, a row beyond the image. So the candidate cannot
            // be compared with it.
            return control.Error is not null && controlAgain.Error is null
                ? (ConfirmationVerdict.ControlUnstable, new(Outcome.ControlError))
                : Undecided(ConfirmationVerdict.ControlUnstable, IncomparableReason.ControlUnstable);
        }

        var candidateAgain = await again(second);
        if (judge.IsUnavailable(candidateAgain.Error) || (second is Side.Control && IsSilent(candidateAgain)))
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        if (judge.OnlyHere(candidateAgain.Error) is not null && !judge.FailAlike(control.Error, candidateAgain.Error))
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.RefusedInShadow);
        var pair = judge.Compare(experiment, request, controlAgain, candidateAgain);
        if (pair.Incomparable is { } reason) return Undecided(ConfirmationVerdict.Failed, reason);
        if (!pair.IsSame)
        {
            return (ConfirmationVerdict.Confirmed, candidateAgain.Error is not null
                ? judge.Failed(controlAgain, candidateAgain, pair.Differences)
                : new(Outcome.Mismatch, Differences: pair.Differences, Pair: ObservedPair.FromObservations(controlAgain, candidateAgain))
                {
                    IsCut = pair.TotalDifferences > pair.Differences.Count,
                });
        }

        if (candidate.Error is not null && control.Error is null)
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotReproduced);
        // The sides agree now, on the same rows and without other transactions: the difference came from a race in a side's own code.
        // Of rows between two snapshots it is not certain who has changed them.
        var own = compared.Served is Side.Control ? seen.Differences
            : candidate.Rows?.Window is not null ? []
            : [.. seen.Differences.Where(difference => RowComparison.IsOwn(difference, candidate.Rows))];
        return own.Count == 0
            ? Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotReproduced)
            : (ConfirmationVerdict.Concurrency, new(
                Outcome.Mismatch,
                Differences: [.. own.Select(difference => difference.AsConcurrency())],
                Pair: ObservedPair.FromObservations(control, candidate)));
    }

    /// <summary>
    /// Whether the side that served does in the sandbox what its real write did, command by command: then the image has every row that it
    /// changed.
    /// </summary>
    public async Task<bool> IsReproducedAsync<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> real)
    {
        var again = await compared.Ask(compared.Served);
        return !IsSilent(again) && HasSameEffects(real.Rows, again.Rows)
            && judge.Compare(compared.Experiment, compared.Request, real, again).IsSame;
    }

    private static bool HasSameEffects(WrittenRows? written, WrittenRows? again) =>
        written is null || again is null || written.Effects.SequenceEqual(again.Effects);

    /// <summary>Whether a control's result is useless: the database was unavailable, or the sandbox was too slow.</summary>
    private bool IsSilent<TResult>(Observation<TResult> control) =>
        judge.IsUnavailable(control.Error) || control.Error is ShadowTimeoutException;

    private static (ConfirmationVerdict, Verdict) Undecided(ConfirmationVerdict found, IncomparableReason reason) =>
        (found, new(Outcome.Incomparable, reason));
}
