namespace Ticketing.Api.Tests.Parity;

/// <summary>What a store must count, whichever side it is.</summary>
public abstract class TicketStoreStatsTests(ParityDatabase database) : StoreCases(database)
{
    private static readonly DateTime AsOf = new(2025, 3, 31, 12, 0, 0);

    [Fact]
    public async Task Statistics_of_nothing_are_zeros_and_no_average()
    {
        var stats = await StatsAsync(Timeframe.Year, AsOf);

        Assert.Equal(new(0, 0, 0, 0, 0), stats.Totals);
        Assert.Null(stats.AverageHoursToResolve);
        Assert.Empty(stats.ByStatus);
        Assert.Empty(stats.TopUsers);
    }

    [Theory]
    [InlineData(Timeframe.Week, "2025-03-24 12:00:00")]
    [InlineData(Timeframe.Month, "2025-03-01 12:00:00")]
    [InlineData(Timeframe.Quarter, "2024-12-31 12:00:00")]
    [InlineData(Timeframe.Year, "2024-03-31 12:00:00")]
    public async Task The_start_of_the_window_is_outside_it(Timeframe timeframe, string start)
    {
        await AddTicketAsync(start);
        await AddTicketAsync(null);
        await AddTicketAsync($"{start}.000001");
        await AddTicketAsync("2025-12-31");

        Assert.Equal(2, (await StatsAsync(timeframe, AsOf)).Totals.Total);
    }

    [Fact]
    public async Task A_year_before_a_leap_day_is_the_end_of_february()
    {
        await AddTicketAsync("2023-02-28 12:00:00");
        await AddTicketAsync("2023-02-28 12:00:00.000001");

        Assert.Equal(1, (await StatsAsync(Timeframe.Year, new(2024, 2, 29, 12, 0, 0))).Totals.Total);
    }

    [Fact]
    public async Task The_instant_is_a_wall_clock_whatever_kind_it_claims_to_be()
    {
        await AddTicketAsync("2025-03-24 12:00:00.000001");

        Assert.Equal(1, (await StatsAsync(Timeframe.Week, DateTime.SpecifyKind(AsOf, DateTimeKind.Utc))).Totals.Total);
        Assert.Equal(1, (await StatsAsync(Timeframe.Week, DateTime.SpecifyKind(AsOf, DateTimeKind.Local))).Totals.Total);
    }

    [Fact]
    public async Task A_ticket_of_null_or_unknown_status_is_in_the_total_only()
    {
        foreach (var status in (string?[])["open", "open", "in_progress", "resolved", "closed", null, "OPEN", "Wartend"])
            await AddTicketAsync("2025-03-30", status: status);

        var stats = await StatsAsync(Timeframe.Week, AsOf);

        Assert.Equal(new(8, 2, 1, 1, 1), stats.Totals);
        Assert.Equal(
            [new("OPEN", 1), new("Wartend", 1), new("closed", 1), new("in_progress", 1), new("open", 2), new("resolved", 1), new(null, 1)],
            stats.ByStatus);
    }

    [Fact]
    public async Task Urgent_comes_behind_low_in_no_order_with_null_and_the_unknown_ones()
    {
        foreach (var priority in (string?[])["urgent", "low", null, "high", "High", "medium", "medium"])
            await AddTicketAsync("2025-03-30", priority: priority);

        var priorities = (await StatsAsync(Timeframe.Week, AsOf)).ByPriority;

        Assert.Equal([new("high", 1), new("medium", 2), new("low", 1)], priorities.Take(3));
        Assert.Equal(new HashSet<CountOf> { new("urgent", 1), new(null, 1), new("High", 1) }, priorities.Skip(3).ToHashSet());
    }

    [Fact]
    public async Task Categories_come_by_their_count_and_days_latest_first()
    {
        await AddTicketAsync("2025-03-29 23:59:59.999999", category: "bug");
        await AddTicketAsync("2025-03-30 00:00:00", category: null);
        await AddTicketAsync("2025-03-30 02:30:00", category: null);
        await AddTicketAsync("infinity", category: null);

        var stats = await StatsAsync(Timeframe.Week, AsOf);

        Assert.Equal([new(null, 3), new("bug", 1)], stats.ByCategory);
        Assert.Equal([new(DateOnly.MaxValue, 1), new(new(2025, 3, 30), 2), new(new(2025, 3, 29), 1)], stats.ByDay);
    }

    [Fact]
    public async Task Ten_users_at_most_come_by_their_count()
    {
        foreach (var tickets in Enumerable.Range(1, 12))
        {
            var user = await AddUserAsync($"User{tickets}", "user");
            for (var ticket = 0; ticket < tickets; ticket++) await AddTicketAsync("2025-03-30", user: user);
        }

        var users = (await StatsAsync(Timeframe.Week, AsOf)).TopUsers;

        Assert.Equal(Enumerable.Range(3, 10).Reverse().Select(count => (long)count), users.Select(user => user.Count));
        Assert.Equal(("User12", "Example", "User12@example.test"), (users[0].FirstName, users[0].LastName, users[0].Email));
    }

    [Fact]
    public async Task The_average_is_exact_and_leaves_out_what_was_never_resolved()
    {
        await AddTicketAsync("2025-03-30 01:00:00", resolved: "2025-03-30 04:00:00");
        await AddTicketAsync("2025-03-30 00:00:00.000001", resolved: "2025-03-29 23:00:00.000001");
        await AddTicketAsync("2025-03-30", status: "resolved");

        Assert.Equal(1m, (await StatsAsync(Timeframe.Week, AsOf)).AverageHoursToResolve);
    }

    [Fact]
    public async Task An_endless_resolution_has_no_average_but_an_error()
    {
        await AddTicketAsync("2025-03-30", resolved: "infinity");

        // PostgreSQL refuses up to 16, and from 17 on answers infinity, which no decimal is.
        Assert.NotNull(await Record.ExceptionAsync(() => StatsAsync(Timeframe.Week, AsOf)));
    }
}
