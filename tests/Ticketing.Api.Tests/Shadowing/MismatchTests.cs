using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Shadowing.AspNetCore.Endpoints;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>What an engineer gets to see of a mismatch, over HTTP: enough to reproduce it, by whoever may.</summary>
public sealed class MismatchTests(PostgresFixture postgres)
{
    private const string OperatorToken = "an operator's token";

    private static readonly (string, string)[] Operator =
    [
        ("Operators:Tokens:1:Name", "an operator"),
        ("Operators:Tokens:1:Role", "operator"),
        ("Operators:Tokens:1:Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(OperatorToken)))),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mismatch_can_be_reproduced_from_what_is_shown()
    {
        await using var service = await StartAsync("shown");
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");

        var summary = Assert.Single((await ListAsync(service)).Mismatches);
        Assert.Equal(("tickets.get", "mismatch", "trimmed_text", 1L), (summary.Operation, summary.Outcome, summary.Diagnosis.Cause, summary.Count));
        var detail = await GetAsync<JsonNode>(service, $"/shadow/v1/mismatches/{summary.Signature}");
        var sample = detail["mismatch"]!["samples"]![0]!;
        var parameters = sample["parameters"]!.AsArray().ToDictionary(entry => (string)entry!["name"]!, entry => (string?)entry!["value"]!["text"]);
        Assert.Equal(("7", "1", "superadmin"), (parameters["ticketId"], parameters["caller.userId"], parameters["caller.role"]));
        Assert.Equal("staff", (string?)sample["shape"]);
        Assert.Contains(sample["controlSql"]!.AsArray(), sql => ((string)sql!).Contains("FROM support_tickets t", StringComparison.Ordinal));
        Assert.Contains(sample["candidateSql"]!.AsArray(), sql => ((string)sql!).Contains("FROM support_tickets AS s", StringComparison.Ordinal));
        Assert.Equal("when trimmed", (string?)sample["differences"]![0]!["shape"]!["equal"]);
        Assert.Equal(32, ((string)sample["requestTraceId"]!).Length);
    }

    [Fact]
    public async Task What_a_run_saw_is_still_there_after_the_next_one_began()
    {
        var database = await postgres.CloneAsync("mismatch_restart", Cancellation);
        string signature;
        await using (var first = await StartAsync(database))
        {
            await first.GetAsync("/api/tickets/7");
            await first.SettledAsync("tickets.get");
            signature = Assert.Single((await ListAsync(first)).Mismatches).Signature;
            await first.StopAsync();
        }

        await using var second = await StartAsync(database);
        // A busy machine may pass a request over.
        await Until.HoldsAsync(async () =>
        {
            await second.GetAsync("/api/tickets/8");
            return (await second.SettledAsync("tickets.get")).Comparisons["mismatch"] == 1;
        });
        await Until.HoldsAsync(async () => (await ListAsync(second)).Scope == "all");
        var summary = Assert.Single((await ListAsync(second)).Mismatches);
        Assert.Equal((signature, 2L), (summary.Signature, summary.Count));
    }

    [Fact]
    public async Task An_operator_accepts_with_owner_reason_and_expiry_and_can_revoke()
    {
        await using var service = await StartAsync("accepted");
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");
        var signature = Assert.Single((await ListAsync(service)).Mismatches).Signature;
        var path = $"/shadow/v1/mismatches/{signature}/accept";
        var body = new { owner = "the list team", reason = "The new texts are trimmed on purpose.", expiresAt = DateTimeOffset.UtcNow.AddDays(30) };

        Assert.Equal("operator_forbidden", await CodeAsync(service, HttpMethod.Post, path, body, ShadowedService.ViewerToken));
        Assert.Equal("invalid_member", await CodeAsync(service, HttpMethod.Post, path, body with { expiresAt = DateTimeOffset.UtcNow.AddDays(-1) }));
        Assert.Equal("invalid_member", await CodeAsync(service, HttpMethod.Post, path, body with { reason = " " }));
        Assert.Equal("signature_not_found", await CodeAsync(service, HttpMethod.Post, "/shadow/v1/mismatches/none/accept", body));
        Assert.Null(await CodeAsync(service, HttpMethod.Post, path, body));

        await service.GetAsync("/api/tickets/8");
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal((1, 1), (get.Comparisons["mismatch"], get.Comparisons["tolerated"]));
        var accepted = Assert.Single((await ListAsync(service)).Mismatches);
        Assert.Equal((1L, "the list team", "an operator"), (accepted.Accepted, accepted.Acceptance!.Owner, accepted.Acceptance.AcceptedBy));

        Assert.Null(await CodeAsync(service, HttpMethod.Delete, path, null));
        Assert.Equal("signature_not_found", await CodeAsync(service, HttpMethod.Delete, path, null));
        await service.GetAsync("/api/tickets/9");
        Assert.Equal(2, (await service.SettledAsync("tickets.get")).Comparisons["mismatch"]);
        Assert.Equal(["access.refused a viewer", "mismatch.accept an operator", "mismatch.revoke an operator"], await AuditAsync(service.Database));
    }

    [Fact]
    public async Task A_triaged_mismatch_counts_and_does_not_hold_the_gate_until_it_has_another_cause_or_is_revoked()
    {
        await using var service = await StartAsync("triaged");
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");
        var signature = Assert.Single((await ListAsync(service)).Mismatches).Signature;
        var path = $"/shadow/v1/mismatches/{signature}/triage";
        var body = new { owner = "the list team", reason = "Users have lived with that for years.", expiresAt = DateTimeOffset.UtcNow.AddDays(30) };
        await Until.HoldsAsync(async () => await IsOpenAsync());

        Assert.Equal("operator_forbidden", await CodeAsync(service, HttpMethod.Post, path, body, ShadowedService.ViewerToken));
        Assert.Equal("invalid_member", await CodeAsync(service, HttpMethod.Post, path, body with { reason = " " }));
        Assert.Equal("signature_not_found", await CodeAsync(service, HttpMethod.Post, "/shadow/v1/mismatches/none/triage", body));
        Assert.Null(await CodeAsync(service, HttpMethod.Post, path, body));
        await Until.HoldsAsync(async () => !await IsOpenAsync());
        Assert.Contains("1 mismatch triaged, which count", await SentenceAsync(), StringComparison.Ordinal);

        // It is no acceptance: what comes is a mismatch as before.
        await service.GetAsync("/api/tickets/8");
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal((2, 0), (get.Comparisons["mismatch"], get.Comparisons["tolerated"]));
        await Until.HoldsAsync(async () => (await SentenceAsync()).Contains("2 unexplained mismatches", StringComparison.Ordinal));
        Assert.False(await IsOpenAsync());

        // Another cause was not triaged.
        Assert.Null(await Database.Sql.StateAsync(service.Database.Evidence, "update shadow.triage set causes = '{another}', triaged_at = now()"));
        await Until.HoldsAsync(async () => await IsOpenAsync());
        Assert.Null(await CodeAsync(service, HttpMethod.Post, path, body));
        await Until.HoldsAsync(async () => !await IsOpenAsync());

        Assert.Null(await CodeAsync(service, HttpMethod.Delete, path, null));
        Assert.Equal("signature_not_found", await CodeAsync(service, HttpMethod.Delete, path, null));
        await Until.HoldsAsync(async () => await IsOpenAsync());
        Assert.Equal(
            ["access.refused a viewer", "mismatch.triage an operator", "mismatch.triage an operator", "mismatch.untriage an operator"],
            await AuditAsync(service.Database));

        async Task<bool> IsOpenAsync() => (await GateAsync())["reasons"]!.AsArray().Any(reason => (string?)reason!["code"] == "open_mismatch");

        async Task<string> SentenceAsync() => (string)(await GateAsync())["sentence"]!;

        async Task<JsonNode> GateAsync()
        {
            using var response = await SendAsync(service, HttpMethod.Get, "/shadow/v1/gate/tickets.get", null, OperatorToken);
            return (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
        }
    }

    [Fact]
    public async Task A_leak_cannot_be_accepted_and_neither_can_a_failure()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("leaks", Cancellation),
            store => new TamperedStore(store)
            {
                OnGet = async (request, next, token) => request.TicketId == 7
                    ? throw new NotSupportedException() : await store.GetAsync(request with { Caller = new(request.Caller.UserId, "admin") }, token),
            },
            settings: Operator);
        var stranger = await StrangerAsync(service.Database);
        Assert.Equal(403, await service.GetAsync("/api/tickets/5", stranger));
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");
        var body = new { owner = "nobody", reason = "It will be alright, surely.", expiresAt = DateTimeOffset.UtcNow.AddDays(1) };
        var mismatches = (await ListAsync(service)).Mismatches;
        Assert.Equal(["critical mismatch", "normal candidate_error"], mismatches.Select(mismatch => $"{mismatch.Severity} {mismatch.Outcome}").Order());
        foreach (var mismatch in mismatches)
            Assert.Equal("not_acceptable", await CodeAsync(service, HttpMethod.Post, $"/shadow/v1/mismatches/{mismatch.Signature}/accept", body));

        // A failure at a low rate may be outweighed; a leak may not.
        foreach (var mismatch in mismatches)
        {
            Assert.Equal(
                mismatch.Severity == "critical" ? "not_triable" : null,
                await CodeAsync(service, HttpMethod.Post, $"/shadow/v1/mismatches/{mismatch.Signature}/triage", body));
        }
    }

    [Fact]
    public async Task Raw_values_are_shown_to_an_operator_while_unlocked_and_each_look_is_audited()
    {
        (string, string)[] unlocked =
        [
            .. Operator, ("Shadowing:RawSamples:Until", DateTimeOffset.UtcNow.AddHours(1).ToString("O")),
            ("Shadowing:RawSamples:Owner", "somebody"), ("Shadowing:RawSamples:Reason", "To see it once."),
        ];
        await using var service = await StartAsync(await postgres.CloneAsync("unlocked", Cancellation), unlocked);
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");
        var path = $"/shadow/v1/mismatches/{Assert.Single((await ListAsync(service)).Mismatches).Signature}";
        Assert.Equal("operator_forbidden", await CodeAsync(service, HttpMethod.Get, path + "/raw", null, ShadowedService.ViewerToken));
        await Until.HoldsAsync(async () => (await AuditAsync(service.Database)).Contains("samples.unlock somebody"));
        var raw = await GetAsync<JsonArray>(service, path + "/raw", OperatorToken);
        var (control, candidate) = ((string)raw[0]!["control"]!, (string)raw[0]!["candidate"]!);
        Assert.Equal(JsonNode.Parse(control)!["Ticket"]!["Subject"] + " ", (string?)JsonNode.Parse(candidate)!["Ticket"]!["Subject"]);
        Assert.Equal(["access.refused a viewer", "samples.read an operator", "samples.unlock somebody"], await AuditAsync(service.Database));
    }

    [Fact]
    public async Task Raw_values_are_locked_by_default_and_cannot_be_unlocked_for_longer_than_a_day()
    {
        await using var service = await StartAsync("locked");
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");
        var path = $"/shadow/v1/mismatches/{Assert.Single((await ListAsync(service)).Mismatches).Signature}/raw";
        Assert.Equal("raw_samples_locked", await CodeAsync(service, HttpMethod.Get, path, null));

        var refused = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => ShadowedService.StartAsync(
            service.Database, settings: ("Shadowing:RawSamples:Until", DateTimeOffset.UtcNow.AddDays(2).ToString("O"))));
        Assert.Equal(3, refused.Failures.Count());
    }

