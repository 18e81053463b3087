using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Npgsql;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Sweeps;

/// <summary>Sweeps of the reads over a real database: what they prove, how they are gone on with, and what they leave alone.</summary>
public sealed class SweepTests(PostgresFixture postgres)
{
    private static readonly (string, string)[] Fast = [("Shadowing:DatabaseTimeBudget", "16"), ("Shadowing:YieldAfter", "00:00:00.002")];

    /// <summary>Tickets that are swept to the last one.</summary>
    private static readonly int Swept = Effort.Of(500, all: PostgresFixture.Tickets);

    /// <summary>The same while a replica dies and users go on.</summary>
    private static readonly int Many = Effort.Of(4_000, all: 20_000);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_ticket_is_compared_and_the_evidence_says_so()
    {
        await using var replica = await StartAsync("all");
        var sweep = await SweepAsync(replica, "tickets.get");
        Assert.Equal("done", (string?)sweep["state"]);
        Assert.Equal((long)sweep["total"]!, (long)sweep["walked"]!);
        Assert.All(sweep["shapes"]!.AsArray(), shape => Assert.Equal((long)shape!["existing"]!, (long)shape["swept"]!));
        Assert.Equal(Swept + 1, (long)Shape(sweep["shapes"]!, "shape", "staff")["existing"]!);

        var staff = await UntilAsync(replica, "tickets.get", "staff", shape => (long?)shape["existing"] is not null);
        Assert.Equal((Swept + 1, 0), ((long)staff["swept"]!, (long)staff["liveCases"]!));
        Assert.InRange((long)staff["cases"]!, Swept * 9 / 10, Swept + 1);
        Assert.Contains("sweep.done", (await replica.GetAsync("audit")).ToJsonString(), StringComparison.Ordinal);
        var get = await replica.Service.StatusAsync("tickets.get");
        Assert.Equal(0, get.Requests);
    }

    [Fact]
    [LongForm(nameof(Every_ticket_is_compared_and_the_evidence_says_so))]
    public async Task The_lists_are_walked_to_their_last_page_and_the_statistics_through_a_year()
    {
        await using var replica = await StartAsync("lists");
        var lists = await SweepAsync(replica, "tickets.list");
        Assert.Equal("done", (string?)lists["state"]);
        Assert.Equal((long)lists["total"]!, (long)lists["walked"]!);
        Assert.Equal(0, lists["shapes"]!.AsArray().Sum(shape => (long)shape!["mismatches"]!));
        await using var owner = NpgsqlDataSource.Create(replica.Service.Database.Owner);
        await using var tickets = owner.CreateCommand("select ceil(count(*) / 20.0)::int from support_tickets");
        Assert.Equal((int)(await tickets.ExecuteScalarAsync(Cancellation))! - 2, (long)Shape(lists["shapes"]!, "shape", "staff / all / page 3+")["existing"]!);

    }

    [Fact]
    public async Task Statistics_are_swept_through_a_year_and_never_exhausted()
    {
        await using var replica = await StartAsync("stats");
        var id = await OrderAsync(replica, "tickets.stats");
        await Until.HoldsAsync(async () => (long)(await replica.GetAsync($"sweeps/{id}"))["walked"]! > 20);
        var stats = await replica.GetAsync($"sweeps/{id}");
        Assert.InRange((long)stats["total"]!, 5_000, 6_000);
        Assert.Equal(4, stats["shapes"]!.AsArray().Count);
        Assert.False((bool)stats["isExhaustive"]!);
        var week = await UntilAsync(replica, "tickets.stats", "staff / 7d", shape => (long?)shape["cases"] > 0);
        Assert.Null(week["existing"]);
    }

