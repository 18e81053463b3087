using Microsoft.Extensions.DependencyInjection;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Ticketing.Api.Tests.Database;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>A replica dies with a write of the candidate's in flight: nobody is there to say how it ended.</summary>
public sealed class OrphanedWritesTests(PostgresFixture postgres)
{
    private const string Update = "tickets.update";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_write_in_flight_for_longer_than_any_takes_is_told_as_one_that_may_be_committed()
    {
        await using var replica = await Replica.StartAsync(await postgres.CloneAsync("served_orphaned", Cancellation));
        var (store, died) = (replica.Service.Services.GetRequiredService<ServedStore>(), Guid.NewGuid());
        await AddAsync([Answer(7), Answer(8)], "in_flight", 7, 8);
        Assert.Equal([(7, "in_flight"), (8, "in_flight")], await ListAsync(""));

        Assert.Null(await Sql.StateAsync(
            replica.Service.Database.Evidence, "update shadow.served set at = at - interval '10 minutes' where subject = 7"));
        Assert.Equal([(7, "commit_unknown"), (8, "in_flight")], await ListAsync(""));
        Assert.Equal([(7, "commit_unknown")], await ListAsync("&verdict=commit_unknown"));
        Assert.Equal([(8, "in_flight")], await ListAsync("&verdict=in_flight"));

        // It was only slow to tell.
        await AddAsync([], "match", 7, 8);
        Assert.Equal([(7, "match"), (8, "match")], await ListAsync(""));
        Assert.Empty(await ListAsync("&verdict=commit_unknown"));

        ServedAnswer Answer(int ticket) => new(ticket, DateTimeOffset.UtcNow, Update, "staff / status", ticket, 1, "a fingerprint");

        Task AddAsync(IReadOnlyList<ServedAnswer> answers, string verdict, params int[] numbers) => store.AddAsync(
            died, answers, [.. numbers.Select(number => new ServedVerdict(number, verdict))], user => $"user {user}", Cancellation);

        async Task<(int, string)[]> ListAsync(string only) =>
        [
            .. (await replica.GetAsync($"served?operation={Update}{only}")).AsArray()
                .Select(served => ((int)served!["subject"]!, (string)served["verdict"]!)).Order(),
        ];
    }
}
