using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shadowctl;
using Ticketing.Api.Tests.Cli;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>The candidate writes for users, the control in the sandbox: what users get, what is stored, and how it ends.</summary>
public sealed class ServedWritesTests(PostgresFixture postgres)
{
    private const string Update = "tickets.update";

    internal static readonly (string, string)[] Roomy =
    [
        ("Shadowing:QueueCapacity", "65536"), ("Shadowing:YieldAfter", "00:00:10"), ("Shadowing:DatabaseTimeBudget", "16"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Users_write_by_the_candidate_and_the_control_agrees_in_the_sandbox()
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("served_writes"), settings: Roomy);
        await ServeWritesAsync(replica);
        var before = await replica.Service.StatusAsync();
        await WritesUnderTrafficTests.DriveAsync(replica.Service, requests: 200, concurrency: 8, seed: 7, WritesUnderTrafficTests.Operations);
        foreach (var operation in WritesUnderTrafficTests.Operations)
        {
            var status = await replica.Service.SettledAsync(operation);
            var earlier = before.Operations.Single(one => one.Operation == operation);
            Assert.Equal(status.Requests - earlier.Requests, status.Comparisons["match"] - earlier.Comparisons["match"]);
            Assert.Equal(100, status.EffectiveServePercent);
            // Those that users had from the candidate, and nobody else's.
            await Until.HoldsAsync(async () => (await replica.GetAsync($"served?operation={operation}&verdict=match")).AsArray().Count > 0);
        }

        var (_, created) = await CreateAsync(replica, "By the candidate");
        await Until.HoldsAsync(async () => (await replica.GetAsync("served?operation=tickets.create&verdict=match")).AsArray()
            .Any(served => (int)served!["subject"]! == (int)created!["id"]!));
    }

    [Fact]
    [LongForm(nameof(Sandbox.UntouchedTests))]
    public async Task Under_concurrent_traffic_the_tables_are_written_as_often_as_users_asked_and_locked_by_nobody_else()
    {
        var database = await CloneAsync("served_counts");
        var before = await TableCounts.ReadAsync(database);
        var answers = new List<Answer>();
        var held = 0L;
        await using (var replica = await Replica.StartAsync(database, settings: Roomy))
        {
            await ServeWritesAsync(replica, () => DriveAsync(replica, 400, seed: 3));
            await using (var watch = new LockWatch(database))
            {
                await DriveAsync(replica, 400, seed: 8);
                foreach (var operation in WritesUnderTrafficTests.Operations) await replica.Service.SettledAsync(operation);
                TestContext.Current.TestOutputHelper?.WriteLine(watch.ToString());
                watch.SawNobodyButTheServedRoleLock();
            }

            held = (await replica.Service.StatusAsync(Update)).Skips["sandbox_unavailable"];
            foreach (var operation in WritesUnderTrafficTests.Operations)
                Assert.Null((await replica.RolloutAsync(operation))["heldBecause"]);
            await replica.Service.StopAsync();
        }

        var byCandidate = (await Sql.LinesAsync(database.Evidence, "select operation, verdict, count(*) from shadow.served group by 1, 2"))
            .Select(line => line.Split('|')).ToDictionary(line => (line[0], line[1]), line => long.Parse(line[2], CultureInfo.InvariantCulture));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", byCandidate));
        Assert.All(WritesUnderTrafficTests.Operations, operation => Assert.NotEqual(0, byCandidate.GetValueOrDefault((operation, "match"))));
        // What the candidate was refused is undone, and the control is refused it again; not begun is what waited for its row too long.
        var undone = byCandidate.GetValueOrDefault((Update, "not_written")) - held;
        (await TableCounts.ReadAtRestAsync(database)).AreAccountedFor(before, answers, undone);

        async Task DriveAsync(Replica replica, int requests, int seed) =>
            answers.AddRange(await WriteTraffic.DriveAsync(replica.Service, requests, concurrency: 8, seed));
    }

