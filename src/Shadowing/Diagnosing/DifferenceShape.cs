using System.Globalization;
using System.Text;

namespace Shadowing.Diagnosing;

/// <summary>What can be said of two values together without saying what they are.</summary>
internal static class DifferenceShape
{
    public static IReadOnlyDictionary<string, string> Describe(object? control, object? candidate)
    {
        var shape = new SortedDictionary<string, string>(StringComparer.Ordinal);
        switch (control, candidate)
        {
            case (string left, string right):
                OfTexts(left, right, shape);
                break;
            case (DateTime left, DateTime right):
                OfTimes(right.Ticks - left.Ticks, shape);
                if (left.Kind != right.Kind) shape["kinds"] = $"{left.Kind} {right.Kind}";
                break;
            case (DateTimeOffset left, DateTimeOffset right):
                OfTimes(right.UtcTicks - left.UtcTicks, shape);
                break;
            case (decimal left, decimal right):
                OfNumbers((double)left, (double)right, shape);
                if (left.Scale != right.Scale) shape["decimals"] = $"{left.Scale} {right.Scale}";
                break;
            case (IConvertible left, IConvertible right) when IsNumber(left) && IsNumber(right):
                OfNumbers(left.ToDouble(CultureInfo.InvariantCulture), right.ToDouble(CultureInfo.InvariantCulture), shape);
                break;
        }

        return shape;
    }

    private static void OfTexts(string control, string candidate, SortedDictionary<string, string> shape)
    {
        shape["commonPrefix"] = Number(control.AsSpan().CommonPrefixLength(candidate));
        shape["lengths"] = $"{Number(control.Length)} {Number(candidate.Length)}";
        if (string.Equals(control, candidate, StringComparison.OrdinalIgnoreCase)) shape["equal"] = "ignoring case";
        else if (control.Trim() == candidate.Trim()) shape["equal"] = "when trimmed";
        else if (!control.Any(char.IsSurrogate) && !candidate.Any(char.IsSurrogate)
            && control.Normalize(NormalizationForm.FormC) == candidate.Normalize(NormalizationForm.FormC))
            shape["equal"] = "when normalised";
    }

    private static void OfTimes(long ticks, SortedDictionary<string, string> shape)
    {
        shape["sign"] = Sign(ticks);
        if (ticks != 0 && ticks % (TimeSpan.TicksPerHour / 4) == 0) shape["hours"] = (ticks / (double)TimeSpan.TicksPerHour)
            .ToString("0.##", CultureInfo.InvariantCulture);
        else if (Math.Abs(ticks) < TimeSpan.TicksPerMicrosecond) shape["below"] = "a microsecond";
        else if (Math.Abs(ticks) < TimeSpan.TicksPerMillisecond) shape["below"] = "a millisecond";
        else if (Math.Abs(ticks) < TimeSpan.TicksPerSecond) shape["below"] = "a second";
    }

    private static void OfNumbers(double control, double candidate, SortedDictionary<string, string> shape)
    {
        shape["sign"] = Sign(candidate.CompareTo(control));
        if (control != 0 && candidate / control is var ratio and >= 2 and <= 10 && ratio == Math.Floor(ratio)) shape["times"] =
            Number((int)ratio);
        if (control != 0 && Math.Abs(candidate - control) <= Math.Abs(control) * 1e-9) shape["equal"] = "in nine digits";
    }

    private static bool IsNumber(IConvertible value) =>
        value.GetTypeCode() is >= TypeCode.SByte and <= TypeCode.Decimal && value is not Enum;

    private static string Sign(long difference) => difference switch { > 0 => "+", < 0 => "-", _ => "0" };

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
