using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Serving;

/// <summary>Tells what a comparison is evidence of: which case, whose request, and whether it showed rows.</summary>
internal sealed class ComparedCases(RuleFaults rules, RecentAnswers recent)
{
    /// <summary>Keeps for a while that the control has given an answer.</summary>
    public void Saw(Experiment experiment, ulong? hash)
    {
        if (hash is { } known && !experiment.Writes) recent.Saw(known);
    }

    /// <summary>How long ago the control gave the answer that the candidate gives now; null where it is no earlier answer.</summary>
    public TimeSpan? StaleFor<TStore, TRequest, TResult>(ComparedRequest<TStore, TRequest, TResult> compared, Verdict verdict)
    {
        var experiment = compared.Experiment;
        if (experiment.Writes || verdict is not { Outcome: Outcome.Mismatch, Pair: { CandidateError: null, ControlError: null } pair })
            return null;
        return rules.TryAsk(
            experiment, nameof(experiment.CaseOf),
            about => CaseHash.Compute(experiment.Operation, compared.Shape, experiment.CaseOf(compared.Request), about, null),
            pair.Candidate, out var answer) ? recent.AgeOf(answer) : null;
    }

    /// <summary>Who asked. A rule that names 0 for every request, as the default does, tells no users apart.</summary>
    public long? UserOf<TStore, TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request) =>
        rules.UserOf(experiment, request) is { } user and not 0 ? user : null;

    /// <summary>Whether what the control answered, or wrote, shows rows.</summary>
    public bool HasRows<TStore, TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, Observation<TResult> control, TResult? answer) =>
        control.Rows is { Changes.Count: > 0 } || (control.Error is null && answer is not null
            && rules.Ask(experiment, nameof(experiment.ShowsRows), experiment.ShowsRows, answer, false));

    /// <returns>
    /// Null where the comparison is no case, or where the case cannot be told, which is a fault of the rule: then an equal answer proves
    /// nothing, and one that differs counts each time as another case.
    /// </returns>
    public ulong? TryCaseOf<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Verdict verdict)
    {
        var experiment = compared.Experiment;
        return rules.Ask<ComparedRequest<TStore, TRequest, TResult>, ulong?>(
                experiment, nameof(experiment.CaseOf), about => CaseOf(about, control, verdict), compared, null)
            ?? (verdict.Outcome.IsWrong() ? CaseHash.Compute(experiment.Operation, compared.Shape, Guid.NewGuid(), null, null) : null);
    }

    /// <returns>Null where the comparison is no case.</returns>
    private ulong? CaseOf<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Verdict verdict)
    {
        var (experiment, request, shape) = (compared.Experiment, compared.Request, compared.Shape);
        if (verdict.Outcome is Outcome.Incomparable or Outcome.ControlError) return null;
        // What a concurrent change explains was equal on the snapshot: that pair is the case, where it is known that users see the same.
        if (verdict is { Outcome: Outcome.Transient, Pair: null }) return null;
        var errorType = control.Error?.GetType().Name;
        var answer = verdict.Outcome is Outcome.Transient ? (TResult?)verdict.Pair!.Control : control.Value;
        // All requests of a shape that find nothing, or are refused alike, are one case: a caller could make any number of them.
        if (!verdict.Outcome.IsWrong() && !HasRows(experiment, control, answer) && (!experiment.Writes || control.Rows is not null))
            return CaseHash.Compute(experiment.Operation, shape, "without rows", null, errorType);
        if (experiment.Writes)
        {
            return control.Rows is not { } rows ? null : CaseHash.Compute(
                experiment.Operation, shape, new[] { experiment.CaseOf(request), WriteCase.Before(rows.Before) },
                rows.Changes.Count > 0 ? WriteCase.After(rows) : WriteCase.Answer(control.Value, rows), errorType);
        }

        return CaseHash.Compute(experiment.Operation, shape, experiment.CaseOf(request), answer, errorType);
    }
}