    [Fact]
    public async Task A_wrong_write_is_on_the_damage_list_and_the_last_one()
    {
        var isWrong = false;
        await using var replica = await Replica.StartAsync(await CloneAsync("served_wrong"), everywhere: store => new TamperedStore(store)
        {
            OnUpdate = async (request, next, token) => isWrong ? await store.UpdateAsync(request with { Priority = "unheard of" }, token) : await next(),
        }, settings: Roomy);
        await ServeWritesAsync(replica);
        isWrong = true;
        Assert.Equal(200, (await PatchAsync(replica, 9)).Status);
        await Until.HoldsAsync(async () => (string?)(await replica.RolloutAsync(Update))["heldBecause"] is not null);
        Assert.Equal(0, (double)(await replica.RolloutAsync(Update))["effectiveServePercent"]!);
        Assert.Contains("critical", (string)(await replica.RolloutAsync(Update))["heldBecause"]!, StringComparison.Ordinal);
        await Until.HoldsAsync(async () => (await replica.GetAsync($"served?operation={Update}&verdict=mismatch")).AsArray() is [var damage] && (int)damage!["subject"]! == 9);
        await PatchAsync(replica, 10);
        Assert.Equal("1", await Sql.LineAsync(replica.Service.Database.Owner, "select count(*) from support_tickets where priority = 'unheard of'"));
    }

    [Fact]
    public async Task A_write_that_the_candidate_fails_is_done_once_and_by_the_control()
    {
        var fails = false;
        await using var replica = await Replica.StartAsync(await CloneAsync("served_failing"), everywhere: store => new TamperedStore(store)
        {
            OnCreate = async (_, next, _) =>
            {
                var made = await next();
                return fails ? throw new InvalidOperationException("After it was written.") : made;
            },
        }, settings: Roomy);
        await ServeWritesAsync(replica);
        fails = true;
        var (status, created) = await CreateAsync(replica, "Only once");
        Assert.Equal(201, status);
        Assert.Equal(
            $"1|{created!["id"]}", await Sql.LineAsync(replica.Service.Database.Owner, "select count(*), max(id) from support_tickets where subject = 'Only once'"));
        Assert.Equal(1, (await replica.Service.SettledAsync("tickets.create")).Comparisons["candidate_error"]);
    }

    [Fact]
    public async Task A_write_that_hangs_with_its_locks_is_cut_off_and_the_control_writes_in_its_place()
    {
        var hangs = false;
        var never = new TaskCompletionSource();
        await using var replica = await Replica.StartAsync(await CloneAsync("served_hanging"), everywhere: store => new TamperedStore(store)
        {
            OnUpdate = async (_, next, _) =>
            {
                var made = await next();
                if (hangs) await never.Task;
                return made;
            },
        }, settings: [.. Roomy, ("Shadowing:CandidateDeadline", "00:00:00.200"), ("Shadowing:CancelGrace", "00:00:00.050")]);
        await ServeWritesAsync(replica);
        hangs = true;
        // The candidate has written, holds the row's lock and never comes back: the control could wait for ever.
        Assert.Equal(200, (await PatchAsync(replica, 11)).Status);
        Assert.Equal("closed|True", await Sql.LineAsync(
            replica.Service.Database.Owner, "select status, updated_at > localtimestamp - interval '1 minute' from support_tickets where id = 11"));
        Assert.NotEqual(0, (await replica.Service.SettledAsync(Update)).Comparisons.Where(one => one.Key is "candidate_error" or "candidate_timeout" or "incomparable").Sum(one => one.Value));
        hangs = false;
        never.SetResult();
        Assert.Equal("0", await Sql.LineAsync(replica.Service.Database.Owner, "select count(*) from pg_stat_activity where state = 'idle in transaction' and usename = 'ticketing_served' and datname = current_database()"));
    }

