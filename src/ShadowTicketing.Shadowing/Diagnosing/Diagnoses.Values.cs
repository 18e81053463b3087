using System.Globalization;
using System.Text;
using ShadowTicketing.Shadowing.Comparison;

namespace ShadowTicketing.Shadowing.Diagnosing;

/// <summary>Values that differ where both sides have the row.</summary>
internal static partial class Diagnoses
{
    private static readonly long Quarter = TimeSpan.TicksPerHour / 4;

    /// <summary>Members of one related row, told by the word that their names begin with, that are all NULL on the candidate.</summary>
    private static Diagnosis? OfNavigations(Symptoms symptoms)
    {
        var lost = symptoms.Differences
            .Where(difference => difference is { Kind: DifferenceKind.NullVsValue, Candidate: null })
            .GroupBy(difference => (Parent(difference.Path), Word(difference.Path)))
            .FirstOrDefault(group => group.Count() > 1);
        return lost is null ? null
            : new(Cause.LostNavigation, $"{Paths(lost)} are NULL together, as if the row that they belong to were not there.");
    }

    private static Diagnosis? OfTimes(Symptoms symptoms)
    {
        (Difference Of, long Offset)[] times = [.. symptoms.Differences.Select(difference => (difference, Offset(difference))).Where(pair => pair.Item2 is not null)
            .Select(pair => (pair.difference, pair.Item2!.Value))];
        if (times.Length == 0) return null;
        var offsets = times.Select(time => time.Offset).Distinct().ToArray();
        var where = Paths(times.Select(time => time.Of));
        if (offsets.All(offset => offset % Quarter == 0 && Math.Abs(offset) <= 26 * TimeSpan.TicksPerHour))
            return new(Cause.TimeZone, $"{where}: off by {string.Join(", ", offsets.Take(3).Select(offset => Text(offset / (double)TimeSpan.TicksPerHour)))} hours exactly.");
        foreach (var (unit, name) in new[] { (TimeSpan.TicksPerMicrosecond, "microsecond"), (TimeSpan.TicksPerMillisecond, "millisecond"), (TimeSpan.TicksPerSecond, "second"), (TimeSpan.TicksPerDay, "day") })
        {
            if (times.All(time => Math.Abs(time.Offset) < unit && Ticks(time.Of.Candidate) % unit == 0))
                return new(Cause.TruncatedTime, $"{where}: whole {name}s where the control has more digits.");
        }

        return null;
    }

    private static Diagnosis? OfNulls(Symptoms symptoms)
    {
        foreach (var difference in symptoms.Differences.Where(difference => difference.Kind is DifferenceKind.NullVsValue && difference.Pattern.Length > 0))
        {
            switch (difference.Control, difference.Candidate)
            {
                case (null, ""): return new(Cause.NullToEmpty, $"{difference.Pattern} is empty where the control has NULL.");
                case ("", null): return new(Cause.EmptyToNull, $"{difference.Pattern} is NULL where the control has the empty text.");
                case (null, { } value) when IsDefault(value): return new(Cause.NullToDefault, $"{difference.Pattern} is the type's default where the control has NULL.");
                case ({ } value, null) when value is string or ValueType: return new(Cause.UnreadColumn, $"{difference.Pattern} is NULL where the control has a value.");
            }
        }

        return null;
    }

    private static Diagnosis? OfTexts(Symptoms symptoms)
    {
        foreach (var difference in symptoms.Differences)
        {
            if (difference is not { Control: string control, Candidate: string candidate }) continue;
            if (control.Trim() == candidate.Trim()) return new(Cause.TrimmedText, $"{difference.Pattern} differs in white space at its ends only.");
            if (candidate.Length == 0) return new(Cause.UnreadColumn, $"{difference.Pattern} is empty where the control has a text.");
            if (string.Equals(control, candidate, StringComparison.OrdinalIgnoreCase)) return new(Cause.CaseHandling, $"{difference.Pattern} differs in case only.");
            if (Normal(control) == Normal(candidate)) return new(Cause.TextNormalization, $"{difference.Pattern} differs in its Unicode normal form only.");
            if (control.StartsWith(candidate, StringComparison.Ordinal)) return new(Cause.TruncatedText, $"{difference.Pattern} ends after {candidate.Length} of {control.Length} characters.");
        }

        return null;
    }

    private static Diagnosis? OfRepresentation(Symptoms symptoms) =>
        symptoms.Differences.FirstOrDefault(difference => difference.Kind is DifferenceKind.Type) switch
        {
            null => null,
            { Control: DateTime or DateTimeOffset } time => new(Cause.TimeFormat, $"{time.Pattern} is the same time with another zone or kind."),
            { Control: decimal control, Candidate: decimal candidate } number =>
                new(Cause.NumberFormat, $"{number.Pattern} is the same number with {candidate.Scale} decimals for {control.Scale}."),
            var other => new(Cause.NumberFormat, $"{other.Pattern} is the same value in another form."),
        };

