using CsCheck;
using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

public sealed class RollbackWindowsTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly RollbackWindows _windows = new();

    [Theory]
    [InlineData(3, 662)]
    [InlineData(4, 3074)]
    [InlineData(5, 8223)]
    [InlineData(6, 16_516)]
    [InlineData(8, 42_660)]
    [InlineData(10, 80_680)]
    public void So_many_failures_trip_while_there_are_no_more_requests_than_this(long failures, long requests)
    {
        Assert.True(RollbackWindows.Trips(failures, requests));
        Assert.False(RollbackWindows.Trips(failures, requests + 1));
    }

    [Theory]
    [InlineData(1000, 1e-5, 4)]
    [InlineData(100_000, 1e-5, 11)]
    [InlineData(1000, 1e-4, 6)]
    public void The_first_failure_that_trips_is_as_computed_elsewhere(long requests, double rate, int first) =>
        Assert.Equal(first, Enumerable.Range(0, 100).First(k => RollbackWindows.Trips(k, requests, new(rate))));

    [Fact]
    public void Two_failures_never_trip() => Assert.False(RollbackWindows.Trips(2, 2));

    [Fact]
    public void Three_failures_in_a_minute_trip_the_shortest_window()
    {
        _windows.Add(Start, failures: 3, requests: 40);
        Assert.Equal(new(TimeSpan.FromMinutes(1), 3, 40), _windows.Trip(Start.AddSeconds(10)));
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(20, 30)]
    [InlineData(80, 120)]
    [InlineData(300, 360)]
    [InlineData(1200, 1440)]
    public void Failures_far_apart_trip_the_window_that_holds_them_all(int minutesApart, int window)
    {
        foreach (var minute in new[] { 0, minutesApart / 2, minutesApart }) _windows.Add(Start.AddMinutes(minute), 1, requests: 10);
        Assert.Equal(TimeSpan.FromMinutes(window), _windows.Trip(Start.AddMinutes(minutesApart))?.Window);
    }

    [Fact]
    public void After_a_day_failures_are_forgotten()
    {
        _windows.Add(Start, failures: 3, requests: 3);
        Assert.NotNull(_windows.Trip(Start.AddMinutes(1439)));
        Assert.Null(_windows.Trip(Start.AddMinutes(1440)));
    }

    [Fact]
    public void A_minute_of_the_next_day_does_not_add_to_that_of_the_day_before()
    {
        _windows.Add(Start, failures: 2, requests: 2);
        _windows.Add(Start.AddDays(1), failures: 1, requests: 1);
        Assert.Null(_windows.Trip(Start.AddDays(1)));
    }

    [Fact]
    public void A_clock_that_is_set_back_hides_no_failure()
    {
        _windows.Add(Start, failures: 3, requests: 10);
        Assert.NotNull(_windows.Trip(Start.AddMinutes(-10)));
        _windows.Add(Start.AddDays(-30), failures: 3, requests: 10);
        Assert.NotNull(_windows.Trip(Start.AddDays(-30)));
    }

    [Fact]
    public void The_minutes_of_replicas_merge_in_any_order()
    {
        var minutes = Gen.Select(Gen.Int[0, 1400], Gen.Long[0, 2], Gen.Long[2, 300]).List[0, 30];
        Gen.Select(minutes, Gen.Int[0, 1500]).Sample((reports, now) =>
        {
            var (forwards, backwards) = (new RollbackWindows(), new RollbackWindows());
            foreach (var (at, k, n) in reports) forwards.Add(Start.AddMinutes(at), k, n);
            foreach (var (at, k, n) in Enumerable.Reverse(reports)) backwards.Add(Start.AddMinutes(at), k, n);
            Assert.Equal(forwards.Trip(Start.AddMinutes(now)), backwards.Trip(Start.AddMinutes(now)));
        });
    }

    [Fact]
    public void Good_traffic_never_trips()
    {
        for (var minute = 0; minute < 3000; minute++) _windows.Add(Start.AddMinutes(minute), minute % 1000 == 0 ? 1 : 0, requests: 600);
        Assert.Null(_windows.Trip(Start.AddMinutes(3000)));
    }
}
