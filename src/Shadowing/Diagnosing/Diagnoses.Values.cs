using System.Text;
using Shadowing.Comparison;

namespace Shadowing.Diagnosing;

/// <summary>Times, texts and NULLs that differ where both sides have the row.</summary>
internal static partial class Diagnoses
{
    private const long Quarter = TimeSpan.TicksPerHour / 4;

    private static readonly (long Ticks, string Name)[] Units =
    [
        (TimeSpan.TicksPerMicrosecond, "microsecond"), (TimeSpan.TicksPerMillisecond, "millisecond"), (TimeSpan.TicksPerSecond, "second"),
        (TimeSpan.TicksPerDay, "day"),
    ];

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
        var times = symptoms.Differences
            .Where(difference => difference.Kind is DifferenceKind.Value)
            .Select(difference => (Of: difference, Offset: Ticks(difference.Candidate) - Ticks(difference.Control)))
            .Where(time => time.Offset is not null)
            .Select(time => (time.Of, Offset: time.Offset!.Value))
            .ToArray();
        if (times.Length == 0) return null;
        var where = Paths(times.Select(time => time.Of));
        if (times.All(time => time.Offset % Quarter == 0 && Math.Abs(time.Offset) <= 26 * TimeSpan.TicksPerHour))
        {
            var hours = times.Select(time => time.Offset).Distinct().Take(3).Select(offset => Text(offset / (double)TimeSpan.TicksPerHour));
            return new(Cause.TimeZone, $"{where}: off by {string.Join(", ", hours)} hours exactly.");
        }

        foreach (var (unit, name) in Units)
        {
            if (times.All(time => Math.Abs(time.Offset) < unit && Ticks(time.Of.Candidate) % unit == 0))
                return new(Cause.TruncatedTime, $"{where}: whole {name}s where the control has more digits.");
        }

        return null;
    }

    private static Diagnosis? OfNulls(Symptoms symptoms)
    {
        foreach (var difference in symptoms.Differences.Where(difference => difference.Kind is DifferenceKind.NullVsValue))
        {
            var path = difference.Pattern;
            if (path.Length == 0) continue;
            switch (difference.Control, difference.Candidate)
            {
                case (null, ""): return new(Cause.NullToEmpty, $"{path} is empty where the control has NULL.");
                case ("", null): return new(Cause.EmptyToNull, $"{path} is NULL where the control has the empty text.");
                case (null, { } value) when IsDefault(value):
                    return new(Cause.NullToDefault, $"{path} is the type's default where the control has NULL.");
                case ({ } value, null) when value is string or ValueType:
                    return new(Cause.UnreadColumn, $"{path} is NULL where the control has a value.");
            }
        }

        return null;
    }

    private static Diagnosis? OfTexts(Symptoms symptoms)
    {
        foreach (var difference in symptoms.Differences)
        {
            if (difference is not { Control: string control, Candidate: string candidate }) continue;
            var path = difference.Pattern;
            if (control.Trim() == candidate.Trim()) return new(Cause.TrimmedText, $"{path} differs in white space at its ends only.");
            if (candidate.Length == 0) return new(Cause.UnreadColumn, $"{path} is empty where the control has a text.");
            if (SameIgnoringCase(control, candidate)) return new(Cause.CaseHandling, $"{path} differs in case only.");
            if (Normal(control) == Normal(candidate))
                return new(Cause.TextNormalization, $"{path} differs in its Unicode normal form only.");
            if (control.StartsWith(candidate, StringComparison.Ordinal))
                return new(Cause.TruncatedText, $"{path} ends after {candidate.Length} of {control.Length} characters.");
        }

        return null;
    }

    private static Diagnosis? OfRepresentation(Symptoms symptoms) =>
        symptoms.Differences.FirstOrDefault(difference => difference.Kind is DifferenceKind.Type) switch
        {
            null => null,
            { Control: DateTime or DateTimeOffset } time =>
                new(Cause.TimeFormat, $"{time.Pattern} is the same time with another zone or kind."),
            { Control: decimal control, Candidate: decimal candidate } number =>
                new(Cause.NumberFormat, $"{number.Pattern} is the same number with {candidate.Scale} decimals for {control.Scale}."),
            var other => new(Cause.NumberFormat, $"{other.Pattern} is the same value in another form."),
        };

    private static long? Ticks(object? value) => value switch
    {
        DateTime time => time.Ticks,
        DateTimeOffset time => time.UtcTicks,
        _ => null,
    };

    private static bool IsDefault(object value) => value is ValueType && value.Equals(Activator.CreateInstance(value.GetType()));

    /// <summary>Lone surrogates cannot be normalised.</summary>
    private static string Normal(string text) =>
        text.Any(char.IsSurrogate) || text.IsNormalized(NormalizationForm.FormC) ? text : text.Normalize();

    private static string Parent(string path) => path.LastIndexOf('.') is var dot and >= 0 ? path[..dot] : "";

    /// <summary>The first word of the last member: <c>buyer</c> of <c>orders[3].buyerLastName</c>.</summary>
    private static string Word(string path) => new([.. path[(path.LastIndexOf('.') + 1)..].TakeWhile(char.IsLower)]);
}
