using Microsoft.Extensions.Logging;
using Shadowing.Comparison;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Serving;

/// <summary>How a comparison was counted.</summary>
/// <param name="Signature">The mismatch's; null where nothing differed.</param>
internal sealed record Recorded(Outcome Outcome, Signature? Signature, bool IsCritical);

/// <summary>Counts how a comparison ended: in the tally, the metrics and, where there is something to explain, the journal.</summary>
internal sealed partial class ComparisonRecorder(
    OperationMetrics metrics, MismatchExplainer mismatches, EvidenceLedger evidence, RuleFaults rules, TimeProvider clock,
    ILogger<ComparisonRecorder> logger)
{
    /// <returns>An accepted mismatch is tolerated.</returns>
    /// <param name="live">How the two observations differed as they were made.</param>
    public Recorded Record<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, OperationState operation, Observation<TResult> control,
        Observation<TResult> candidate, Verdict verdict, IReadOnlyList<Difference> live)
    {
        var (experiment, now) = (compared.Experiment, clock.GetUtcNow());
        var slot = operation.Evidence.SlotOf(compared.Shape);
        var found = mismatches.Explain(compared, verdict, now);
        verdict = found.Verdict;
        if (verdict.Change is { } change) operation.Transients.Add(Transient(experiment, live, compared.Shape, change, now), change.By);
        if (verdict.Outcome is Outcome.Match or Outcome.Tolerated && !found.IsAccepted
            && candidate.Ledger.Statements > control.Ledger.Statements)
            mismatches.NoteStatements(compared, control, candidate, now);

        Count(compared, control, candidate, verdict, slot);
        metrics.Observed(experiment, Side.Control, PositionOf(Side.Control), control);
        metrics.Observed(experiment, Side.Candidate, PositionOf(Side.Candidate), candidate);
        metrics.Compared(experiment, verdict, now);
        foreach (var group in found.Groups) metrics.Mismatch(experiment, group.First, group.IsCritical);
        var trace = compared.Caller == default ? "none" : compared.Caller.TraceId.ToHexString();
        foreach (var (path, kind) in operation.Tally.Compared(verdict, [.. found.Groups.Select(group => group.Key)], control, candidate))
            LogNewMismatch(experiment.Operation, path.Length == 0 ? "the answer" : path, kind.Wire(), verdict.ErrorType ?? "",
                found.Signature!.Id, trace);
        return new(verdict.Outcome, found.Signature, found.IsCritical);

        Position PositionOf(Side side) => side == compared.Served ? Position.Served : Position.Shadow;
    }

    /// <summary>Counts a comparison of a sweep: in no figure of live traffic, but in the journal and for the gate.</summary>
    /// <returns>As for live traffic; and the case, null where nothing could be said.</returns>
    public (Recorded Recorded, ulong? Case) Swept<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Verdict verdict)
    {
        var found = mismatches.Explain(compared, verdict, clock.GetUtcNow());
        metrics.Swept(compared.Experiment, found.Verdict.Outcome);
        return (new(found.Verdict.Outcome, found.Signature, found.IsCritical), TryCaseOf(compared, control, found.Verdict));
    }

    private void Count<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate,
        Verdict verdict, EvidenceSlot slot)
    {
        bool? more = control.Error is null && candidate.Error is null ? candidate.Ledger.Statements > control.Ledger.Statements : null;
        evidence.Compared(slot, TryCaseOf(compared, control, verdict), verdict.Outcome, more);
    }

    /// <returns>
    /// Null where the comparison is no case, or where the case cannot be told, which is a fault of the rule: then an equal answer proves
    /// nothing, and one that differs counts each time as another case.
    /// </returns>
    private ulong? TryCaseOf<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Verdict verdict)
    {
        var experiment = compared.Experiment;
        return rules.Ask<ComparedRequest<TStore, TRequest, TResult>, ulong?>(
                experiment, nameof(experiment.CaseOf), about => CaseOf(about, control, verdict), compared, null)
            ?? (verdict.Outcome.IsWrong() ? CaseHash.Compute(experiment.Operation, compared.Shape, Guid.NewGuid(), null, null) : null);
    }

    /// <returns>Null where the comparison is no case.</returns>
    private static ulong? CaseOf<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Verdict verdict)
    {
        var (experiment, request, shape) = (compared.Experiment, compared.Request, compared.Shape);
        if (verdict.Outcome is Outcome.Incomparable or Outcome.ControlError) return null;
        // What a concurrent change explains was equal on the snapshot: that pair is the case, where it is known that users see the same.
        if (verdict is { Outcome: Outcome.Transient, Pair: null }) return null;
        var errorType = control.Error?.GetType().Name;
        if (experiment.Writes)
        {
            return control.Rows is not { } rows ? null : CaseHash.Compute(
                experiment.Operation, shape, new[] { experiment.CaseOf(request), WriteCase.Before(rows.Before) },
                rows.Changes.Count > 0 ? WriteCase.After(rows) : WriteCase.Answer(control.Value, rows), errorType);
        }

        var answer = verdict.Outcome is Outcome.Transient ? verdict.Pair!.Control : control.Value;
        return CaseHash.Compute(experiment.Operation, shape, experiment.CaseOf(request), answer, errorType);
    }

    /// <param name="operation">Null where the comparison had been counted before the fault.</param>
    public void Faulted(Experiment experiment, OperationState? operation, string shape, Exception fault)
    {
        if (operation is not null) Undecided(experiment, operation, shape, IncomparableReason.ComparerFailed, fault.GetType().Name);

        // Its message may quote what was compared, and so stays out of the log.
        LogFault(experiment.Operation, fault.GetType().FullName ?? "", fault.StackTrace ?? "");
    }

    /// <summary>A comparison of which nothing can be said, before both sides were observed.</summary>
    public void Undecided(
        Experiment experiment, OperationState operation, string shape, IncomparableReason reason, string? errorType = null)
    {
        var verdict = new Verdict(Outcome.Incomparable, reason, ErrorType: errorType);
        evidence.Compared(operation.Evidence.SlotOf(shape), null, verdict.Outcome, null);
        metrics.Compared(experiment, verdict, clock.GetUtcNow());
        operation.Tally.Failed(verdict);
    }

    private static ExplainedTransient Transient(
        Experiment experiment, IReadOnlyList<Difference> live, string shape, ConcurrentChange change, DateTimeOffset now) => new(
        now, experiment.Operation, shape, Signature.ForDifferences(experiment.Operation, live, null).Differences, change.By.Wire(),
        change.Paths, change.Rows);

    [LoggerMessage(10, LogLevel.Warning,
        "New mismatch in {Operation} at {Path}: {Kind} {ErrorType}, signature {Signature}, request trace {RequestTraceId}. Later ones like "
        + "it are only counted.")]
    private partial void LogNewMismatch(
        string operation, string path, string kind, string errorType, string signature, string requestTraceId);

    [LoggerMessage(11, LogLevel.Error,
        "The shadow of {Operation} failed in its own machinery ({Fault}); unless it had been counted, the comparison is incomparable. "
        + "{Stack}")]
    private partial void LogFault(string operation, string fault, string stack);
}
