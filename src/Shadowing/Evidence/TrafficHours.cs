namespace Shadowing.Evidence;

/// <summary>An operation's eligible requests in one hour.</summary>
/// <param name="Minutes">How many minutes of the hour had any.</param>
/// <param name="FirstMinute">The first that had.</param>
public sealed record TrafficHour(string Operation, DateTimeOffset Hour, long Requests, int Minutes, DateTimeOffset FirstMinute);

/// <summary>The traffic of the last two weeks, hour by hour, and what of it counts as soak. Pure.</summary>
/// <param name="now">By the database's clock, as the hours are.</param>
/// <remarks>
/// An hour counts if it brought at least half the usual volume, minute for minute: a night without requests proves nothing. What is usual
/// is the median over the hours that had any traffic at all.
/// </remarks>
public sealed class TrafficHours(DateTimeOffset now, IReadOnlyList<TrafficHour> hours)
{
    private const double LeastShare = 0.5;

    /// <summary>The moment of the reading.</summary>
    public DateTimeOffset Now => now;

    /// <summary>Hour by hour, as they were read.</summary>
    public IReadOnlyList<TrafficHour> Hours => hours;

    /// <summary>Whether the present hour brings at least the usual traffic, over all operations.</summary>
    public bool IsBusy
    {
        get
        {
            var all = hours.GroupBy(hour => hour.Hour).Select(hour => new TrafficHour(
                "", hour.Key, hour.Sum(one => one.Requests), hour.Max(one => one.Minutes), hour.Min(one => one.FirstMinute))).ToArray();
            return all.OrderByDescending(hour => hour.Hour).FirstOrDefault() is { } latest
                && latest.Hour > now.AddHours(-1) && PerMinute(latest) >= Usual(all);
        }
    }

    /// <summary>How much soak an operation has had.</summary>
    /// <param name="since">When its evidence began; null where there is none.</param>
    /// <returns>The minutes with traffic of the hours that count, and the business days (Monday to Friday, UTC) among them.</returns>
    public (TimeSpan Soak, int BusinessDays) SoakOf(string operation, DateTimeOffset? since)
    {
        if (since is not { } start) return (TimeSpan.Zero, 0);
        var mine = hours.Where(hour => hour.Operation == operation).ToArray();
        var usual = Usual(mine);
        var counted = mine.Where(hour => hour.Hour.AddHours(1) > start && PerMinute(hour) >= LeastShare * usual).ToArray();
        var soak = TimeSpan.FromMinutes(counted.Sum(hour => Math.Min(hour.Minutes, MinutesSince(hour, start))));
        return (soak, counted.Select(hour => hour.Hour.UtcDateTime.Date).Distinct().Count(IsBusinessDay));
    }

    /// <summary>Of an hour in which the evidence began only its later part counts.</summary>
    private static double MinutesSince(TrafficHour hour, DateTimeOffset start) =>
        start <= hour.Hour ? 60 : Math.Max(0, Math.Ceiling((hour.Hour.AddHours(1) - start).TotalMinutes));

    private static double Usual(TrafficHour[] hours)
    {
        if (hours.Length == 0) return 0;
        double[] rates = [.. hours.Select(PerMinute).Order()];
        return rates[rates.Length / 2];
    }

    private static double PerMinute(TrafficHour hour) => (double)hour.Requests / Math.Max(hour.Minutes, 1);

    private static bool IsBusinessDay(DateTime day) => day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday);
}
