using Microsoft.Extensions.DependencyInjection;
using Shadowing.Journal;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Writes are compared under ordinary traffic, and users' tables hold what users' requests did.</summary>
public sealed class WritesUnderTrafficTests(PostgresFixture postgres)
{
    internal static readonly string[] Operations = ["tickets.create", "tickets.update", "tickets.delete", "tickets.comment"];

    internal static readonly (string, string)[] Everything =
    [
        ("Shadowing:SamplePercent", "100"), ("Shadowing:TricklePercent", "100"), ("Shadowing:ConfirmationsPerSecond", "10000"), ("Shadowing:YieldAfter", "00:00:10"),
        ("Shadowing:QueueCapacity", "65536"), ("Shadowing:DatabaseTimeBudget", "16"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_write_is_compared_and_a_right_candidate_never_differs()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("writes", Cancellation), settings: Everything);
        await DriveAsync(service, requests: 400, concurrency: 8, seed: 1, Operations);
        foreach (var operation in Operations)
        {
            var status = await service.SettledAsync(operation);
            TestContext.Current.TestOutputHelper?.WriteLine($"{operation}: {string.Join(' ', status.Comparisons.Where(one => one.Value > 0))} skips {string.Join(' ', status.Skips.Where(one => one.Value > 0))} {status.Statements} {status.Seconds}");
            Assert.Equal(status.Requests, status.Comparisons["match"] + status.Comparisons["control_error"]);
            Assert.NotEqual(0, status.Comparisons["match"]);
        }

        Assert.Empty(service.Services.GetRequiredService<MismatchJournal>().Read().Where(group => group.Outcome != "match").Select(group => (group.Operation, group.Diagnosis.Evidence)));
    }

    internal static async Task DriveAsync(ShadowedService service, int requests, int concurrency, int seed = 1, params string[] operations)
    {
        var population = await Population.ReadAsync(service.Database.Owner, Cancellation);
        using var driver = new TrafficDriver(
            [service.Http.BaseAddress!], population, new(Http.AccessTokens.SigningKey, TimeProvider.System),
            new()
            {
                Seed = seed,
                Concurrency = concurrency,
                Requests = requests,
                Operations = operations.Length == 0 ? null : operations.ToHashSet(),
            }, TimeProvider.System);
        await driver.RunAsync(Cancellation);
        Assert.Empty(driver.Tally.Unexpected);
    }
}
