using System.Globalization;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>Figures and times as a person reads them: separators, units, the same in every culture.</summary>
internal static class Show
{
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    public static string Count(long count) => count.ToString("N0", Plain);

    public static string Plural(long count, string one, string many) => $"{Count(count)} {(count == 1 ? one : many)}";

    /// <summary>A number for an attribute of a drawing.</summary>
    public static string Unit(double value) => Math.Round(value, 2).ToString("0.##", Plain);

    /// <summary>A number of percent.</summary>
    public static string Percent(double percent) => $"{percent.ToString(percent is > 0 and < 1 ? "0.##" : "0.#", Plain)}\u00a0%";

    /// <summary>A share in percent, with as many digits as it needs: <c>0.012 %</c>.</summary>
    public static string Share(double share) => share switch
    {
        <= 0 => "0\u00a0%",
        >= 1 => "100\u00a0%",
        < 1e-6 => "below 0.0001\u00a0%",
        _ => $"{Significant(share * 100)}\u00a0%",
    };

    public static string Seconds(double seconds) => seconds switch
    {
        <= 0 => "–",
        < 0.001 => $"{Significant(seconds * 1e6)}\u00a0µs",
        < 1 => $"{Significant(seconds * 1e3)}\u00a0ms",
        _ => $"{Significant(seconds)}\u00a0s",
    };

    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => "under 1 s",
        { TotalMinutes: < 2 } => $"{Count((long)span.TotalSeconds)}\u00a0s",
        { TotalHours: < 2 } => $"{Count((long)span.TotalMinutes)} min",
        { TotalDays: < 3 } => $"{Count((long)span.TotalHours)} h",
        _ => $"{Count((long)span.TotalDays)} days",
    };

    /// <summary>How many times the control's; <c>–</c> where either was not measured.</summary>
    public static string Ratio(double candidate, double control) =>
        candidate > 0 && control > 0 ? $"{(candidate / control).ToString("0.00", Plain)}\u00a0×" : "–";

    /// <summary>A moment: the script shows it in the reader's own zone; without it, it is UTC and says so.</summary>
    public static Html Time(DateTimeOffset at) => Html.From(
        $"""<time datetime="{Iso(at)}" title="{at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", Plain)} UTC">{Short(at)} UTC</time>""");

    public static string Iso(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", Plain);

    private static string Short(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", Plain);

    /// <summary>Two significant digits or three.</summary>
    private static string Significant(double value)
    {
        if (value >= 100) return value.ToString("N0", Plain);
        var digits = Math.Clamp(2 - (int)Math.Floor(Math.Log10(Math.Max(value, 1e-9))), 0, 9);
        return Math.Round(value, Math.Min(digits, 15)).ToString("0.#########", Plain);
    }
}
