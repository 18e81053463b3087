using System.Net;
using System.Text.Json.Nodes;
using Npgsql;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Http;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>Two replicas on one PostgreSQL, the candidate writes on one, and on the other somebody rolls back.</summary>
public sealed class WriteRollbackTests(PostgresFixture postgres)
{
    private const string Update = "tickets.update";
    private const int Held = 12;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_write_in_flight_on_another_replica_is_listed_and_ends_as_the_candidates()
    {
        var (begun, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var waits = false;
        var database = await postgres.CloneAsync("write_rollback_listed", Cancellation);
        await using var here = await Replica.StartAsync(database, "here", everywhere: store => new TamperedStore(store)
        {
            OnUpdate = async (_, next, _) =>
            {
                var made = await next();
                if (!waits) return made;
                begun.TrySetResult();
                await release.Task;
                return made;
            },
        }, settings: [.. ServedWritesTests.Roomy, ("Shadowing:CandidateDeadline", "00:00:10")]);
        await using var there = await Replica.StartAsync(database, "there", settings: ServedWritesTests.Roomy);
        await ServedWritesTests.ServeWritesAsync(here);
        waits = true;
        var writing = ServedWritesTests.PatchAsync(here, Held);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

        var replicas = await RollBackAsync(there);
        var inFlight = Assert.Single(replicas["here"]["writesInFlight"]!.AsArray())!;
        Assert.Equal((Held, "staff / status"), ((int)inFlight["subject"]!, (string?)inFlight["shape"]));
        Assert.Empty(replicas["there"]["writesInFlight"]!.AsArray());
        await Until.HoldsAsync(async () => await VerdictAsync(there) is "in_flight");

        waits = false;
        release.SetResult();
        Assert.Equal(200, (await writing).Status);
        Assert.Equal("closed", await Sql.LineAsync(database.Owner, $"select status from support_tickets where id = {Held}"));
        await Until.HoldsAsync(async () => await VerdictAsync(there) is "match");
        // What another replica does is known as of its last report.
        await Until.HoldsAsync(async () => (await RollBackAsync(there))["here"]["writesInFlight"]!.AsArray().Count == 0);
    }

    [Fact]
    public async Task A_write_that_waits_for_its_row_while_it_is_rolled_back_is_the_controls_and_so_is_all_that_comes_after()
    {
        const string ByCandidate = "by the candidate";
        var signs = false;
        var database = await postgres.CloneAsync("write_rollback_waiting", Cancellation);
        await using var here = await Replica.StartAsync(database, "here", everywhere: store => new TamperedStore(store)
        {
            OnUpdate = (request, next, token) => signs ? store.UpdateAsync(request with { Priority = ByCandidate }, token) : next(),
        }, settings: [.. ServedWritesTests.Roomy, ("Shadowing:CandidateDeadline", "00:00:10")]);
        await using var there = await Replica.StartAsync(database, "there", settings: ServedWritesTests.Roomy);
        await ServedWritesTests.ServeWritesAsync(here);
        signs = true;

        Task<(int Status, JsonNode? Answer)> writing;
        await using (var holder = new NpgsqlConnection(database.Owner))
        {
            await holder.OpenAsync(Cancellation);
            await using var transaction = await holder.BeginTransactionAsync(Cancellation);
            await using (var hold = new NpgsqlCommand($"select from support_tickets where id = {Held} for update", holder, transaction))
                await hold.ExecuteNonQueryAsync(Cancellation);
            writing = ServedWritesTests.PatchAsync(here, Held);
            await Waiting.UntilItHoldsSomebodyUpAsync(holder);
            await RollBackAsync(there);
            Assert.False(writing.IsCompleted);
        }

        Assert.Equal(200, (await writing).Status);
        Assert.Equal(200, (await ServedWritesTests.PatchAsync(here, Held + 1)).Status);
        Assert.Equal(200, (await ServedWritesTests.PatchAsync(there, Held + 2)).Status);
        await here.Service.StopAsync();
        await there.Service.StopAsync();
        Assert.Equal("3|0", await Sql.LineAsync(
            database.Owner,
            $"""
            select count(*) filter (where status = 'closed'), count(*) filter (where priority = '{ByCandidate}')
            from support_tickets where id between {Held} and {Held + 2}
            """));
        // The list is complete once the replicas have left, and has none of the later ones.
        Assert.Equal([$"{Held}|not_written"], await Sql.LinesAsync(
            database.Evidence, $"select subject, verdict from shadow.served where operation = '{Update}'"));
    }

    /// <returns>What is said of each replica; both have applied it.</returns>
    private static async Task<Dictionary<string, JsonNode>> RollBackAsync(Replica replica)
    {
        var (status, answer) = await replica.SendAsync(
            HttpMethod.Post, "rollback", new JsonObject { ["reason"] = "a test", ["operation"] = Update });
        Assert.Equal(HttpStatusCode.OK, status);
        var replicas = answer["replicas"]!.AsArray().ToDictionary(one => (string)one!["replica"]!, one => one!);
        Assert.Equal(["here", "there"], replicas.Keys.Order());
        Assert.All(replicas.Values, one => Assert.Equal("applied", (string?)one["state"]));
        return replicas;
    }

    private static async Task<string?> VerdictAsync(Replica replica) =>
        (string?)(await replica.GetAsync($"served?operation={Update}&subject={Held}")).AsArray().SingleOrDefault()?["verdict"];
}
