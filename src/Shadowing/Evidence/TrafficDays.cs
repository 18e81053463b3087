namespace Shadowing.Evidence;

/// <summary>An operation's eligible requests on one day, in UTC.</summary>
/// <param name="LastAt">When the last of them was counted.</param>
public sealed record TrafficDay(string Operation, DateOnly Day, long Requests, DateTimeOffset LastAt);

/// <summary>What of the traffic counts as soak: time, weighed by the service's own usual day. Pure.</summary>
/// <remarks>
/// A day counts in full if it brought as many requests as a usual one, and in part if it brought fewer. So the closed hours of an office
/// are no loss, an empty weekend is no gain, and a flood of requests makes no day longer. All days since the evidence began add up, without
/// a limit: every span that a policy asks for is reached by a service that goes on as usual.
/// </remarks>
/// <param name="now">By the database's clock, as the days are.</param>
public sealed class TrafficDays(DateTimeOffset now, IReadOnlyList<TrafficDay> days)
{
    /// <summary>The days before the present one that tell what is usual.</summary>
    private const int UsualOver = 28;

    /// <summary>A day counts as a business day from this share of a usual one.</summary>
    private const double LeastShare = 0.5;

    private readonly ILookup<string, TrafficDay> _byOperation = days.Where(day => day.Requests > 0).ToLookup(day => day.Operation);

    /// <summary>Day by day, as they were read.</summary>
    public IReadOnlyList<TrafficDay> Days => days;

    /// <summary>How much soak an operation has had.</summary>
    /// <param name="since">When its evidence began; null where there is none.</param>
    /// <returns>
    /// The time, never longer than from <paramref name="since"/> to the last request; and the business days (Monday to Friday, UTC) in it.
    /// </returns>
    public (TimeSpan Soak, int BusinessDays) SoakOf(string operation, DateTimeOffset? since)
    {
        if (since is not { } start) return (TimeSpan.Zero, 0);
        var mine = _byOperation[operation].ToArray();
        var usual = Usual(mine);
        var counted = mine.Where(day => End(day) > start).ToArray();
        var soak = counted.Sum(day => Math.Min(Wall(day, start), 24 * day.Requests / usual));
        return (TimeSpan.FromHours(soak), counted.Count(day => IsBusinessDay(day.Day) && day.Requests >= LeastShare * usual));
    }

    /// <summary>An operation's requests on the busiest of the latest days, the present one among them; 0 where it had none.</summary>
    public long BusiestOf(string operation)
    {
        var first = DateOnly.FromDateTime(now.UtcDateTime).AddDays(-UsualOver);
        return _byOperation[operation].Where(day => day.Day >= first).Select(day => day.Requests).DefaultIfEmpty(0).Max();
    }

    /// <summary>The mean of the latest days that had any requests; the present day only counts while there is no other.</summary>
    private double Usual(TrafficDay[] mine)
    {
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var past = mine.Where(day => day.Day < today && day.Day >= today.AddDays(-UsualOver)).ToArray();
        return past.Length > 0 ? past.Average(day => day.Requests) : Math.Max(1, mine.Sum(day => day.Requests));
    }

    /// <summary>The hours of a day between the start and the last request.</summary>
    private double Wall(TrafficDay day, DateTimeOffset start)
    {
        var began = Begin(day) > start ? Begin(day) : start;
        return Math.Max(0, (End(day) - began).TotalHours);
    }

    private static DateTimeOffset Begin(TrafficDay day) => new(day.Day, TimeOnly.MinValue, TimeSpan.Zero);

    /// <summary>A day that is over counts to its end: that its last hours were quiet is in the number of its requests.</summary>
    private DateTimeOffset End(TrafficDay day) => day.Day < DateOnly.FromDateTime(now.UtcDateTime) ? Begin(day).AddDays(1) : day.LastAt;

    private static bool IsBusinessDay(DateOnly day) => day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday);
}
