using System.Globalization;
using Shadowing.Comparison;

namespace Shadowing.Diagnosing;

/// <summary>Counts, sums and averages.</summary>
internal static partial class Diagnoses
{
    /// <summary>Aggregates of several kinds that differ at once were taken over other rows, whichever groups come and go.</summary>
    private static Diagnosis? OfWindows(Symptoms symptoms)
    {
        Difference[] counts =
            [.. symptoms.Differences.Where(difference => difference is { Kind: DifferenceKind.Value, Control: int or long })];
        var parts = symptoms.Differences.Select(Part).Distinct().Count();
        return counts.Select(Part).Distinct().Count() < 2 || parts < 3 ? null
            : new(Cause.WindowBoundary, $"{Paths(counts)}: aggregates over the same rows differ together, in {parts} parts of the answer.");
    }

    private static Diagnosis? OfAggregates(Symptoms symptoms)
    {
        var numbers = symptoms.Differences
            .Where(difference => Decimal(difference.Control) is not null && Decimal(difference.Candidate) is not null)
            .Select(difference => new Number(difference, Decimal(difference.Control)!.Value, Decimal(difference.Candidate)!.Value))
            .ToArray();
        if (numbers.Length == 0) return null;
        if (OfBuckets(numbers, symptoms) is { } buckets) return buckets;
        Number[] counts = [.. numbers.Where(number => number.IsCount)];
        return counts.Length == 0 ? OfFractions(numbers) : OfCounts(counts);
    }

    /// <summary>Counts that differ in the rows of one list, which may be a list of days.</summary>
    private static Diagnosis? OfBuckets(Number[] numbers, Symptoms symptoms)
    {
        var paths = numbers.Select(number => number.Of.Pattern).Distinct().ToArray();
        if (paths.Length != 1 || paths[0].LastIndexOf("[*].", StringComparison.Ordinal) is not (var end and > 0)) return null;
        var list = paths[0][..end];
        return OfBuckets(list, Members.List(symptoms.Pair?.Control, list), Members.List(symptoms.Pair?.Candidate, list));
    }

    private static Diagnosis OfFractions(Number[] numbers)
    {
        var where = Paths(numbers.Select(number => number.Of));
        if (numbers.All(number => Math.Abs(number.Candidate - number.Control) <= Math.Abs(number.Control) * 1e-9m))
            return new(Cause.NumberPrecision, $"{where}: equal in the first nine digits.");
        var how = numbers.All(number => number.Candidate > number.Control) ? "higher"
            : numbers.All(number => number.Candidate < number.Control) ? "lower" : "other";
        return new(Cause.Arithmetic, $"{where}: {how} than the control's, and nothing else differs.");
    }

    private static Diagnosis? OfCounts(Number[] counts)
    {
        var where = Paths(counts.Select(count => count.Of));
        if (counts.All(count => count is { Control: > 0, Candidate: 0 }))
            return new(Cause.FilterAlwaysFalse, $"{where}: nothing at all where the control counts something.");
        if (counts.All(count => count.Control > 0 && count.Candidate >= 2 * count.Control))
            return new(Cause.MultipliedRows, $"{where}: twice the control's or more, in all {counts.Length}.");
        if (counts.Select(count => count.Of.Pattern).Distinct().Count() > 1)
            return new(Cause.WindowBoundary, $"{where}: {counts.Length} counts over the same rows differ together.");
        if (counts.All(count => count.Candidate < count.Control))
            return new(Cause.FilteredCount, $"{where}: lower than the control's, in all {counts.Length}.");
        return counts.All(count => count.Candidate > count.Control)
            ? new(Cause.MultipliedRows, $"{where}: higher than the control's, in all {counts.Length}.")
            : null;
    }

    /// <summary>The answer's member that a difference is in: <c>byDay</c> of <c>byDay[*].count</c>.</summary>
    private static string Part(Difference difference) => difference.Pattern.Split('.', '[')[0];

    private static decimal? Decimal(object? value) => value switch
    {
        int or long or short or byte or decimal => Convert.ToDecimal(value, CultureInfo.InvariantCulture),
        double number when Math.Abs(number) < 1e27 => (decimal)number,
        _ => null,
    };

    /// <param name="Of">The difference between the two numbers.</param>
    private readonly record struct Number(Difference Of, decimal Control, decimal Candidate)
    {
        public bool IsCount => Of.Control is not (decimal or double);
    }
}
