namespace Ticketing.Api.Tests.Parity;

/// <summary>The process's own zone is everybody's: these tests run while no other does.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class ProcessZone;

/// <summary>Three zones at once: the process's, the session's and the server's. None of them moves a time.</summary>
[Collection(typeof(ProcessZone))]
public sealed class ProcessZoneTests(ParityDatabase database) : StoreCases(database), IClassFixture<ParityDatabase>
{
    private bool _isCandidate;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_stored_time_and_the_databases_clock_are_the_same_everywhere(bool isCandidate) => InAucklandAsync(async () =>
    {
        _isCandidate = isCandidate;
        var missingHour = new DateTime(2025, 9, 28, 2, 30, 0);
        var ticket = await AddTicketAsync("2025-09-28 02:30:00", status: "resolved", resolved: "2025-09-28 03:30:00");

        var before = await ClockAsync();
        var created = await CreateAsync(new(AsUser, "A subject", "A description"));
        var resolved = (await UpdateAsync(new(AsUser, ticket, "resolved"))).Ticket!;
        var stats = await StatsAsync(Timeframe.Week, missingHour.AddDays(7).AddTicks(-10));

        Assert.InRange(created.CreatedAt!.Value, before, await ClockAsync());
        Assert.Equal((missingHour, missingHour.AddHours(1)), (resolved.CreatedAt, resolved.ResolvedAt));
        Assert.Equal(1m, stats.AverageHoursToResolve);
        Assert.Contains(new(DateOnly.FromDateTime(missingHour), 1), stats.ByDay);
    });

    private protected override ITicketStore Store(TicketSession session) =>
        _isCandidate ? Database.Candidate(session) : ParityDatabase.Control(session);

    private static async Task InAucklandAsync(Func<Task> test)
    {
        const string Zone = "TZ";
        var before = Environment.GetEnvironmentVariable(Zone);
        try
        {
            Environment.SetEnvironmentVariable(Zone, "Pacific/Auckland");
            TimeZoneInfo.ClearCachedData();
            Assert.NotEqual(TimeSpan.Zero, TimeZoneInfo.Local.BaseUtcOffset);
            await test();
        }
        finally
        {
            Environment.SetEnvironmentVariable(Zone, before);
            TimeZoneInfo.ClearCachedData();
        }
    }
}