    [Fact]
    [LongForm(nameof(WriteRollbackTests))]
    public async Task A_rollback_lists_the_writes_in_flight_and_lets_them_end()
    {
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var waits = false;
        await using var replica = await Replica.StartAsync(await CloneAsync("served_draining"), everywhere: store => new TamperedStore(store)
        {
            OnUpdate = async (_, next, _) =>
            {
                var made = await next();
                if (!waits) return made;
                begun.TrySetResult();
                await release.Task;
                return made;
            },
        }, settings: [.. Roomy, ("Shadowing:CandidateDeadline", "00:00:10")]);
        await ServeWritesAsync(replica);
        waits = true;
        var writing = PatchAsync(replica, 12);
        await begun.Task;
        var (status, answer) = await replica.SendAsync(HttpMethod.Post, "rollback", new JsonObject { ["reason"] = "a test", ["operation"] = Update });
        Assert.Equal(HttpStatusCode.OK, status);
        var inFlight = Assert.Single(answer["replicas"]![0]!["writesInFlight"]!.AsArray())!;
        Assert.Equal((Update, 12), ((string)inFlight["operation"]!, (int)inFlight["subject"]!));
        var shown = await ShadowctlTests.RunAsync(replica.Service, Replica.OperatorToken, ["rollback", "--reason", "a test"]);
        Assert.Equal((ExitCodes.Ok, ""), (shown.Exit, shown.Error));
        Assert.Matches($@"\bone\b.*{Update}.*\b{(string)inFlight["shape"]!}\b.*\b12\b.*{Regex.Escape((string)inFlight["since"]!)}", shown.Output);
        waits = false;
        release.SetResult();
        Assert.Equal(200, (await writing).Status);
        Assert.Equal("closed", await Sql.LineAsync(replica.Service.Database.Owner, "select status from support_tickets where id = 12"));
        // The replica's next report says so.
        await Until.HoldsAsync(async () => !(await ShadowctlTests.RunAsync(
            replica.Service, Replica.OperatorToken, ["rollback", "--reason", "a test"])).Output.Contains("write in flight", StringComparison.Ordinal));
        await Until.HoldsAsync(async () => (await replica.GetAsync($"served?operation={Update}&subject=12")).AsArray() is [{ } served] && (string?)served["verdict"] == "match");
    }

    /// <summary>Proves the four operations by traffic, and has the candidate serve them.</summary>
    internal static async Task ServeWritesAsync(Replica replica, Func<Task>? drive = null)
    {
        await (drive?.Invoke()
            ?? WritesUnderTrafficTests.DriveAsync(replica.Service, requests: 400, concurrency: 8, seed: 3, WritesUnderTrafficTests.Operations));
        foreach (var operation in WritesUnderTrafficTests.Operations)
        {
            await replica.Service.SettledAsync(operation);
            await Until.HoldsAsync(async () => (await replica.GetAsync($"gate/{operation}"))["figures"]?["cases"]?.GetValue<int>() >= 5);
            await replica.ServeAsync(operation);
        }

        // Only shapes that are proven are served; staff who set a status are what the tests send.
        await Until.HoldsAsync(async () => (await replica.RolloutAsync(Update)).ToJsonString().Contains("\"staff / status\"", StringComparison.Ordinal));
        await Until.HoldsAsync(async () => (await replica.RolloutAsync("tickets.create")).ToJsonString().Contains("\"user / priority / category\"", StringComparison.Ordinal));
    }

    internal static Task<(int Status, JsonNode? Answer)> PatchAsync(Replica replica, int ticket) =>
        replica.Service.SendAsync(HttpMethod.Patch, $"/api/tickets/{ticket}", new { status = "closed" });

    private static async Task<(int Status, JsonNode? Answer)> CreateAsync(Replica replica, string subject)
    {
        var user = await Sql.LineAsync(replica.Service.Database.Owner, "select min(id) from users where role = 'user' and is_active");
        return await replica.Service.SendAsync(
            HttpMethod.Post, "/api/tickets", new { subject, description = "A description.", priority = "high", category = "bug" },
            int.Parse(user, CultureInfo.InvariantCulture));
    }

    private Task<TicketingDatabase> CloneAsync(string name) => postgres.CloneAsync(name, Cancellation);
}
