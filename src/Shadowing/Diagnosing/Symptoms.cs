using System.Collections;
using System.Reflection;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Diagnosing;

/// <summary>One mismatch as the diagnosis gets it: with all values, in memory, before anything is redacted.</summary>
/// <param name="Pair">What both sides did; null where only the differences are known.</param>
/// <param name="ErrorType">The candidate's error category; null where it had none.</param>
internal sealed record Symptoms(
    Outcome Outcome, object Request, IReadOnlyList<Difference> Differences, ObservedPair? Pair = null, string? ErrorType = null,
    bool IsLeak = false)
{
    /// <summary>How long ago the control gave the candidate's answer to the same request; null where it did not.</summary>
    public TimeSpan? StaleFor { get; init; }

    /// <summary>The lists with missing rows, extra rows or another order, outermost first.</summary>
    public IEnumerable<ListSymptom> Lists => Differences
        .Where(difference =>
            difference.Kind is DifferenceKind.MissingRow or DifferenceKind.ExtraRow or DifferenceKind.Order or DifferenceKind.Count)
        .GroupBy(difference => difference.Pattern.EndsWith("[*]", StringComparison.Ordinal) ? difference.Pattern[..^3] : difference.Pattern)
        .OrderBy(group => group.Key.Length)
        .Select(group => new ListSymptom(
            group.Key, [.. group], Members.List(Pair?.Control, group.Key), Members.List(Pair?.Candidate, group.Key),
            Differences.Any(difference =>
                difference.Kind is DifferenceKind.Value && !difference.Path.Contains('[', StringComparison.Ordinal))));
}

/// <summary>A list that differs in its rows.</summary>
/// <param name="Control">The control's rows; empty where they cannot be read.</param>
/// <param name="TotalDiffers">Whether a value that belongs to no row, such as a total, differs too.</param>
internal sealed record ListSymptom(
    string Path, IReadOnlyList<Difference> Differences, IReadOnlyList<object?> Control, IReadOnlyList<object?> Candidate, bool TotalDiffers)
{
    public IReadOnlyList<object> Missing { get; } =
        [.. Differences.Where(difference => difference.Kind is DifferenceKind.MissingRow).Select(difference => difference.Control)
            .OfType<object>()];

    public IReadOnlyList<object> Extra { get; } =
        [.. Differences.Where(difference => difference.Kind is DifferenceKind.ExtraRow).Select(difference => difference.Candidate)
            .OfType<object>()];

    public bool IsReordered => Differences.Any(difference => difference.Kind is DifferenceKind.Order);
}

/// <summary>Members of answers and requests, found by name.</summary>
internal static class Members
{
    public static IEnumerable<PropertyInfo> PropertiesOf(object value) =>
        value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0);

    public static object? Get(object? value, string name) => value is null
        ? null
        : PropertiesOf(value)
            .FirstOrDefault(property => string.Equals(property.Name, name, StringComparison.OrdinalIgnoreCase))?.GetValue(value);

    /// <summary>A whole number of that name; null where there is none.</summary>
    public static long? Number(object? value, string name) => Get(value, name) switch
    {
        int number => number,
        long number => number,
        _ => null,
    };

    /// <summary>The rows at a path without indexes; empty where the path leads through other rows or does not exist.</summary>
    public static IReadOnlyList<object?> List(object? value, string path)
    {
        foreach (var step in path.Split('.', StringSplitOptions.RemoveEmptyEntries)) value = Get(value, step);
        return value is IEnumerable rows and not string ? [.. rows.Cast<object?>()] : [];
    }

    /// <summary>How many rows each list of an answer has, at most three members deep.</summary>
    public static IEnumerable<int> ListLengths(object? value, int depth = 3)
    {
        if (value is null or string || depth == 0) return [];
        if (value is IEnumerable rows)
        {
            object?[] all = [.. rows.Cast<object?>()];
            return all.SelectMany(row => ListLengths(row, depth - 1)).Prepend(all.Length);
        }

        return ValueKind.ForType(value.GetType()).As is not ComparedAs.Members
            ? []
            : PropertiesOf(value).SelectMany(property => ListLengths(property.GetValue(value), depth - 1));
    }
}
