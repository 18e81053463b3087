using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The gate over HTTP: what is earned, what is missing, and that nothing is earned by saying so.</summary>
public sealed class GateTests(PostgresFixture postgres)
{
    /// <summary>The default policy, but that one user may bring everything: these tests have one.</summary>
    private static readonly (string, string)[] Alone =
        [("Shadowing:Gate:Policy", "alone"), ("Shadowing:Gate:Policies:alone:UserShare", "1")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_gate_says_what_is_missing_and_confirms_nothing_that_is_not_earned()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("gate_missing", Cancellation), settings: Alone);
        for (var id = 1; id <= 20; id++) await service.GetAsync($"/api/tickets/{id}");
        var compared = (await service.SettledAsync("tickets.get")).Comparisons.Values.Sum();
        Assert.NotEqual(0, compared);
        await Until.HoldsAsync(async () => (int?)(await GateAsync(service, "tickets.get"))["figures"]?["cases"] == compared);

        var get = await GateAsync(service, "tickets.get");
        Assert.Equal(("hold", "shadow-100", "alone"), ((string?)get["decision"], (string?)get["stage"], (string?)get["policy"]));
        Assert.Contains(get["reasons"]!.AsArray(), reason => (string?)reason!["code"] == "operation_unproven");
        Assert.Contains(get["reasons"]!.AsArray(), reason => ((string)reason!["text"]!).Contains("of 664 cases", StringComparison.Ordinal));
        Assert.Equal("no_evidence", (string?)(await GateAsync(service, "tickets.list"))["decision"]);

        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(service, HttpMethod.Post, "/shadow/v1/gate/tickets.get/confirm")).Status);
        Assert.Equal((HttpStatusCode.NotFound, "operation_not_found"), await CodeAsync(service, "/shadow/v1/gate/tickets.none"));
        var document = (await SendAsync(service, HttpMethod.Get, "/shadow/v1/evidence/tickets.get")).Body;
        Assert.Equal(compared, (int)document["evidence"]!["comparisons"]!);
        Assert.Equal("staff", (string?)document["evidence"]!["shapes"]![0]!["name"]);
    }

    [Fact]
    public async Task A_mismatch_holds_the_gate_within_a_second_or_two()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("gate_mismatch", Cancellation),
            store => new TamperedStore(store)
            {
                OnGet = async (_, next, _) => await next() is { Ticket: { } ticket } answer ? answer with { Ticket = ticket with { Category = "?" } } : await next(),
            });
        await service.GetAsync("/api/tickets/7");
        await Until.HoldsAsync(async () => (await GateAsync(service, "tickets.get"))["reasons"]!.AsArray()
            .Any(reason => (string?)reason!["code"] == "open_mismatch"));
        Assert.Contains("1 unexplained mismatch", (string)(await GateAsync(service, "tickets.get"))["sentence"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evidence_outlives_the_run_that_gathered_it()
    {
        var database = await postgres.CloneAsync("gate_restart", Cancellation);
        long compared;
        await using (var first = await ShadowedService.StartAsync(database, settings: Alone))
        {
            for (var id = 1; id <= 20; id++) await first.GetAsync($"/api/tickets/{id}");
            compared = (await first.SettledAsync("tickets.get")).Comparisons.Values.Sum();
            await first.StopAsync();
        }

        Assert.NotEqual(0, compared);

        await using var second = await ShadowedService.StartAsync(database, settings: Alone);
        await Until.HoldsAsync(async () => (int?)(await GateAsync(second, "tickets.get"))["figures"]?["cases"] == compared);
    }

    [Fact]
    public async Task What_does_not_exist_is_one_case_and_one_user_proves_nothing_for_others()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("gate_bought", Cancellation));
        for (var id = 900_001; id <= 900_040; id++) await service.GetAsync($"/api/tickets/{id}");
        // Where the machine is busy some are shed.
        var compared = (await service.SettledAsync("tickets.get")).Comparisons["match"];
        Assert.NotEqual(0, compared);
        await Until.HoldsAsync(async () => await EvidenceAsync("comparisons") == compared);
        Assert.Equal(1, await EvidenceAsync("liveCases"));
        var gate = await GateAsync(service, "tickets.get");
        Assert.Equal(0, (int)gate["figures"]!["cases"]!);
        Assert.EndsWith("with a single user nothing is shown for others", (string?)gate["reasons"]![0]!["text"], StringComparison.Ordinal);
        Assert.NotEmpty(gate["claimed"]!.AsArray());
        Assert.NotEmpty(gate["notClaimed"]!.AsArray());

        async Task<int?> EvidenceAsync(string count) =>
            (int?)(await SendAsync(service, HttpMethod.Get, "/shadow/v1/evidence/tickets.get")).Body["evidence"]?[count];
    }

    [Fact]
    public async Task The_figures_are_metrics_too()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("gate_metrics", Cancellation), settings: ("Shadowing:Gate:Policy", "demo"));
        await service.GetAsync("/api/tickets/7");
        await service.SettledAsync("tickets.get");
        await Until.HoldsAsync(async () => (int?)(await GateAsync(service, "tickets.get"))["figures"]?["cases"] == 1);
        Assert.Contains("weaker than the default", (string)(await GateAsync(service, "tickets.get"))["sentence"]!, StringComparison.Ordinal);
        var metrics = await service.Http.GetStringAsync("/metrics", Cancellation);
        Assert.Matches("shadow_evidence_cases\\{[^}]*shadow_operation=\"tickets.get\"[^}]*\\} 1\\b", metrics);
        foreach (var gauge in new[] { "shadow_mismatch_bound_ratio", "shadow_mismatch_threshold_ratio", "shadow_unproven_ratio" })
            Assert.Contains(gauge + "{", metrics, StringComparison.Ordinal);
        Assert.Contains("shadow_evidence_records_total{", metrics, StringComparison.Ordinal);
        Assert.Contains("shadow_gate_decisions_total{", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_that_is_unknown_or_cannot_be_is_refused_at_start()
    {
        var database = await postgres.CloneAsync("gate_policy", Cancellation);
        var unknown = await Assert.ThrowsAsync<OptionsValidationException>(() => ShadowedService.StartAsync(database, settings: ("Shadowing:Gate:Policy", "none")));
        Assert.Contains("'none'", unknown.Message, StringComparison.Ordinal);
        var impossible = await Assert.ThrowsAsync<OptionsValidationException>(() => ShadowedService.StartAsync(
            database, settings: [("Shadowing:Gate:Policy", "strict"), ("Shadowing:Gate:Policies:strict:WrongAnswers", "1e-7"), ("Shadowing:Gate:Policies:strict:DoubtLimit", "2")]));
        Assert.Equal(2, impossible.Failures.Count());
        Assert.Contains("WrongAnswers", impossible.Message, StringComparison.Ordinal);
    }

    private static async Task<JsonNode> GateAsync(ShadowedService service, string operation) =>
        (await SendAsync(service, HttpMethod.Get, $"/shadow/v1/gate/{operation}")).Body;

    private static async Task<(HttpStatusCode Status, string? Code)> CodeAsync(ShadowedService service, string path) =>
        await SendAsync(service, HttpMethod.Get, path) is var (status, body) ? (status, (string?)body["code"]) : default;

    private static async Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(ShadowedService service, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = new("Bearer", ShadowedService.ViewerToken) } };
        using var response = await service.Http.SendAsync(request, Cancellation);
        return (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!);
    }
}
