using System.Globalization;
using ShadowTicketing.Shadowing.Comparison;

namespace ShadowTicketing.Shadowing.Diagnosing;

/// <summary>Tells which known cause a mismatch points to. Pure; the first rule that fits speaks, the more telling ones come first.</summary>
internal static partial class Diagnoses
{
    private static readonly Func<Symptoms, Diagnosis?>[] Rules =
    [
        OfAccess, OfRaces, OfStatements, OfErrors, OfWindows, OfRows, OfNavigations, OfTimes, OfNulls, OfTexts, OfRepresentation, OfAggregates, OfLookups,
    ];

    public static Diagnosis Of(Symptoms symptoms)
    {
        foreach (var rule in Rules)
        {
            if (rule(symptoms) is { } diagnosis) return diagnosis;
        }

        return new(Cause.Unknown, $"{symptoms.Differences.Count} differences, none of a known pattern.");
    }

    private static Diagnosis? OfAccess(Symptoms symptoms) => !symptoms.IsCritical ? null : new(
        Cause.AccessFilterLost, $"The candidate shows what this caller may not see, at {Paths(symptoms.Differences)}.");

    private static Diagnosis? OfRaces(Symptoms symptoms) => !symptoms.Differences.Any(difference => difference.Kind is DifferenceKind.Concurrency) ? null : new(
        Cause.Race, $"On one snapshot the sides agree, and no row that decides {Paths(symptoms.Differences)} changed meanwhile.");

    private static Diagnosis? OfStatements(Symptoms symptoms) =>
        symptoms.Differences.FirstOrDefault(difference => difference.Kind is DifferenceKind.Statements) is not { } statements ? null : new(
            Cause.NPlusOne, $"The answers are equal; the candidate sent {statements.Candidate} SQL statements where the control sent {statements.Control}.");

    private static Diagnosis? OfLookups(Symptoms symptoms) =>
        symptoms.Differences.FirstOrDefault(difference => difference.Control is Enum || difference.Candidate is Enum) is not { } lookup ? null : new(
            Cause.FoundDifferently, $"{lookup.Pattern} is {lookup.Candidate} where the control says {lookup.Control}.");

    private static string Paths(IEnumerable<Difference> differences) =>
        string.Join(", ", differences.Select(difference => difference.Pattern.Length == 0 ? "the answer" : difference.Pattern).Distinct().Take(5));

    private static string Text(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
