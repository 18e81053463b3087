using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Npgsql;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>The percentage over HTTP: earned, refused, forced, taken back, and on record.</summary>
public sealed class RolloutTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_ladder_is_climbed_step_by_step_as_the_gate_opens_and_each_step_is_on_record()
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_ladder"));
        Assert.Equal(HttpStatusCode.Conflict, (await MoveAsync(replica, "ramp-1")).Status);
        await replica.ProveAsync();
        await replica.ChangeAsync("tickets.get", new() { ["nominate"] = "this" });
        foreach (var stage in new[] { "ramp-1", "ramp-5", "ramp-25", "ramp-50", "full" })
        {
            await Until.HoldsAsync(async () => (string?)(await replica.GetAsync("gate/tickets.get"))["target"] == stage);
            Assert.Equal(stage, (string?)(await replica.ChangeAsync("tickets.get", new() { ["stage"] = "next" }))["stage"]);
        }

        await Until.HoldsAsync(async () => (double)(await replica.RolloutAsync())["effectiveServePercent"]! == 100);
        Assert.Equal(200, await replica.Service.GetAsync("/api/tickets/7"));
        Assert.Single(replica.CandidateStarts);
        Assert.False((bool)(await replica.RolloutAsync())["forced"]!);
        // The nomination and five steps; nothing else has changed.
        Assert.Equal(6, (await replica.Service.StatusAsync()).Generation);
        var steps = (await replica.GetAsync("audit"))["entries"]!.AsArray().Where(entry => (string?)entry!["action"] == "rollout.move").ToArray();
        Assert.Equal(5, steps.Length);
        Assert.All(steps, entry =>
        {
            Assert.Equal("an operator", (string?)entry!["actor"]);
            Assert.Equal("advance", (string?)entry["detail"]!["gate"]!["decision"]);
        });
    }

    [Fact]
    public async Task An_automatic_operation_climbs_alone_and_a_fault_takes_it_back_within_a_second_and_holds_it()
    {
        var isWrong = false;
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_automatic"), candidate: store => new TamperedStore(store)
        {
            OnGet = async (_, next, _) =>
            {
                var answer = await next();
                return isWrong ? answer with { Ticket = answer.Ticket! with { Category = "?" } } : answer;
            },
        });
        await replica.ProveAsync();
        await replica.ChangeAsync("tickets.get", new() { ["nominate"] = "this" });
        await replica.ChangeAsync("tickets.get", new() { ["automatic"] = true });
        await Until.HoldsAsync(async () => (string?)(await replica.RolloutAsync())["stage"] is "full" or "complete");
        isWrong = true;
        // At the last stage nothing is compared: the fault is then seen by nobody, which is why somebody must decide to go there.
        await replica.ChangeAsync("tickets.get", new() { ["stage"] = "full" });
        await Until.HoldsAsync(async () => (double)(await replica.RolloutAsync())["effectiveServePercent"]! == 100);
        await replica.Service.GetAsync("/api/tickets/9");
        await Until.HoldsAsync(async () => (string?)(await replica.RolloutAsync())["heldBecause"] is not null);
        var held = await replica.RolloutAsync();
        Assert.Equal(("shadow-100", 0d), ((string?)held["stage"], (double)held["effectiveServePercent"]!));
        Assert.Contains("mismatch", (string)held["heldBecause"]!, StringComparison.Ordinal);
        // Publishing it makes another generation, which may come between reading and moving.
        await Until.HoldsAsync(async () => (string?)(await MoveAsync(replica, "ramp-1", force: true)).Answer["code"] == "held");
        await Until.HoldsAsync(async () => (await replica.GetAsync("audit"))["entries"]!.AsArray().Any(entry => (string?)entry!["action"] == "rollout.rollback"));
        await Until.HoldsAsync(async () => (await replica.GetAsync("served?operation=tickets.get&verdict=mismatch")).AsArray().Count == 1);
        var damaged = (await replica.GetAsync("served?operation=tickets.get&verdict=mismatch"))[0]!;
        Assert.Equal(9, (int)damaged["subject"]!);
        Assert.DoesNotContain("\"1\"", damaged["user"]!.ToJsonString(), StringComparison.Ordinal);
        await replica.ChangeAsync("tickets.get", new() { ["acknowledge"] = true });
        Assert.Equal("not_earned", (string?)(await MoveAsync(replica, "ramp-1")).Answer["code"]);
    }

    [Fact]
    public async Task A_triaged_mismatch_lets_the_candidate_serve_and_takes_it_back_when_a_user_meets_it()
    {
        var isWrong = false;
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_triaged"), candidate: store => new TamperedStore(store)
        {
            OnGet = async (_, next, _) => await next() is { Ticket: { } ticket } answer && Volatile.Read(ref isWrong)
                ? answer with { Ticket = ticket with { Category = "?" } } : await next(),
        });
        await replica.ProveAsync();
        Volatile.Write(ref isWrong, true);
        await replica.Service.GetAsync("/api/tickets/9");
        string? signature = null;
        await Until.HoldsAsync(async () => (signature = (string?)(await replica.GetAsync("mismatches?operation=tickets.get"))["mismatches"]!
            .AsArray().FirstOrDefault()?["signature"]) is not null);
        Volatile.Write(ref isWrong, false);
        var (status, _) = await replica.SendAsync(HttpMethod.Post, $"mismatches/{signature}/triage", new JsonObject
        {
            ["owner"] = "the list team",
            ["reason"] = "Users have lived with that for years.",
            ["expiresAt"] = DateTimeOffset.UtcNow.AddDays(1).ToString("O"),
        });
        Assert.Equal(HttpStatusCode.OK, status);
        await replica.ServeAsync();
        Assert.Null((string?)(await replica.RolloutAsync())["heldBecause"]);

        Volatile.Write(ref isWrong, true);
        await replica.Service.GetAsync("/api/tickets/9");
        await Until.HoldsAsync(async () => (string?)(await replica.RolloutAsync())["heldBecause"] is not null);
        Assert.Equal(0, (double)(await replica.RolloutAsync())["effectiveServePercent"]!);
    }

    [Fact]
    public async Task What_is_not_earned_or_not_understood_is_refused_and_changes_nothing()
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_refused"));
        Assert.Equal("not_nominated", (string?)(await MoveAsync(replica, "full", force: true)).Answer["code"]);
        await replica.ChangeAsync("tickets.get", new() { ["nominate"] = "this" });
        var (status, answer) = await MoveAsync(replica, "full");
        Assert.Equal((HttpStatusCode.Conflict, "not_earned"), (status, (string?)answer["code"]));

        var before = await StandingAsync();
        foreach (var body in new JsonObject[]
        {
            new() { ["generation"] = 1, ["reason"] = "a test" },
            new() { ["generation"] = 1, ["reason"] = "a test", ["stage"] = "full", ["nominate"] = "this" },
            new() { ["generation"] = 1, ["reason"] = "a test", ["stage"] = "101 %" },
            new() { ["generation"] = 1, ["reason"] = "a test", ["nominate"] = "ABC; drop" },
            new() { ["generation"] = 1, ["reason"] = "a test", ["acknowledge"] = false },
            new() { ["generation"] = -1, ["reason"] = "a test", ["stage"] = "off" },
            new() { ["generation"] = 1, ["stage"] = "off" },
            new() { ["reason"] = "a test", ["stage"] = "off" },
            new() { ["generation"] = 1, ["reason"] = "a test", ["automatic"] = true, ["force"] = true },
        })
        {
            Assert.Equal((HttpStatusCode.BadRequest, "invalid_member"), await CodeAsync(replica, HttpMethod.Put, "rollout/tickets.get", body));
        }

        var stale = new JsonObject { ["generation"] = 0, ["reason"] = "a test", ["stage"] = "off" };
        Assert.Equal((HttpStatusCode.Conflict, "generation_stale"), await CodeAsync(replica, HttpMethod.Put, "rollout/tickets.get", stale));
        Assert.Equal((HttpStatusCode.NotFound, "operation_not_found"), await CodeAsync(replica, HttpMethod.Put, "rollout/tickets.nothing", stale));
        Assert.Equal((HttpStatusCode.NotFound, "operation_not_found"), await CodeAsync(
            replica, HttpMethod.Post, "rollback", new JsonObject { ["reason"] = "a test", ["operation"] = "tickets.nothing" }));
        Assert.Equal(before, await StandingAsync());

        // Without the moment of its figures, which are read again meanwhile.
        async Task<string> StandingAsync()
        {
            var rollout = await replica.RolloutAsync();
            rollout.AsObject().Remove("asOf");
            return rollout.ToJsonString();
        }
    }

    [Fact]
    public async Task Who_may_only_look_changes_nothing_and_that_is_on_record()
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_access"));
        var body = new JsonObject { ["reason"] = "a test" };
        foreach (var (token, path, code) in new[]
        {
            (ShadowedService.ViewerToken, "rollback", "operator_forbidden"), (Replica.WebhookToken, "rollback", "operator_forbidden"),
            (ShadowedService.ViewerToken, "alerts", "operator_forbidden"), (Replica.OperatorToken, "alerts", "operator_forbidden"), ("unknown", "rollback", "token_invalid"),
        })
        {
            var (status, answer) = await replica.SendAsync(HttpMethod.Post, path, body, token);
            Assert.Equal((code == "token_invalid" ? HttpStatusCode.Unauthorized : HttpStatusCode.Forbidden, code), (status, (string?)answer["code"]));
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await replica.SendAsync(HttpMethod.Get, "rollout", null, Replica.WebhookToken)).Status);
        var refusals = (await replica.GetAsync("audit"))["entries"]!.AsArray().Where(entry => (string?)entry!["action"] == "access.refused").ToArray();
        Assert.Equal(5, refusals.Length);
    }

    [Fact]
    public async Task One_address_may_ask_only_so_often_but_roll_back_always()
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_limit"), warm: false, settings: ("Operators:RequestsPerSecond", "2"));
        var statuses = new List<HttpStatusCode>();
        for (var request = 0; request < 20; request++) statuses.Add((await replica.SendAsync(HttpMethod.Get, "rollout", null)).Status);
        Assert.Contains(HttpStatusCode.TooManyRequests, statuses);
        Assert.Equal((HttpStatusCode.TooManyRequests, "too_many_requests"), await CodeAsync(replica, HttpMethod.Get, "audit", null));
        // Not yet on record, perhaps, where the replica is that young; but taken.
        var (status, answer) = await replica.SendAsync(HttpMethod.Post, "rollback", new JsonObject { ["reason"] = "a test" });
        Assert.Equal((bool)answer["published"]! ? HttpStatusCode.OK : HttpStatusCode.Accepted, status);
    }

    [Fact]
    public async Task An_operator_comes_with_a_token_of_the_issuer_and_with_no_other()
    {
        using var key = RSA.Create(2048);
        using var another = RSA.Create(2048);
        await using var replica = await Replica.StartAsync(
            await CloneAsync("rollout_issuer"), settings: [
                ("Operators:Issuer:Issuer", "https://issuer.example"), ("Operators:Issuer:Audience", "shadow"),
                ("Operators:Issuer:PublicKey", key.ExportSubjectPublicKeyInfoPem()),
            ]);
        var hold = new JsonObject { ["reason"] = "a test", ["operation"] = "tickets.stats" };
        foreach (var (token, expected) in new[]
        {
            (Token(key), HttpStatusCode.OK), (Token(key, role: "viewer"), HttpStatusCode.Forbidden), (Token(key, role: "webhook"), HttpStatusCode.Forbidden),
            (Token(another), HttpStatusCode.Unauthorized), (Token(key, audience: "others"), HttpStatusCode.Unauthorized),
            (Token(key, issuer: "https://another.example"), HttpStatusCode.Unauthorized), (Token(key, hours: -1), HttpStatusCode.Unauthorized),
        })
        {
            Assert.Equal(expected, (await replica.SendAsync(HttpMethod.Post, "rollback", hold, token)).Status);
        }

        Assert.Contains((await replica.GetAsync("audit"))["entries"]!.AsArray(), entry =>
            ((string?)entry!["actor"], (string?)entry["action"]) == ("Ada", "rollout.rollback"));

        static string Token(RSA key, string role = "operator", string audience = "shadow", string issuer = "https://issuer.example", int hours = 1) =>
            new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
            {
                Issuer = issuer,
                Audience = audience,
                Expires = DateTime.UtcNow.AddHours(hours),
                Claims = new Dictionary<string, object> { ["name"] = "Ada", ["role"] = role },
                SigningCredentials = new(new RsaSecurityKey(key), SecurityAlgorithms.RsaSha256),
            });
    }

    [Fact]
    public async Task An_alert_rolls_back_what_serves_once_for_each_time_it_fires_and_can_do_nothing_else()
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_alert"));
        await replica.ProveAsync();
        await replica.ServeAsync();
        Assert.Empty(await AlertAsync(replica, "resolved", "rollback", "tickets.get", "2026-01-01T00:00:00Z"));
        Assert.Empty(await AlertAsync(replica, "firing", "page", "tickets.get", "2026-01-01T00:00:00Z"));
        Assert.Empty(await AlertAsync(replica, "firing", "rollback", "tickets.list", "2026-01-01T00:00:00Z"));
        Assert.Equal(["tickets.get"], await AlertAsync(replica, "firing", "rollback", null, "2026-01-01T00:00:00Z"));
        await Until.HoldsAsync(async () => (double)(await replica.RolloutAsync())["effectiveServePercent"]! == 0);
        await replica.ChangeAsync("tickets.get", new() { ["acknowledge"] = true });
        await replica.ServeAsync();
        Assert.Empty(await AlertAsync(replica, "firing", "rollback", null, "2026-01-01T00:00:00Z"));
        Assert.Equal(["tickets.get"], await AlertAsync(replica, "firing", "rollback", null, "2026-01-02T00:00:00Z"));
        var (status, answer) = await replica.SendAsync(HttpMethod.Post, "alerts", new JsonObject { ["alerts"] = new JsonArray() }, Replica.WebhookToken);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_body"), (status, (string?)answer["code"]));
    }

    [Theory]
    [InlineData("update shadow.rollout set stage = '100 %' where operation = 'tickets.get'")]
    [InlineData("update shadow.rollout set generation = -5 where operation = 'tickets.get'")]
    [InlineData("update shadow.rollout set generation = 1, stage = 'complete' where operation = 'tickets.get'")]
    [InlineData("update shadow.rollout set stage = 'complete' where operation = 'tickets.get'")]
    public async Task A_poisoned_row_takes_the_candidate_from_the_users_and_is_a_critical_finding(string poison)
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_poison_" + Math.Abs(poison.GetHashCode(StringComparison.Ordinal))));
        await replica.ProveAsync();
        await replica.ServeAsync(stage: "ramp-50");
        await using (var store = NpgsqlDataSource.Create(replica.Service.Database.Evidence))
        await using (var command = store.CreateCommand(poison))
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        await Until.HoldsAsync(async () => (double)(await replica.RolloutAsync())["effectiveServePercent"]! == 0);
        await Until.HoldsAsync(async () => (string?)(await replica.RolloutAsync())["heldBecause"] is not null);
        await replica.ChangeAsync("tickets.get", new() { ["acknowledge"] = true });
        await replica.ServeAsync();
    }

    [Fact]
    public async Task A_stage_that_is_set_by_SQL_is_audited_by_the_database_shown_as_forced_and_serves_nobody()
    {
        await using var replica = await Replica.StartAsync(await CloneAsync("rollout_by_sql"));
        await replica.ProveAsync();
        await replica.ServeAsync(stage: "ramp-50");
        await Database.Sql.StateAsync(
            replica.Service.Database.Evidence,
            "update shadow.rollout set stage = 'full', generation = generation + 1, automatic = true where operation = 'tickets.get'");
        JsonNode? at = null;
        await Until.HoldsAsync(async () => (string?)(at = await replica.RolloutAsync())["heldBecause"] is not null);
        Assert.Equal((0, true, "shadow-100"), ((double)at!["effectiveServePercent"]!, (bool)at["forced"]!, (string?)at["stage"]));
        Assert.Contains("set by SQL", (string?)at["heldBecause"], StringComparison.Ordinal);
        var entry = (await replica.GetAsync("audit?action=rollout.sql"))["entries"]![0]!;
        Assert.Equal(("sql ticketing_evidence", "tickets.get", "ramp-50", "full"), (
            (string?)entry["actor"], (string?)entry["subject"], (string?)entry["detail"]!["from"], (string?)entry["detail"]!["to"]));
        // Handing it over to the gate starts from where users were served last: nowhere.
        await replica.ChangeAsync("tickets.get", new() { ["acknowledge"] = true });
        at = await replica.RolloutAsync();
        Assert.Equal(("shadow-100", 0), ((string?)at["stage"], (double)at["effectiveServePercent"]!));
    }

    private static async Task<string[]> AlertAsync(Replica replica, string status, string action, string? operation, string startsAt)
    {
        var labels = new JsonObject { ["alertname"] = "CriticalMismatch", ["shadow_action"] = action };
        if (operation is not null) labels["shadow_operation"] = operation;
        var (answered, answer) = await replica.SendAsync(HttpMethod.Post, "alerts", new JsonObject
        {
            ["version"] = "4",
            ["groupKey"] = "{}:{alertname=\"CriticalMismatch\"}",
            ["status"] = status,
            ["receiver"] = "rollback",
            ["alerts"] = new JsonArray(new JsonObject { ["status"] = status, ["labels"] = labels, ["annotations"] = new JsonObject(), ["startsAt"] = startsAt }),
        }, Replica.WebhookToken);
        Assert.Equal(HttpStatusCode.OK, answered);
        return [.. answer["rolledBack"]!.AsArray().Select(one => (string)one!)];
    }

    private static async Task<(HttpStatusCode, string?)> CodeAsync(Replica replica, HttpMethod method, string path, JsonNode? body)
    {
        var (status, answer) = await replica.SendAsync(method, path, body);
        return (status, (string?)answer["code"]);
    }

    private static async Task<(HttpStatusCode Status, JsonNode Answer)> MoveAsync(Replica replica, string stage, bool force = false)
    {
        var body = new JsonObject { ["generation"] = (await replica.RolloutAsync())["generation"]!.DeepClone(), ["reason"] = "a test", ["stage"] = stage };
        if (force) body["force"] = true;
        return await replica.SendAsync(HttpMethod.Put, "rollout/tickets.get", body);
    }

    private Task<TicketingDatabase> CloneAsync(string name) => postgres.CloneAsync(name, Cancellation);
}
