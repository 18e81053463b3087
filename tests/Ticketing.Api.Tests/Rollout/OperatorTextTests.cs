using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Shadowing.Model;
using Ticketing.Api.Tests.Cli;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>
/// Whatever text an operator sends, or is called, it is refused with a code or kept cleaned; a terminal shows none that controls it.
/// </summary>
public sealed class OperatorTextTests(PostgresFixture postgres)
{
    /// <summary>As JSON; each long enough for a reason, where it is one.</summary>
    private static readonly string[] Texts =
    [
        "\"a reason with \\u0000 in it\"", "\"a reason with half \\ud83d\"", "\"a reason with \\ude00 half\"",
        $"\"{new string('a', 499)}\\ud83d\\ude00\"",
        "\"a reason \\u202e drawkcab\"", "\"a reason \\u001b[31m in red\\n\\u0085\"", $"\"{new string('x', 50_000)}\"", "\"\"", "null",
        "7", "{}",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Texts_of_operators_are_refused_with_a_code_or_kept_cleaned()
    {
        await using var replica = await Replica.StartAsync(
            await postgres.CloneAsync("operator_texts", Cancellation),
            everywhere: store => new TamperedStore(store)
            {
                OnGet = async (_, next, _) => await next() is { Ticket: { } ticket } answer
                    ? answer with { Ticket = ticket with { Subject = ticket.Subject + " " } } : await next(),
            },
            settings: [("Operators:Tokens:1:Name", "an \u0000operator\u001b[31m\ud83d \u202e")]);
        JsonArray mismatches = [];
        await Until.HoldsAsync(async () => await replica.Service.GetAsync("/api/tickets/7") == 200
            && (mismatches = (await replica.GetAsync("mismatches"))["mismatches"]!.AsArray()).Count > 0);
        var signature = (string)mismatches[0]!["signature"]!;
        var kept = 0;
        foreach (var text in Texts)
        {
            var generation = (long)(await replica.RolloutAsync())["generation"]!;
            kept += await SendAsync(replica, HttpMethod.Put, "rollout/tickets.get",
                $$"""{"generation": {{generation}}, "automatic": {{(kept % 2 == 0 ? "true" : "false")}}, "reason": {{text}}}""");
            kept += await SendAsync(replica, HttpMethod.Post, "rollback", $$"""{"operation": "tickets.get", "reason": {{text}}}""");
            kept += await SendAsync(replica, HttpMethod.Post, $"mismatches/{signature}/accept",
                $$"""{"owner": "me", "expiresAt": "{{DateTimeOffset.UtcNow.AddDays(3):O}}", "reason": {{text}}}""");
            kept += await SendAsync(replica, HttpMethod.Post, $"mismatches/{signature}/accept",
                $$"""{"owner": {{text}}, "expiresAt": "{{DateTimeOffset.UtcNow.AddDays(3):O}}", "reason": "a reason of its own"}""");
            kept += await SendAsync(replica, HttpMethod.Post, "sweeps",
                $$"""{"operation": "tickets.get", "rate": 1, "reason": {{text}}}""");
            kept += await SendAsync(replica, HttpMethod.Post, "sweeps", $$"""{"operation": {{text}}, "rate": 1, "reason": "a reason"}""");
            kept += await SendAsync(replica, HttpMethod.Put, "rollout/tickets.get",
                $$"""{"generation": 0, "stage": {{text}}, "reason": "a reason"}""");
        }

        Assert.True(kept > 8, $"{kept}");
        foreach (var query in new[] { "served?operation=%00&verdict=%00", "mismatches?operation=%00", "mismatches/%1b%5b31m",
            "rollout/%1b", "gate/%ed%a0%80" })
            await SendAsync(replica, HttpMethod.Get, query, null);

        var entries = (await replica.GetAsync("audit"))["entries"]!.AsArray();
        Assert.All(entries, entry =>
            Assert.DoesNotContain(All(entry), text => text.Any(char.IsControl) || text.Contains('\u202e', StringComparison.Ordinal)));
        Assert.Contains(entries, entry => (string?)entry!["actor"] == "an \uFFFDoperator\uFFFD[31m\uFFFD \uFFFD");
        Assert.Contains(entries, entry =>
            ((string?)entry!["detail"]?["text"])?.Contains("\uFFFD[31m in red", StringComparison.Ordinal) is true);
    }

    [Fact]
    public async Task What_is_cleaned_can_be_stored_whatever_it_was()
    {
        await using var store = NpgsqlDataSource.Create((await postgres.CloneAsync("plain_text", Cancellation)).Evidence);
        var random = new Random(20260101);
        var hurting = "\0\u001b\u0085\u202e\u2028\u0301\ud83d\ude00\\\"a ";
        for (var i = 0; i < 300; i++)
        {
            var units = Enumerable.Range(0, random.Next(40))
                .Select(_ => random.Next(3) == 0 ? (char)random.Next(0x10000) : hurting[random.Next(hurting.Length)]);
            var text = new string([.. units]);
            var clean = PlainText.Clean(text, 30);
            var escaped = string.Concat(text.Select(unit => $"\\u{(int)unit:x4}"));
            await using var command = store.CreateCommand("select $1, $2 ->> 'a'");
            command.Parameters.Add(new() { Value = clean });
            command.Parameters.Add(
                new() { Value = PlainText.Json($"{{\"a\": \"{escaped}\"}}"), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb });
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            await reader.ReadAsync(Cancellation);
            Assert.Equal(clean, reader.GetString(0));
            Assert.Equal(text.Length, reader.GetString(1).Length);
        }
    }

    [Fact]
    public async Task A_terminal_shows_nothing_that_controls_it_though_the_store_holds_it()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("shadowctl_text", Cancellation));
        await using (var store = NpgsqlDataSource.Create(service.Database.Evidence))
        await using (var command = store.CreateCommand(
            """
            insert into shadow.audit (actor, action, subject, detail)
            values (E'a\u001b[31m[red]\u202e', E'act\u0007', E'\u009b2J', '{}')
            """))
            await command.ExecuteNonQueryAsync(Cancellation);
        var (_, output, error) = await ShadowctlTests.RunAsync(service, ShadowedService.ViewerToken, ["audit"]);
        Assert.DoesNotContain(output + error, unit => unit is '\u001b' or '\u0007' or '\u009b' or '\u202e');
        Assert.Contains("a\uFFFD[31m[red]\uFFFD", output, StringComparison.Ordinal);
    }

    /// <returns>1 where it was kept, 0 where it was refused.</returns>
    private static async Task<int> SendAsync(Replica replica, HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, "/shadow/v1/" + path);
        request.Headers.Authorization = new("Bearer", Replica.OperatorToken);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await replica.Service.Http.SendAsync(request, Cancellation);
        Assert.True((int)response.StatusCode is < 500 and not 0, $"{response.StatusCode} for {path} {body?[..Math.Min(body.Length, 200)]}");
        var answer = await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        if (!response.IsSuccessStatusCode) Assert.NotNull((string?)answer!["code"]);
        Assert.DoesNotContain(All(answer), text => text.Any(char.IsControl));
        return response.IsSuccessStatusCode ? 1 : 0;
    }

    private static IEnumerable<string> All(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => All(member.Value)),
        JsonArray rows => rows.SelectMany(All),
        JsonValue value when value.TryGetValue<string>(out var text) => [text],
        _ => [],
    };
}