    private async Task<ShadowedService> StartAsync(string name) => await StartAsync(await postgres.CloneAsync("mismatch_" + name, Cancellation));

    /// <summary>With a candidate that pads the subject of every ticket.</summary>
    private static Task<ShadowedService> StartAsync(TicketingDatabase database, params (string, string)[] settings) => ShadowedService.StartAsync(
        database,
        store => new TamperedStore(store)
        {
            OnGet = async (_, next, _) => await next() is { Ticket: { } ticket } answer
                ? answer with { Ticket = ticket with { Subject = ticket.Subject + " " } } : await next(),
        },
        settings: settings.Length == 0 ? Operator : settings);

    private static Task<MismatchList> ListAsync(ShadowedService service) => GetAsync<MismatchList>(service, "/shadow/v1/mismatches");

    private static async Task<T> GetAsync<T>(ShadowedService service, string path, string token = ShadowedService.ViewerToken)
    {
        using var response = await SendAsync(service, HttpMethod.Get, path, null, token);
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<T>(Cancellation))!;
    }

    /// <summary>The code of the refusal; null where there was none.</summary>
    private static async Task<string?> CodeAsync(ShadowedService service, HttpMethod method, string path, object? body, string token = OperatorToken)
    {
        using var response = await SendAsync(service, method, path, body, token);
        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NoContent) return null;
        return (string?)(await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["code"];
    }

    private static async Task<HttpResponseMessage> SendAsync(ShadowedService service, HttpMethod method, string path, object? body, string token)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = new("Bearer", token) } };
        if (body is not null) request.Content = JsonContent.Create(body);
        return await service.Http.SendAsync(request, Cancellation);
    }

    private static async Task<IReadOnlyList<string>> AuditAsync(TicketingDatabase database)
    {
        await using var source = NpgsqlDataSource.Create(database.Evidence);
        await using var command = source.CreateCommand("select action || ' ' || actor from shadow.audit where actor <> 'service' order by 1");
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var entries = new List<string>();
        while (await reader.ReadAsync(Cancellation)) entries.Add(reader.GetString(0));
        return entries;
    }

    private static async Task<int> StrangerAsync(TicketingDatabase database)
    {
        await using var source = NpgsqlDataSource.Create(database.Owner);
        await using var command = source.CreateCommand(
            "select min(id) from users where role = 'user' and is_active and id <> (select user_id from support_tickets where id = 5)");
        return (int)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
