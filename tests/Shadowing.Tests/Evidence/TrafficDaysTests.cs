using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

/// <summary>Soak is time, weighed by the service's own usual day; every span of a policy is reached by each calendar.</summary>
public sealed class TrafficDaysTests
{
    /// <summary>A Monday.</summary>
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("24/7", 2)]
    [InlineData("office hours", 3)]
    [InlineData("300 requests a day", 3)]
    [InlineData("a shop's weekend", 6)]
    public void Forty_eight_hours_are_reached(string calendar, int days) => Assert.Equal(days, DaysUntil(calendar, 48));

    [Theory]
    [InlineData("24/7", 7)]
    [InlineData("office hours", 10)]
    [InlineData("300 requests a day", 8)]
    [InlineData("a shop's weekend", 15)]
    public void A_week_is_reached(string calendar, int days) => Assert.Equal(days, DaysUntil(calendar, 168));

    [Fact]
    public void An_empty_weekend_is_no_soak()
    {
        var friday = DaySince(4, 9000);
        Assert.Equal(TimeSpan.FromHours(24), new TrafficDays(Start.AddDays(7), [friday]).SoakOf("list", Start).Soak);
    }

    [Fact]
    public void A_burst_and_then_silence_is_no_soak()
    {
        TrafficDay[] days = [new("list", Day(0), 10_000, Start.AddMinutes(1)), new("list", Day(2), 1, Start.AddDays(2).AddHours(12))];
        var soak = new TrafficDays(Start.AddDays(2).AddHours(13), days).SoakOf("list", Start.AddDays(-1).AddHours(23)).Soak;
        Assert.InRange(soak, TimeSpan.FromHours(23), TimeSpan.FromHours(24.1));
    }

    [Fact]
    public void A_flood_of_requests_makes_no_day_longer()
    {
        TrafficDay[] days = [DaySince(0, 100), DaySince(1, 1_000_000)];
        Assert.True(new TrafficDays(Start.AddDays(2), days).SoakOf("list", Start).Soak <= TimeSpan.FromHours(24.1));
    }

    [Fact]
    public void On_its_first_day_soak_is_the_time_until_the_last_request() =>
        Assert.Equal(TimeSpan.FromMinutes(3), new TrafficDays(
            Start.AddHours(14), [new("list", Day(0), 40, Start.AddHours(13).AddMinutes(3))]).SoakOf("list", Start.AddHours(13)).Soak);

    [Fact]
    public void What_was_before_the_evidence_began_is_no_soak() =>
        Assert.Equal(TimeSpan.FromHours(36), new TrafficDays(
            Start.AddDays(3), [DaySince(0, 500), DaySince(1, 500), DaySince(2, 500)]).SoakOf("list", Start.AddHours(36)).Soak);

    [Fact]
    public void Days_add_up_beyond_two_weeks() => Assert.Equal(
        TimeSpan.FromDays(40),
        new TrafficDays(Start.AddDays(40), [.. Enumerable.Range(0, 40).Select(day => DaySince(day, 500))]).SoakOf("list", Start).Soak);

    [Fact]
    public void Saturdays_Sundays_and_days_of_a_few_requests_are_no_business_days() => Assert.Equal(5, new TrafficDays(
        Start.AddDays(8), [.. Enumerable.Range(0, 7).Select(day => DaySince(day, 500)), DaySince(7, 3)]).SoakOf("list", Start).BusinessDays);

    [Fact]
    public void Without_evidence_there_is_no_soak() =>
        Assert.Equal((TimeSpan.Zero, 0), new TrafficDays(Start, [DaySince(0, 500)]).SoakOf("list", null));

    /// <summary>The first day, from 1, at whose end the soak is reached by a service that has run for four weeks.</summary>
    private static int DaysUntil(string calendar, int hours) => Enumerable.Range(1, 400).First(day =>
    {
        var days = Enumerable.Range(-28, 28 + day).Select(at => DaySince(at, Requests(calendar, at))).Where(one => one.Requests > 0);
        return new TrafficDays(Start.AddDays(day), [.. days]).SoakOf("list", Start).Soak >= TimeSpan.FromHours(hours);
    });

    private static long Requests(string calendar, int day)
    {
        var isWeekend = Day(day).DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
        return calendar switch
        {
            "24/7" => 100_000,
            "office hours" => isWeekend ? 0 : 9_000 + (Math.Abs(day) % 3 * 300),
            "300 requests a day" => 290 + (Math.Abs(day) % 2 * 20),
            _ => isWeekend ? 8_000 : 800,
        };
    }

    private static TrafficDay DaySince(int day, long requests) => new("list", Day(day), requests, Start.AddDays(day + 1).AddMinutes(-1));

    private static DateOnly Day(int day) => DateOnly.FromDateTime(Start.UtcDateTime).AddDays(day);
}
