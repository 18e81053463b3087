using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

/// <summary>Whether the present hour is a busy one.</summary>
public sealed class TrafficHoursTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 8, 12, 59, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(600, true)]
    [InlineData(1200, true)]
    [InlineData(300, false)]
    public void An_hour_is_busy_that_brings_the_usual_traffic_or_more(int latest, bool isBusy) =>
        Assert.Equal(isBusy, new TrafficHours(Now, [Hour(3, 600), Hour(2, 600), Hour(1, 600), Hour(0, latest)]).IsBusy);

    [Fact]
    public void A_few_requests_each_night_do_not_make_the_night_busy()
    {
        // Sixteen hours of the night with a few requests, eight of the day with many.
        TrafficHour[] night = [.. Enumerable.Range(9, 15).Select(ago => Hour(ago, 20))];
        TrafficHour[] day = [.. Enumerable.Range(1, 8).Select(ago => Hour(ago, 6000))];
        Assert.False(new TrafficHours(Now, [.. night, .. day, Hour(0, 40)]).IsBusy);
        Assert.True(new TrafficHours(Now, [.. night, .. day, Hour(0, 6100)]).IsBusy);
    }

    private static TrafficHour Hour(int ago, int requests) =>
        new("list", new DateTimeOffset(2026, 1, 8, 12, 0, 0, TimeSpan.Zero).AddHours(-ago), requests, 60);
}
