using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Postgres.Keepers;
using Shadowing.Serving;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>A rollback depends on no text, and on no other rollback: two replicas on one PostgreSQL.</summary>
public sealed class AlertTextTests(PostgresFixture postgres)
{
    private static readonly string Mega = new('x', 1024 * 1024);

    /// <summary>The value of the label <c>alertname</c> as JSON; null where there is none.</summary>
    private static readonly string?[] Names =
    [
        "\"Plain\"", "\"N\\u0000UL\"", "\"high \\ud83d\"", "\"\\ude00 low\"", $"\"{new string('a', 99)}\\ud83d\\ude00\"",
        $"\"{new string('a', 99)}😀\"",
        "\"\\u202egnirts\"", "\"\\u001b[31mred\"", $"\"{Mega}\"", "\"\"", null, "null", "7", "[\"a\"]", "\"raw \u001b control\"",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_alert_of_any_name_rolls_back_on_both_replicas_once_and_leaves_a_readable_reason()
    {
        await using var pair = await PairAsync("alert_text");
        for (var i = 0; i < Names.Length; i++)
        {
            var body = Body(Names[i], "\"tickets.get\"", $"2026-01-01T00:00:{i:00}Z");
            await pair.ServeAsync("tickets.get");
            Assert.Equal(["tickets.get"], await AlertAsync(pair.Replicas[i % 2], body));
            await pair.ServesNobodyAsync("tickets.get");
            var held = (string)(await pair.Replicas[(i + 1) % 2].RolloutAsync())["heldBecause"]!;
            Assert.StartsWith("alert ", held, StringComparison.Ordinal);
            Assert.DoesNotContain(held, char.IsControl);
            Assert.InRange(held.Length, 7, 130);
            await pair.Replicas[(i + 1) % 2].ChangeAsync("tickets.get", new() { ["acknowledge"] = true });
            if (i % 5 > 0) continue;
            await pair.ServeAsync("tickets.get");
            Assert.Empty(await AlertAsync(pair.Replicas[(i + 1) % 2], body));
            Assert.Equal("full", (string?)(await pair.Replicas[0].RolloutAsync())["stage"]);
        }

        var reasons = (await pair.Replicas[0].GetAsync("audit"))["entries"]!.AsArray()
            .Where(entry => (string?)entry!["action"] == "rollout.rollback").Select(entry => (string)entry!["detail"]!["text"]!).ToArray();
        Assert.Equal(Names.Length, reasons.Length);
        Assert.All(reasons, reason => Assert.StartsWith("alert ", reason, StringComparison.Ordinal));
        Assert.Contains(reasons, reason => reason.StartsWith("alert unnamed", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"tickets.get\\u0000\"")]
    [InlineData("\"\\ud83d\"")]
    public async Task An_operation_that_cannot_be_read_is_any_operation(string operation)
    {
        await using var pair = await PairAsync("alert_operation_" + (uint)operation.GetHashCode(StringComparison.Ordinal));
        await pair.ServeAsync("tickets.get");
        Assert.Equal(["tickets.get"], await AlertAsync(pair.Replicas[0], Body("\"a\"", operation, "never")));
        await pair.ServesNobodyAsync("tickets.get");
    }

    [Theory]
    [InlineData("drop table shadow.alert")]
    [InlineData("alter table shadow.alert add check (alert = '')")]
    [InlineData("lock table shadow.alert in access exclusive mode")]
    public async Task An_alert_whose_claim_fails_acts(string fault)
    {
        await using var pair = await PairAsync("alert_claim_" + (uint)fault.GetHashCode(StringComparison.Ordinal));
        await pair.ServeAsync("tickets.get");
        await using var store = new NpgsqlConnection(pair.Evidence);
        await store.OpenAsync(Cancellation);
        await using var transaction = await store.BeginTransactionAsync(Cancellation);
        await using (var command = new NpgsqlCommand(fault, store, transaction)) await command.ExecuteNonQueryAsync(Cancellation);
        if (!fault.StartsWith("lock", StringComparison.Ordinal)) await transaction.CommitAsync(Cancellation);
        Assert.Equal(["tickets.get"], await AlertAsync(pair.Replicas[0], Body("\"a\"", "\"tickets.get\"", "2026-01-01T00:00:00Z")));
        await pair.ServesNobodyAsync("tickets.get");
    }

    [Fact]
    public async Task A_rollback_that_cannot_be_stored_holds_up_neither_the_next_nor_the_reading_of_the_store()
    {
        await using var pair = await PairAsync("rollback_unstorable");
        await pair.ServeAsync("tickets.get");
        await pair.ServeAsync("tickets.stats");
        await pair.ExecuteAsync(
            "alter table shadow.rollout add constraint poison check (operation <> 'tickets.get' or held_because is null)");
        var control = pair.Replicas[0].Service.Services.GetRequiredService<ShadowingControl>();
        Assert.True(control.RollBack("tickets.get", "poison"));
        Assert.True(control.RollBack("tickets.stats", "clean"));
        await Until.HoldsAsync(async () => (string?)(await pair.Replicas[1].RolloutAsync("tickets.stats"))["heldBecause"] == "clean");
        await Until.HoldsAsync(() => pair.IsFoundAsync("tickets.get"));

        // What others change is heard of all the same, and what is asked of other operations is done.
        await pair.Replicas[0].ChangeAsync("tickets.stats", new() { ["acknowledge"] = true });
        await pair.Replicas[1].ChangeAsync("tickets.list", new() { ["automatic"] = true });
        await Until.HoldsAsync(async () => (bool?)(await pair.Replicas[0].RolloutAsync("tickets.list"))["automatic"] is true);
        Assert.Equal("shadow-100", (string?)(await pair.Replicas[0].RolloutAsync())["stage"]);

        await pair.ExecuteAsync("alter table shadow.rollout drop constraint poison");
        await pair.ServesNobodyAsync("tickets.get");
        Assert.Equal(PendingRollbacks.FixedReason, (string?)(await pair.Replicas[1].RolloutAsync())["heldBecause"]);
        await Until.HoldsAsync(async () => !await pair.IsFoundAsync("tickets.get"));
    }

    [Fact]
    public async Task A_rollback_whose_row_is_locked_holds_up_neither_the_next_nor_the_reading_of_the_store()
    {
        await using var pair = await PairAsync("rollback_locked");
        await pair.ServeAsync("tickets.get");
        await pair.ServeAsync("tickets.stats");
        await using var store = new NpgsqlConnection(pair.Evidence);
        await store.OpenAsync(Cancellation);
        await using var transaction = await store.BeginTransactionAsync(Cancellation);
        await using (var command = new NpgsqlCommand("select from shadow.rollout where operation = 'tickets.get' for update",
            store, transaction))
            await command.ExecuteNonQueryAsync(Cancellation);
        var control = pair.Replicas[0].Service.Services.GetRequiredService<ShadowingControl>();
        Assert.True(control.RollBack("tickets.get", "locked"));
        Assert.True(control.RollBack("tickets.stats", "free"));
        await Until.HoldsAsync(async () => (string?)(await pair.Replicas[1].RolloutAsync("tickets.stats"))["heldBecause"] == "free");
        await transaction.RollbackAsync(Cancellation);
        await Until.HoldsAsync(async () => (string?)(await pair.Replicas[1].RolloutAsync())["heldBecause"] == "locked");
    }

    private static string Body(string? name, string operation, string startsAt) =>
        $$$"""
        {"groupKey": "{}:{}",
            "alerts": [{"status": "firing", "startsAt": "{{{startsAt}}}", "labels": {{{{(name is null ? "" : $"\"alertname\": {name}, ")}}}
         "shadow_action": "rollback", "shadow_operation": {{{operation}}}}}]}
        """;

    private static async Task<string[]> AlertAsync(Replica replica, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/shadow/v1/alerts");
        request.Headers.Authorization = new("Bearer", Replica.WebhookToken);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await replica.Service.Http.SendAsync(request, Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode} for {body[..Math.Min(body.Length, 300)]}");
        var answer = await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        return [.. answer!["rolledBack"]!.AsArray().Select(one => (string)one!)];
    }

    private async Task<Pair> PairAsync(string name)
    {
        var database = await postgres.CloneAsync(name, Cancellation);
        return new(await Task.WhenAll(Replica.StartAsync(database), Replica.StartAsync(database, "two")), database.Evidence);
    }

    private sealed class Pair(Replica[] replicas, string evidence) : IAsyncDisposable
    {
        public Replica[] Replicas => replicas;

        public string Evidence => evidence;

        /// <summary>Until both replicas take it for served; whether the candidate answers anybody of it yet does not matter.</summary>
        public async Task ServeAsync(string operation)
        {
            if ((string?)(await replicas[0].RolloutAsync(operation))["nominated"] is null)
                await replicas[0].ChangeAsync(operation, new() { ["nominate"] = "this" });
            await replicas[0].ChangeAsync(operation, new() { ["stage"] = "full", ["force"] = true });
            foreach (var replica in replicas)
                await Until.HoldsAsync(async () => await replica.RolloutAsync(operation) is var at && (string?)at["stage"] == "full"
                    && at["heldBecause"] is null);
        }

        public Task ServesNobodyAsync(string operation) => Task.WhenAll(replicas.Select(replica => Until.HoldsAsync(async () =>
            await replica.RolloutAsync(operation) is var at && (string?)at["stage"] == "shadow-100"
                && (double)at["effectiveServePercent"]! == 0 && at["heldBecause"] is not null)));

        /// <summary>Whether the first replica has a finding about it.</summary>
        public async Task<bool> IsFoundAsync(string about) =>
            (await replicas[0].GetAsync("status"))["findings"]!.AsArray().Any(finding => (string?)finding!["object"] == about);

        public async Task ExecuteAsync(string sql)
        {
            await using var store = NpgsqlDataSource.Create(evidence);
            await using var command = store.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var replica in replicas) await replica.DisposeAsync();
        }
    }
}
