using Shadowing.Comparison;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Serving;

internal readonly record struct ExplainedGroup((string Path, DifferenceKind Kind) Key, Difference First, bool IsLeak, bool IsStored)
{
    /// <summary>Whether it was shown to a caller who may not see it, or was stored wrongly: neither can be undone.</summary>
    public bool IsCritical => IsLeak || IsStored;
}

/// <param name="Verdict">The verdict that counts: an accepted mismatch is tolerated.</param>
/// <param name="Groups">The differences that count, each path and kind once.</param>
internal sealed record Explained(
    Verdict Verdict, IReadOnlyList<ExplainedGroup> Groups, Signature? Signature, bool IsCritical, bool IsAccepted);

/// <summary>Explains differences, and keeps them in the journal.</summary>
internal sealed class MismatchExplainer(
    MismatchJournal journal, Acceptances acceptances, AcceptedCounts counts, EvidenceLedger evidence, RuleFaults rules)
{
    /// <summary>The differences that count, and the verdict after acceptances. A difference is noted in the journal.</summary>
    /// <param name="staleFor">How long ago the control gave the candidate's answer; null where it did not.</param>
    /// <param name="isDue">Whether it is a comparison of live traffic that stands for the traffic.</param>
    public Explained Explain<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Verdict verdict, DateTimeOffset now, TimeSpan? staleFor = null,
        bool isDue = false)
    {
        var (experiment, request) = (compared.Experiment, compared.Request);
        // Where the rule throws, a difference counts as a leak.
        var groups = (verdict.Differences ?? [])
            .GroupBy(difference => (difference.Pattern, difference.Kind))
            .Select(group => new ExplainedGroup(
                group.Key, group.First(), group.Any(difference => Leaks(difference.Original)), group.Any(RowComparison.IsStored)))
            .ToArray();
        var signature = groups.Length == 0 ? null : Signature.ForDifferences(experiment.Operation, verdict.Differences!, verdict.ErrorType);
        var isCritical = groups.Any(group => group.IsCritical) || verdict.IsCut;
        var isAccepted = false;
        if (isDue && verdict.Outcome is not (Outcome.Incomparable or Outcome.ControlError))
            counts.Compared(experiment.Operation, verdict.Outcome is Outcome.Mismatch ? signature?.Id : null, now);
        if (signature is not null)
        {
            var note = new MismatchNote(experiment, signature, verdict, request!)
            {
                Shape = compared.Shape,
                Build = evidence.Fingerprint,
                At = now,
                Caller = compared.Caller,
                IsCritical = isCritical,
                IsLeak = groups.Any(group => group.IsLeak),
                StaleFor = staleFor,
                IsDue = isDue,
            };
            isAccepted = verdict.Outcome is Outcome.Mismatch && !isCritical && IsAccepted(note);
            Note(note with { IsAccepted = isAccepted });
        }

        return isAccepted
            ? new(verdict with { Outcome = Outcome.Tolerated, Tolerated = OperationMetrics.Accepted }, [], signature, isCritical, true)
            : new(verdict, groups, signature, isCritical, isAccepted);

        bool Leaks(Difference difference) =>
            rules.Ask(experiment, nameof(experiment.Leaks), about => experiment.Leaks(request, about), difference, otherwise: true);
    }

    /// <summary>
    /// An acceptance is for the causes that were seen when it was given and for about as many, not for whatever differs in the same place.
    /// </summary>
    private bool IsAccepted(MismatchNote note) => acceptances.FindAcceptance(note.Signature.Id, note.At) is { HasGrown: false } accepted
        && (accepted.Causes.Count == 0 || accepted.NewAmong([MismatchJournal.DiagnosisOf(note).Cause]).Count == 0);

    /// <summary>Notes equal answers for which the candidate needed more statements: no mismatch, but explained in the same way.</summary>
    public void NoteStatements<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate,
        DateTimeOffset now)
    {
        Difference[] more = [new("", DifferenceKind.Statements, control.Ledger.Statements, candidate.Ledger.Statements)];
        var verdict = new Verdict(Outcome.Match, Differences: more, Pair: ObservedPair.FromObservations(control, candidate));
        var signature = Signature.ForDifferences(compared.Experiment.Operation, more, null);
        Note(new(compared.Experiment, signature, verdict, compared.Request!)
        {
            Shape = compared.Shape,
            Build = evidence.Fingerprint,
            At = now,
            Caller = compared.Caller,
        });
    }

    /// <summary>
    /// Keeps a sample. It reads members of the request and of both answers, which may throw. Then the sample is lost, and the mismatch
    /// still counts.
    /// </summary>
    private void Note(MismatchNote note) => rules.Ask(note.Experiment, "sample", about =>
    {
        journal.Note(about);
        return true;
    }, note, otherwise: false);
}
