using Shadowing.Comparison;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Writing;

namespace Shadowing.Experiments;

/// <summary>Holds two observations of one request against each other: answers by the comparer, failures by their category.</summary>
internal sealed class PairJudge(
    CategorizeError categorize, RuleFaults rules, SettingsInForce settings, DescribeFailure? describe = null)
{
    /// <summary>What is decided is decided on all differences; beyond so many the worst is assumed.</summary>
    private const int MostDifferences = 5_000;

    private readonly ComparisonLimits _limits = new(Nodes: settings.Current.MaxNodes, Differences: MostDifferences);

    /// <summary>
    /// Whether the failure says nothing of the code that ran, only that the database was not there, or its connection not up to date.
    /// </summary>
    public bool IsUnavailable(Exception? error) =>
        error is ShadowUnavailableException || IsEscape(error)
        || (error is not null && categorize(error) is { IsUnavailable: true } or { IsOutdated: true });

    /// <summary>Whether the run was stopped for what it was about to do, also where a library has wrapped that.</summary>
    private static bool IsEscape(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is ShadowEscapeException) return true;
        }

        return false;
    }

    /// <summary>
    /// Why the failure says nothing of the code that ran in the shadow position, only of the position; null where it does not.
    /// </summary>
    public string? OnlyHere(Exception? error) =>
        error is null or ShadowUnavailableException or ShadowTimeoutException ? null : categorize(error).OnlyHere;

    /// <summary>Whether users get the same for two failures; null is none.</summary>
    public bool FailAlike(Exception? left, Exception? right) => AnswerTo(left) == AnswerTo(right);

    /// <summary>Whether what failed would succeed on another connection.</summary>
    public bool IsOutdated(Exception? error) => error is not null && categorize(error).IsOutdated;

    public string? ErrorType(Exception? error) => error is null ? null : categorize(error).Name;

    public ComparisonResult Compare<TStore, TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate)
    {
        var pairing = experiment.Writes ? WritePairing.Create(control.Rows, candidate.Rows) : null;
        var answers = CompareAnswers(experiment, request, control, candidate, pairing);
        if (!experiment.Writes || answers.Incomparable is not null) return answers;
        // Who fails in a transaction of ours stores nothing; that it should have is said by the failure.
        if (candidate.Error is not null && candidate.Rows?.Window is null) return answers;
        if (control.Rows is not { Before.Unusable: null } left || candidate.Rows is not { } right)
            return new() { Incomparable = control.Rows?.Before.Unusable ?? IncomparableReason.NotConfirmable };

        var rows = RowComparison.Compare(left, right, _limits, pairing);
        return rows.IsSame ? answers : answers with
        {
            Differences = [.. answers.Differences, .. rows.Differences],
            TotalDifferences = answers.TotalDifferences + rows.TotalDifferences,
        };
    }

    private ComparisonResult CompareAnswers<TStore, TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate,
        WritePairing? pairing)
    {
        if (control.Error is null && candidate.Error is null)
        {
            var compared = experiment.ComparerFor(_limits).Compare(control.Value, candidate.Value, request, pairing);
            foreach (var (rule, fault) in compared.FailedRules) rules.Note(experiment.Operation, rule, fault);
            return compared;
        }

        if (FailAlike(control.Error, candidate.Error)) return ComparisonResult.Equal;
        var (left, right) = (ErrorType(control.Error), ErrorType(candidate.Error));
        if (left == right) (left, right) = (AnswerTo(control.Error), AnswerTo(candidate.Error));
        return new() { TotalDifferences = 1, Differences = [new("", DifferenceKind.Error, left, right)] };
    }

    private string? AnswerTo(Exception? error)
    {
        if (error is null) return null;
        var category = categorize(error);
        if (error is ShadowUnavailableException or ShadowTimeoutException) return category.Name;
        try
        {
            if (describe?.Invoke(error) is { } answer) return answer;
        }
#pragma warning disable CA1031 // The application's own code; without its answer the category decides.
        catch (Exception)
        {
        }
#pragma warning restore CA1031
        return category.Detail is { } detail ? $"{category.Name} {detail}" : category.Name;
    }

    /// <summary>The verdict where the candidate failed and the control did not fail alike.</summary>
    public Verdict Failed<T>(Observation<T> control, Observation<T> candidate, IReadOnlyList<Difference> differences) => new(
        control.Error is not null ? Outcome.Mismatch : candidate.Error is ShadowTimeoutException ? Outcome.CandidateTimeout
            : Outcome.CandidateError,
        Differences: differences,
        ErrorType: ErrorType(candidate.Error),
        Pair: ObservedPair.FromObservations(control, candidate));
}
