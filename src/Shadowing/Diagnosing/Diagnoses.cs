using System.Globalization;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Diagnosing;

/// <summary>Tells which known cause a mismatch points to. Pure; the first rule that fits speaks, the most telling come first.</summary>
internal static partial class Diagnoses
{
    private static readonly Func<Symptoms, Diagnosis?>[] Rules =
    [
        OfAccess, OfStale, OfRaces, OfStatements, OfWrites, OfErrors, OfWindows, OfRows, OfNavigations, OfTimes, OfNulls, OfTexts,
        OfRepresentation, OfAggregates, OfLookups, OfUnsent,
    ];

    public static Diagnosis Diagnose(Symptoms symptoms)
    {
        foreach (var rule in Rules)
        {
            if (rule(symptoms) is { } diagnosis) return diagnosis;
        }

        return new(Cause.Unknown, $"{symptoms.Differences.Count} differences, none of a known pattern.");
    }

    private static Diagnosis? OfAccess(Symptoms symptoms) => !symptoms.IsLeak ? null : new(
        Cause.AccessFilterLost, $"The candidate shows what this caller may not see, at {Paths(symptoms.Differences)}.");

    private static Diagnosis? OfStale(Symptoms symptoms) => symptoms.StaleFor is not { } age ? null : new(
        Cause.StaleAnswer,
        $"The candidate answers what the control last answered to the same request {Text(age.TotalSeconds)} s ago; that has changed.");

    private static Diagnosis? OfRaces(Symptoms symptoms) =>
        Find(symptoms, difference => difference.Kind is DifferenceKind.Concurrency) is null
            ? null
            : new(Cause.Race, symptoms.Pair?.Rows is null
                ? $"On one snapshot the sides agree, and no row that decides {Paths(symptoms.Differences)} changed meanwhile."
                : $"{Paths(symptoms.Differences)}: the candidate wrote so once, and did not when it was asked again in the sandbox on the "
                    + "same rows.");

    private static Diagnosis? OfStatements(Symptoms symptoms)
    {
        if (Find(symptoms, difference => difference.Kind is DifferenceKind.Statements) is not { } more) return null;
        var sent = $"The answers are equal; the candidate sent {more.Candidate} SQL statements, the control {more.Control}";
        var repeated = Repeated(symptoms.Pair);
        // Fewer than one for two rows may be one for each row that is related to several; it may also be a number that is always the same.
        return repeated >= 2 && Members.ListLengths(symptoms.Pair!.Candidate).Any(rows =>
            repeated <= rows && 2 * (repeated + 2) >= Math.Min(rows, StatementLedger.MostTexts))
            ? new(Cause.NPlusOne, $"{sent}: one of them again and again, about once for each row of the answer.")
            : new(Cause.ExtraStatements, $"{sent}: none of them about once for each row of the answer.");
    }

    /// <summary>How much more often the candidate sent one statement than the control did; only the first few of each are kept.</summary>
    private static int Repeated(ObservedPair? pair)
    {
        if (pair is null) return 0;
        var control = pair.ControlSql.Texts;
        return pair.CandidateSql.Texts.GroupBy(text => text)
            .Select(same => same.Count() - Math.Max(1, control.Count(text => text == same.Key))).DefaultIfEmpty().Max();
    }

    private static Diagnosis? OfLookups(Symptoms symptoms) =>
        Find(symptoms, difference => difference.Control is Enum || difference.Candidate is Enum) is { } lookup
            ? new(Cause.FoundDifferently, $"{lookup.Pattern}: the sides do not agree whether there is such a row, or for whom.")
            : null;

    private static Difference? Find(Symptoms symptoms, Func<Difference, bool> which) => symptoms.Differences.FirstOrDefault(which);

    private static string Paths(IEnumerable<Difference> differences) => string.Join(
        ", ", differences.Select(difference => difference.Pattern.Length == 0 ? "the answer" : difference.Pattern).Distinct().Take(5));

    private static string Text(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
