using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

/// <summary>Soak is time under the usual traffic, not time on the wall.</summary>
public sealed class TrafficHoursTests
{
    /// <summary>A Thursday, noon.</summary>
    private static readonly DateTimeOffset Now = new(2026, 1, 8, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_night_without_requests_is_no_soak() =>
        Assert.Equal((TimeSpan.FromHours(2), 1), Soak(Hour(3, 600), Hour(2, 600)));

    [Fact]
    public void An_hour_below_half_the_usual_volume_is_no_soak() =>
        Assert.Equal(TimeSpan.FromHours(3), Soak(Hour(4, 600), Hour(3, 600), Hour(2, 299), Hour(1, 301)).Soak);

    [Fact]
    public void Minutes_with_traffic_count_and_not_the_hours_they_are_in() =>
        Assert.Equal(TimeSpan.FromMinutes(12), Soak(Hour(1, 120, minutes: 12)).Soak);

    [Fact]
    public void Saturdays_and_Sundays_are_no_business_days() =>
        Assert.Equal(2, Soak(Hour(24, 600), Hour(1, 600), Hour((24 * 4) + 1, 600), Hour((24 * 5) + 1, 600)).BusinessDays);

    [Fact]
    public void What_was_before_the_evidence_began_is_no_soak() =>
        Assert.Equal(TimeSpan.FromMinutes(90), new TrafficHours(Now, [Hour(3, 600), Hour(2, 600), Hour(1, 600)]).SoakOf("list", Now.AddMinutes(-90)).Soak);

    [Fact]
    public void Without_evidence_there_is_no_soak() =>
        Assert.Equal((TimeSpan.Zero, 0), new TrafficHours(Now, [Hour(1, 600)]).SoakOf("list", null));

    [Theory]
    [InlineData(600, true)]
    [InlineData(1200, true)]
    [InlineData(300, false)]
    public void An_hour_is_busy_that_brings_the_usual_traffic_or_more(int latest, bool isBusy) =>
        Assert.Equal(isBusy, new TrafficHours(Now.AddMinutes(59), [Hour(3, 600), Hour(2, 600), Hour(1, 600), Hour(0, latest)]).IsBusy);

    private static (TimeSpan Soak, int BusinessDays) Soak(params TrafficHour[] hours) => new TrafficHours(Now, hours).SoakOf("list", Now.AddDays(-10));

    private static TrafficHour Hour(int ago, int requests, int minutes = 60) =>
        new("list", Now.AddHours(-ago), requests, minutes, Now.AddHours(-ago));
}
