using System.Globalization;

namespace Shadowing.Evidence;

/// <summary>Figures as a person on call reads them; the same in every culture.</summary>
internal static class Plain
{
    /// <summary><c>orders.list</c> is called <c>list</c>.</summary>
    public static string Label(string operation) => operation[(operation.LastIndexOf('.') + 1)..];

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Plural(long count, string one, string many) => $"{Count(count)} {(count == 1 ? one : many)}";

    /// <summary>A share in percent, rounded up to one significant digit: a bound may be said larger than it is, never smaller.</summary>
    public static string AtMost(double share)
    {
        if (share is not (> 0 and < 1)) return share > 0 ? "100 %" : "0 %";
        var unit = Math.Pow(10, Math.Floor(Math.Log10(share * 100)));
        return Percent(Math.Ceiling((share * 100 / unit) - 1e-9) * unit);
    }

    /// <summary>A share in percent, rounded down to a tenth.</summary>
    public static string AtLeast(double share) => Percent(Math.Floor((Math.Clamp(share, 0, 1) * 1000) + 1e-9) / 10);

    /// <summary>A number of percent.</summary>
    public static string Percent(double percent) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Round(percent, 12):0.############} %");

    public static string Hours(TimeSpan time) =>
        time < TimeSpan.FromMinutes(1) && time > TimeSpan.Zero ? $"{Count((long)time.TotalSeconds)} s"
        : time < TimeSpan.FromHours(2) ? $"{Count((long)time.TotalMinutes)} min"
        : $"{Count((long)time.TotalHours)} h";

    /// <summary><c>212 of 392 cases, about 3 h at this rate</c></summary>
    public static string Missing(long cases, long needed, long mismatches, double perHour)
    {
        var among = mismatches == 0 ? "" : $" (with {Plural(mismatches, "mismatch", "mismatches")} among them)";
        return $"{Count(cases)} of {Count(needed)} cases{among}, {TimeFor(needed - cases, perHour)}";
    }

    /// <summary>How long so many cases take at the present rate.</summary>
    public static string TimeFor(long cases, double perHour) => (cases / perHour) switch
    {
        _ when !(perHour > 0) => "never at this rate",
        < 1 / 60.0 => "less than a minute at this rate",
        < 1.5 and var hours => $"about {Count((long)Math.Ceiling(hours * 60))} min at this rate",
        < 72 and var hours => $"about {Count((long)Math.Round(hours))} h at this rate",
        < 24 * 365 and var hours => $"about {Count((long)Math.Round(hours / 24))} days at this rate",
        _ => "more than a year at this rate",
    };
}