    /// <summary>Aggregates of several kinds that differ at once were taken over other rows, whichever rows of theirs come and go.</summary>
    private static Diagnosis? OfWindows(Symptoms symptoms)
    {
        var counts = symptoms.Differences.Where(difference => difference.Kind is DifferenceKind.Value && difference.Control is int or long).ToArray();
        var parts = symptoms.Differences.Select(difference => difference.Pattern.Split('.', '[')[0]).Distinct().Count();
        return counts.Select(count => count.Pattern.Split('.', '[')[0]).Distinct().Count() < 2 || parts < 3 ? null
            : new(Cause.WindowBoundary, $"{Paths(counts)} and others, in {parts} parts of the answer: all aggregates over the same rows differ together.");
    }

    private static Diagnosis? OfAggregates(Symptoms symptoms)
    {
        (Difference Of, decimal Control, decimal Candidate)[] numbers =
            [.. symptoms.Differences.Select(difference => (difference, Decimal(difference.Control), Decimal(difference.Candidate)))
                .Where(entry => entry is { Item2: not null, Item3: not null }).Select(entry => (entry.difference, entry.Item2!.Value, entry.Item3!.Value))];
        if (numbers.Length == 0) return null;
        var where = Paths(numbers.Select(number => number.Of));
        if (numbers.Length > 1 && numbers.Sum(number => number.Candidate - number.Control) == 0 && numbers.All(number => IsOfDay(number.Of, symptoms)))
            return new(Cause.TimeZone, $"{numbers.Length} counts at {where} differ while their sum is right: rows fell into neighbouring groups.");
        var fractions = numbers.Where(number => number.Of.Control is decimal or double).ToArray();
        if (numbers.Length == fractions.Length)
        {
            return fractions.All(number => Math.Abs(number.Candidate - number.Control) <= Math.Abs(number.Control) * 1e-9m)
                ? new(Cause.NumberPrecision, $"{where}: equal in the first nine digits.")
                : new(Cause.Arithmetic, $"{where}: {Sign(fractions)} than the control's, and nothing else differs.");
        }

        var counts = numbers.Where(number => number.Of.Control is not (decimal or double)).ToArray();
        if (counts.All(number => number.Control > 0 && number.Candidate == 0))
            return new(Cause.FilterAlwaysFalse, $"{where}: nothing at all where the control counts something.");
        if (counts.All(number => number.Control > 0 && number.Candidate >= 2 * number.Control))
            return new(Cause.MultipliedRows, $"{where}: twice the control's or more, in all {counts.Length}.");
        if (counts.Select(number => number.Of.Pattern).Distinct().Count() > 1)
            return new(Cause.WindowBoundary, $"{where}: {counts.Length} counts over the same rows differ together.");
        return counts.All(number => number.Candidate < number.Control) ? new(Cause.FilteredCount, $"{where}: lower than the control's, in all {counts.Length}.")
            : counts.All(number => number.Candidate > number.Control) ? new(Cause.MultipliedRows, $"{where}: higher than the control's, in all {counts.Length}.")
            : null;
    }

    /// <summary>Whether the row that holds the difference is that of a day.</summary>
    private static bool IsOfDay(Difference difference, Symptoms symptoms) =>
        difference.Pattern.LastIndexOf("[*].", StringComparison.Ordinal) is var end and > 0
        && Members.List(symptoms.Pair?.Control, difference.Pattern[..end]) is [{ } row, ..] && Members.Of(row).Any(IsDay);

    private static string Sign((Difference, decimal Control, decimal Candidate)[] numbers) =>
        numbers.All(number => number.Candidate > number.Control) ? "higher" : numbers.All(number => number.Candidate < number.Control) ? "lower" : "other";

    private static long? Offset(Difference difference) =>
        difference.Kind is DifferenceKind.Value && Ticks(difference.Control) is { } control && Ticks(difference.Candidate) is { } candidate ? candidate - control : null;

    private static long? Ticks(object? value) => value switch
    {
        DateTime time => time.Ticks,
        DateTimeOffset time => time.UtcTicks,
        _ => null,
    };

    private static decimal? Decimal(object? value) => value switch
    {
        int or long or short or byte or decimal => Convert.ToDecimal(value, CultureInfo.InvariantCulture),
        double number when Math.Abs(number) < 1e27 => (decimal)number,
        _ => null,
    };

    private static bool IsDefault(object value) => value is ValueType && value.Equals(Activator.CreateInstance(value.GetType()));

    /// <summary>Lone surrogates cannot be normalised.</summary>
    private static string Normal(string text) => text.IsNormalized(NormalizationForm.FormC) || text.Any(char.IsSurrogate) ? text : text.Normalize();

    private static string Parent(string path) => path.LastIndexOf('.') is var dot and >= 0 ? path[..dot] : "";

    /// <summary>The first word of the last member: <c>assignee</c> of <c>tickets[3].assigneeLastName</c>.</summary>
    private static string Word(string path) => new([.. path[(path.LastIndexOf('.') + 1)..].TakeWhile(char.IsLower)]);
}
