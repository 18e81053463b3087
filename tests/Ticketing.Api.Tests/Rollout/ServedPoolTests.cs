using System.Globalization;
using Npgsql;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>One user's many writes to one ticket empty the pool that all share: everybody waits, and the candidate is not accused of it.</summary>
public sealed class ServedPoolTests(PostgresFixture postgres)
{
    /// <summary>Half of the connections, which reads and compared writes have to themselves.</summary>
    private const int Pool = 4;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reads_that_wait_for_the_pool_are_answered_by_the_candidate_and_roll_nothing_back()
    {
        var database = await postgres.CloneAsync("served_pool", Cancellation);
        using var arrived = new SemaphoreSlim(0);
        var mayOpen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isHeld = false;
        await using var replica = await Replica.StartAsync(
            database with { Served = $"{database.Served};Maximum Pool Size={2 * Pool};Timeout=60" },
            openingCandidate: async () =>
            {
                if (!isHeld) return;
                arrived.Release();
                await mayOpen.Task;
            },
            settings: [("Shadowing:CandidateDeadline", "00:00:00.020"), ("Shadowing:ShadowTimeout", "00:00:00.200")]);
        await replica.ProveAsync();
        await replica.ServeAsync();

        // They have been let in, and are about to ask for a connection.
        isHeld = true;
        var reads = Enumerable.Range(1, 5).Select(id => replica.Service.GetAsync($"/api/tickets/{id}")).ToArray();
        for (var read = 0; read < reads.Length; read++) await arrived.WaitAsync(Cancellation);

        await using var owner = new NpgsqlConnection(database.Owner);
        await owner.OpenAsync(Cancellation);
        await using var transaction = await owner.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("select from support_tickets where id = 9 for update", owner, transaction))
            await hold.ExecuteNonQueryAsync(Cancellation);
        var writes = Enumerable.Range(0, Pool)
            .Select(_ => replica.Service.SendAsync(HttpMethod.Patch, "/api/tickets/9", new { priority = "high" })).ToArray();
        // Not in the transaction: within one the list of sessions stays what it was at the first look.
        await Until.HoldsAsync(async () => int.Parse(
            await Sql.LineAsync(
                database.Owner,
                "select count(*) from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()"),
            CultureInfo.InvariantCulture) >= Pool);

        mayOpen.SetResult();
        // Longer than a candidate may take, several times over.
        for (var look = 0; look < 20; look++) await Until.NextLookAsync();
        Assert.All(reads, read => Assert.False(read.IsCompleted));
        await transaction.RollbackAsync(Cancellation);
        Assert.All(await Task.WhenAll(reads), status => Assert.Equal(200, status));
        Assert.All(await Task.WhenAll(writes), write => Assert.Equal(200, write.Status));

        await replica.Service.SettledAsync("tickets.get");
        var rollout = await replica.RolloutAsync();
        Assert.Null((string?)rollout["heldBecause"]);
        Assert.Equal(100, (double)rollout["effectiveServePercent"]!);
    }
}
