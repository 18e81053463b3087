using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>Counts the failures of a candidate that serves, and takes it from the users of this replica where they are too many.</summary>
internal sealed class CandidateFailures(ServingContext context)
{
    /// <summary>
    /// Whether a failure of the candidate, where the control answered in its place, is the candidate's own: not where the database was not
    /// there, nor where the control was as slow at that moment.
    /// </summary>
    /// <param name="control">How long the control took.</param>
    public bool IsOwn<TResult>(Observation<TResult> candidate, TimeSpan control) =>
        candidate.Error is { } error && !context.Judge.IsUnavailable(error)
            && (error is not ShadowTimeoutException || control < candidate.Duration);

    /// <summary>Counts an answer that the candidate was asked for.</summary>
    public void Count(OperationState operation, bool failed)
    {
        operation.Evidence.Served(failed);
        var allowance = operation.Evidence.Counts.ControlFlakeRate;
        if (operation.Failures.Add(context.Clock.GetUtcNow(), failed, context.Policy, allowance) is not { } trip) return;
        var name = operation.Experiment.Operation;
        context.Control.RollBack(name, RollbackRules.Excess(Plain.Label(name), trip).Text);
    }
}
