using Microsoft.Extensions.Logging;
using Shadowing.Comparison;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>How a comparison was counted.</summary>
/// <param name="Signature">The mismatch's; null where nothing differed.</param>
internal sealed record Recorded(Outcome Outcome, Signature? Signature, bool IsCritical);

/// <summary>Counts how a comparison ended: in the tally, the metrics and, where there is something to explain, the journal.</summary>
internal sealed partial class ComparisonRecorder(
    OperationMetrics metrics, MismatchExplainer mismatches, EvidenceLedger evidence, ComparedCases cases, TimeProvider clock,
    ILogger<ComparisonRecorder> logger)
{
    /// <summary>What a comparison is counted as.</summary>
    public ComparedCases Cases => cases;

    /// <returns>An accepted mismatch is tolerated.</returns>
    /// <param name="live">How the two observations differed as they were made.</param>
    public Recorded Record<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, OperationState operation, Observation<TResult> control,
        Observation<TResult> candidate, Verdict verdict, IReadOnlyList<Difference> live)
    {
        var (experiment, now) = (compared.Experiment, clock.GetUtcNow());
        var slot = operation.Evidence.SlotOf(compared.Shape);
        var found = mismatches.Explain(compared, verdict, now, cases.StaleFor(compared, verdict), compared.IsDue);
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
        return (new(found.Verdict.Outcome, found.Signature, found.IsCritical), cases.TryCaseOf(compared, control, found.Verdict));
    }

    /// <summary>
    /// Counts a run of the candidate beside itself: in no figure of live traffic, but in the journal, and where it is wrong for the gate.
    /// </summary>
    /// <returns>As for live traffic.</returns>
    public Recorded Overlapped<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, OperationState operation, Observation<TResult> control, Verdict verdict)
    {
        var slot = operation.Evidence.SlotOf(compared.Shape);
        var found = mismatches.Explain(compared, verdict, clock.GetUtcNow());
        metrics.Overlapped(compared.Experiment, found.Verdict.Outcome);
        if (found.Verdict.Outcome.IsWrong())
        {
            evidence.FoundWrong(slot, cases.TryCaseOf(compared, control, found.Verdict));
            foreach (var group in found.Groups) metrics.Mismatch(compared.Experiment, group.First, group.IsCritical);
        }

        return new(found.Verdict.Outcome, found.Signature, found.IsCritical);
    }

    private void Count<TStore, TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate,
        Verdict verdict, EvidenceSlot slot)
    {
        var hash = cases.TryCaseOf(compared, control, verdict);
        cases.Saw(compared.Experiment, hash);
        evidence.Compared(slot, new(hash, verdict.Outcome)
        {
            CandidateSentMore = control.Error is null && candidate.Error is null
                ? candidate.Ledger.Statements > control.Ledger.Statements : null,
            HasRows = cases.HasRows(compared.Experiment, control, control.Value),
            User = cases.UserOf(compared.Experiment, compared.Request),
            IsDue = compared.IsDue,
            Duration = (compared.Served is Side.Control ? control : candidate).Duration,
            BothRan = true,
            CandidateFlaked = candidate.Error is not null && verdict.Reason is IncomparableReason.NotReproduced,
        });
    }

    /// <param name="operation">Null where the comparison had been counted before the fault.</param>
    /// <param name="user">See <see cref="ComparedCases.UserOf"/>.</param>
    public void Faulted(Experiment experiment, OperationState? operation, string shape, long? user, Exception fault)
    {
        if (operation is not null) Undecided(experiment, operation, shape, IncomparableReason.ComparerFailed, user, fault.GetType().Name);

        // Its message may quote what was compared, and so stays out of the log.
        LogFault(experiment.Operation, fault.GetType().FullName ?? "", fault.StackTrace ?? "");
    }

    /// <summary>A comparison of which nothing can be said, before both sides were observed.</summary>
    public void Undecided(
        Experiment experiment, OperationState operation, string shape, IncomparableReason reason, long? user, string? errorType = null)
    {
        var verdict = new Verdict(Outcome.Incomparable, reason, ErrorType: errorType);
        evidence.Compared(operation.Evidence.SlotOf(shape), new(null, verdict.Outcome) { User = user });
        metrics.Compared(experiment, verdict, clock.GetUtcNow());
        operation.Tally.Failed(verdict);
    }

    private static ExplainedTransient Transient(
        Experiment experiment, IReadOnlyList<Difference> live, string shape, ConcurrentChange change, DateTimeOffset now) => new(
        now, experiment.Operation, shape, Signature.ForDifferences(experiment.Operation, live, null).Differences, change.By.Wire(),
        change.Paths, [.. change.Rows.Select(NumericKey)]);

    private static string NumericKey(string row) => row[(row.LastIndexOf(' ') + 1)..].All(char.IsAsciiDigit) ? row : "(text key)";

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