    [Fact]
    [LongForm(nameof(It_is_ordered_by_operators_one_at_a_time_and_ended_by_them))]
    public async Task Another_replica_goes_on_where_the_one_before_stopped()
    {
        var database = await CloneAsync("handed");
        long id;
        await using (var first = await Replica.StartAsync(database, "first", settings: Fast))
        {
            id = await OrderAsync(first, "tickets.get", rate: 300);
            await Until.HoldsAsync(async () => (long)(await first.GetAsync($"sweeps/{id}"))["walked"]! > 100);
            await first.Service.StopAsync();
        }

        await using var second = await Replica.StartAsync(database, "second", settings: Fast);
        var before = await second.GetAsync($"sweeps/{id}");
        Assert.Equal("running", (string?)before["state"]);
        var sweep = await EndAsync(second, id);
        Assert.Equal("second", (string?)sweep["replica"] ?? "second");
        Assert.Equal((long)sweep["total"]!, (long)sweep["walked"]!);
        Assert.Equal((long)sweep["total"]!, sweep["shapes"]!.AsArray().Sum(shape => (long)shape!["existing"]!));
    }

    [Fact]
    [LongForm(nameof(Every_ticket_is_compared_and_the_evidence_says_so))]
    public async Task Every_ticket_is_swept_beside_live_traffic_though_the_replica_is_killed()
    {
        var database = await postgres.Postgres.CreateAsync("sweep_killed", Cancellation);
        await Seeder.SeedAsync(database, Many, Cancellation);
        await using var survivor = await Replica.StartAsync(database, "survivor", settings: Fast);
        await using var killed = await ServiceProcess.StartAsync(database, [.. Fast, ("Shadowing:Replica", "killed")]);
        var population = await Population.ReadAsync(database.Owner, Cancellation);
        var tokens = new AccessTokens(Http.AccessTokens.SigningKey, TimeProvider.System);
        using var driver = new TrafficDriver(
            [survivor.Service.Http.BaseAddress!], population, tokens, new() { Seed = 5, Concurrency = 8, Rate = 10 }, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var driving = driver.RunAsync(stop.Token);

        var id = await OrderAsync(survivor, "tickets.get", by: killed.Name);
        await LookAsync(survivor, id, seen => (long)seen["walked"]! > Many / 4);
        await killed.KillAsync();
        var sweep = await EndAsync(survivor, id);
        await stop.CancelAsync();
        await driving;

        Assert.Equal("done", (string?)sweep["state"]);
        Assert.All(sweep["shapes"]!.AsArray(), shape =>
        {
            Assert.Equal((long)shape!["existing"]!, (long)shape["swept"]!);
            Assert.Equal(0, (long)shape["mismatches"]!);
        });
        // Tickets come and go meanwhile; what is done twice would be a quarter of them.
        Assert.InRange((long)Shape(sweep["shapes"]!, "shape", "staff")["existing"]!, Many - 500, Many + 500);
        Assert.Empty(driver.Tally.Unexpected);
        await survivor.Service.SettledAsync("tickets.get");
    }

    [Fact]
    public async Task It_is_ordered_by_operators_one_at_a_time_and_ended_by_them()
    {
        await using var replica = await StartAsync("orders");
        var id = await OrderAsync(replica, "tickets.get", rate: 1);
        Assert.Equal((HttpStatusCode.Conflict, "sweep_running"), await CodeAsync(replica, Order("tickets.get")));
        Assert.Equal((HttpStatusCode.NotFound, "operation_not_found"), await CodeAsync(replica, Order("tickets.none")));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_member"), await CodeAsync(replica, Order("tickets.list", rate: 0.5)));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_member"), await CodeAsync(replica, new() { ["operation"] = "tickets.list" }));
        var (status, _) = await replica.SendAsync(HttpMethod.Post, "sweeps", Order("tickets.list"), ShadowedService.ViewerToken);
        Assert.Equal(HttpStatusCode.Forbidden, status);

