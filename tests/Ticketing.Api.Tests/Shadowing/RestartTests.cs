using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>PostgreSQL goes away under load and comes back, on a cluster of its own.</summary>
public sealed class RestartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_restart_of_the_database_under_load_is_blamed_on_nobody_and_survived()
    {
        await using var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var database = await postgres.CreateAsync("restarted", Cancellation);
        await Seeder.SeedAsync(database, 1_000, Cancellation);
        await using var service = await ShadowedService.StartAsync(database);

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
        var load = Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (var id = 1 + worker; !enough.IsCancellationRequested; id = id % 500 + 1)
                seen.AddOrUpdate(await service.GetAsync($"/api/tickets/{id}"), 1, (_, count) => count + 1);
        }));
        await Until.HoldsAsync(async () => (await service.StatusAsync("tickets.get")).Comparisons["match"] > 0);
        await postgres.RestartAsync(Cancellation);
        var compared = (await service.StatusAsync("tickets.get")).Comparisons["match"];
        await Until.HoldsAsync(async () => (await service.StatusAsync("tickets.get")).Comparisons["match"] > compared + 20);
        await enough.CancelAsync();
        await load;

        // An error of the database is the user's with or without a shadow; nothing else may reach them.
        Assert.Empty(seen.Keys.Except([200, 503]));
        var get = await service.SettledAsync("tickets.get");
        // Some were refused with the database before they became requests of the operation.
        Assert.InRange(get.Requests, seen[200], seen.Values.Sum());
        Assert.True(get.Mismatches.Count == 0, string.Join(", ", get.Mismatches));
        Assert.Equal(0, get.Comparisons["mismatch"] + get.Comparisons["candidate_error"] + get.Comparisons["candidate_timeout"]);
    }
}
