namespace Shadowing.Evidence;

/// <summary>An operation's eligible requests in one hour.</summary>
/// <param name="Minutes">How many minutes of the hour had any.</param>
public sealed record TrafficHour(string Operation, DateTimeOffset Hour, long Requests, int Minutes);

/// <summary>The traffic of the last two weeks, hour by hour: whether the present hour is a busy one. Pure.</summary>
/// <param name="now">By the database's clock, as the hours are.</param>
public sealed class TrafficHours(DateTimeOffset now, IReadOnlyList<TrafficHour> hours)
{
    /// <summary>The moment of the reading.</summary>
    public DateTimeOffset Now => now;

    /// <summary>Hour by hour, as they were read.</summary>
    public IReadOnlyList<TrafficHour> Hours => hours;

    /// <summary>
    /// Whether the present hour is at least as busy as those in which half of all requests come. An hour weighs by its requests: nights
    /// with a few of them make no other hour busy.
    /// </summary>
    public bool IsBusy
    {
        get
        {
            var all = hours.GroupBy(hour => hour.Hour)
                .Select(hour => new TrafficHour("", hour.Key, hour.Sum(one => one.Requests), hour.Max(one => one.Minutes)))
                .OrderBy(PerMinute).ToArray();
            if (all.MaxBy(hour => hour.Hour) is not { } latest || latest.Hour <= now.AddHours(-1)) return false;
            var (half, seen) = (all.Sum(hour => hour.Requests) / 2.0, 0L);
            return PerMinute(latest) >= PerMinute(all.First(hour => (seen += hour.Requests) >= half));
        }
    }

    private static double PerMinute(TrafficHour hour) => (double)hour.Requests / Math.Max(hour.Minutes, 1);
}