        using var stop = new HttpRequestMessage(HttpMethod.Delete, $"/shadow/v1/sweeps/{id}?reason=enough") { Headers = { Authorization = new("Bearer", Replica.OperatorToken) } };
        using var stopped = await replica.Service.Http.SendAsync(stop, Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, stopped.StatusCode);
        Assert.Equal("stopped", (string?)(await replica.GetAsync($"sweeps/{id}"))["state"]);
        var audit = (await replica.GetAsync("audit")).ToJsonString();
        Assert.Contains("sweep.start", audit, StringComparison.Ordinal);
        Assert.Contains("sweep.stop", audit, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await replica.SendAsync(HttpMethod.Get, "sweeps/999", null)).Status);
    }

    private async Task<Replica> StartAsync(string name) => await Replica.StartAsync(await CloneAsync(name), settings: Fast);

    /// <summary>The seeded tables with as many tickets as are swept.</summary>
    private async Task<TicketingDatabase> CloneAsync(string name)
    {
        var database = await postgres.CloneAsync("sweep_" + name, Cancellation);
        await using var owner = NpgsqlDataSource.Create(database.Owner);
        await using var beyond = owner.CreateCommand(
            $"delete from support_tickets where id not in (select id from support_tickets order by id limit {Swept})");
        await beyond.ExecuteNonQueryAsync(Cancellation);
        return database;
    }

    private static async Task<JsonNode> SweepAsync(Replica replica, string operation) => await EndAsync(replica, await OrderAsync(replica, operation));

    private static JsonObject Order(string operation, double rate = 1000) =>
        new() { ["operation"] = operation, ["reason"] = "a test", ["rate"] = rate };

    /// <param name="by">The replica that is to take it; null for any.</param>
    private static async Task<long> OrderAsync(Replica replica, string operation, double rate = 1000, string? by = null)
    {
        while (true)
        {
            var (status, sweep) = await replica.SendAsync(HttpMethod.Post, "sweeps", Order(operation, rate));
            // Until the set-up has been checked, the build's fingerprint is not known.
            if (status is HttpStatusCode.ServiceUnavailable)
            {
                await Until.HoldsAsync(async () =>
                    ((status, sweep) = await replica.SendAsync(HttpMethod.Post, "sweeps", Order(operation, rate))) is var _
                        && status is not HttpStatusCode.ServiceUnavailable);
            }

            Assert.Equal(HttpStatusCode.Created, status);
            var id = (long)sweep["id"]!;
            if (by is null) return id;
            JsonNode? taken = null;
            await Until.HoldsAsync(async () => (taken = await replica.GetAsync($"sweeps/{id}"))["replica"] is not null);
            if ((string?)taken!["replica"] == by) return id;
            using var stop = new HttpRequestMessage(HttpMethod.Delete, $"/shadow/v1/sweeps/{id}?reason=another") { Headers = { Authorization = new("Bearer", Replica.OperatorToken) } };
            using var stopped = await replica.Service.Http.SendAsync(stop, Cancellation);
        }
    }

    private static Task<JsonNode> EndAsync(Replica replica, long id) => LookAsync(replica, id, seen => (string?)seen["state"] != "running");

    /// <summary>Waits as long as it goes on, however slowly a busy machine lets it.</summary>
    private static async Task<JsonNode> LookAsync(Replica replica, long id, Func<JsonNode, bool> until)
    {
        var (walked, still) = (-1L, Stopwatch.StartNew());
        while (true)
        {
            var seen = await replica.GetAsync($"sweeps/{id}");
            if (until(seen)) return seen;
            if ((long)seen["walked"]! != walked) (walked, still) = ((long)seen["walked"]!, Stopwatch.StartNew());
            Assert.True(still.Elapsed < TimeSpan.FromMinutes(2), $"It does not go on: {seen}");
            await Until.NextLookAsync();
        }
    }

    private static async Task<(HttpStatusCode, string?)> CodeAsync(Replica replica, JsonObject body)
    {
        var (status, answer) = await replica.SendAsync(HttpMethod.Post, "sweeps", body);
        return (status, (string?)answer["code"]);
    }

    private static async Task<JsonNode> UntilAsync(Replica replica, string operation, string name, Func<JsonNode, bool> holds)
    {
        JsonNode? found = null;
        await Until.HoldsAsync(async () =>
        {
            var evidence = await replica.GetAsync($"evidence/{operation}");
            found = evidence["evidence"]?["shapes"]?.AsArray().FirstOrDefault(shape => (string?)shape!["name"] == name);
            return found is not null && holds(found);
        });
        return found!;
    }

    private static JsonNode Shape(JsonNode shapes, string member, string name) => shapes.AsArray().Single(shape => (string?)shape![member] == name)!;
}
