using Shadowing.Comparison;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Writing;

namespace Shadowing.Experiments;

/// <summary>Holds two observations of one request against each other: answers by the comparer, failures by their category.</summary>
internal sealed class PairJudge(CategorizeError categorize, RuleFaults rules, SettingsInForce settings)
{
    private readonly ComparisonLimits _limits = new(Nodes: settings.Current.MaxNodes);

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

    /// <summary>Whether what failed would succeed on another connection.</summary>
    public bool IsOutdated(Exception? error) => error is not null && categorize(error).IsOutdated;

    public string? ErrorType(Exception? error) => error is null ? null : categorize(error).Name;

    public ComparisonResult Compare<TStore, TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate)
    {
        var answers = CompareAnswers(experiment, request, control, candidate);
        if (!experiment.Writes || answers.Incomparable is not null) return answers;
        // Who fails stores nothing; that it should have is said by the failure.
        if (candidate.Error is not null) return answers;
        if (control.Rows is not { Before.IsTooLarge: false } left || candidate.Rows is not { } right)
        {
            var reason = control.Rows is { Before.IsTooLarge: true } ? IncomparableReason.TooLarge : IncomparableReason.NotConfirmable;
            return new() { Incomparable = reason };
        }

        var rows = RowComparison.Compare(left, right, _limits);
        return rows.IsSame ? answers : answers with
        {
            Differences = [.. answers.Differences, .. rows.Differences],
            TotalDifferences = answers.TotalDifferences + rows.TotalDifferences,
        };
    }

    private ComparisonResult CompareAnswers<TStore, TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate)
    {
        if (control.Error is null && candidate.Error is null)
        {
            var clocks = ClocksOf(control.Rows, candidate.Rows);
            var compared = experiment.ComparerFor(_limits).Compare(control.Value, candidate.Value, request, clocks);
            foreach (var (rule, fault) in compared.FailedRules) rules.Note(experiment.Operation, rule, fault);
            return compared;
        }

        var (left, right) = (ErrorType(control.Error), ErrorType(candidate.Error));
        return left == right
            ? ComparisonResult.Equal
            : new() { TotalDifferences = 1, Differences = [new("", DifferenceKind.Error, left, right)] };
    }

    private static (DateTime, DateTime)? ClocksOf(WrittenRows? control, WrittenRows? candidate) =>
        control is not null && candidate is not null && RowComparison.Time(control.Now) is { } left
            && RowComparison.Time(candidate.Now) is { } right
            ? (left, right) : null;

    /// <summary>The verdict where the candidate failed and the control did not fail alike.</summary>
    public Verdict Failed<T>(Observation<T> control, Observation<T> candidate, IReadOnlyList<Difference> differences) => new(
        control.Error is not null ? Outcome.Mismatch : candidate.Error is ShadowTimeoutException ? Outcome.CandidateTimeout
            : Outcome.CandidateError,
        Differences: differences,
        ErrorType: ErrorType(candidate.Error),
        Pair: ObservedPair.FromObservations(control, candidate));
}
