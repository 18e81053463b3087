using Npgsql;
using Shadowing.Serving;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Cases;

/// <summary>One user who writes to one own ticket over many connections.</summary>
public sealed class ConvoyTests(PostgresFixture postgres)
{
    private const int Writers = 24;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_many_writes_to_one_ticket_a_few_are_in_transactions_of_ours_and_the_rest_run_as_without_a_shadow()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("convoy", Cancellation), settings: [.. WritesUnderTrafficTests.Everything]);
        await using var holder = new NpgsqlConnection(service.Database.Owner);
        await holder.OpenAsync(Cancellation);
        await using var holding = await holder.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("select from support_tickets where id = 5 for update", holder, holding))
            await hold.ExecuteNonQueryAsync(Cancellation);
        var writes = Enumerable.Range(0, Writers).Select(number => service.SendAsync(
            HttpMethod.Patch, "/api/tickets/5", new { resolution = $"Resolution {number}" })).ToArray();
        await Until.HoldsAsync(async () => (await service.StatusAsync("tickets.update")).Skips["crowded"] == Writers - WriteCrowds.Most);
        // Others are compared as ever.
        Assert.Equal(200, (await service.SendAsync(HttpMethod.Patch, "/api/tickets/6", new { resolution = "Other" }, asUser: 4)).Status);
        await holding.RollbackAsync(Cancellation);
        Assert.All(await Task.WhenAll(writes), write => Assert.Equal(200, write.Status));
        var update = await service.SettledAsync("tickets.update");
        Assert.Equal(Writers + 1, update.Requests);
        Assert.Equal(0, update.Comparisons["mismatch"]);
    }
}
