using Soak;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The soak, short and with frequent faults: what was planted is found to the last one, and nothing else.</summary>
public sealed class SoakTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Under_writers_to_the_same_rows_everything_planted_is_found_and_nothing_else_is_reported()
    {
        var database = await postgres.CloneAsync("soak", TestContext.Current.CancellationToken);
        var options = new SoakOptions(Comparisons: 1_500, For: TimeSpan.FromMinutes(6), Writers: 2, FaultRate: 0.02, RaceRate: 0.05)
        {
            Writes = 150,
            // Few writes delete a ticket: which fault comes when is chance.
            LeastOfEach = 1,
            WriteFaultRate = 0.25,
            SampledWriters = 1,
        };
        var figures = await new SoakRun(database, options, TimeProvider.System).RunAsync(_ => { }, TestContext.Current.CancellationToken);

        Assert.True(figures.Violations.Count == 0, string.Join('\n', figures.Violations));
        Assert.All(figures.Faults.Concat(figures.StillRaces), fault => Assert.NotEqual(0, fault.Planted));
        Assert.NotEqual(0, figures.HotRaces.Planted);
        Assert.InRange(figures.WriteComparisons, 150, long.MaxValue);
        Assert.InRange(figures.Faults.Single(fault => fault.Name == "truncated-comment").Found, 3, long.MaxValue);
        Assert.NotEqual(0, figures.Operations.Sum(operation => operation.Comparisons["transient"]));
        Assert.NotEqual(0, figures.Writes);
        var race = figures.Groups.Single(group => group.Differences is [{ Path: "ticket.subject", Kind: "concurrency" }]);
        Assert.True(race is { Raised: true, Count: >= 3 }, $"{race.Count} of the same race, raised: {race.Raised}");
    }
}
