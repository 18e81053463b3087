using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Model;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>A replica whose gate opens after a handful of cases, and which notes when a user's request starts on the candidate.</summary>
internal sealed class Replica : IAsyncDisposable
{
    public const string OperatorToken = "an operator's token";
    public const string WebhookToken = "a webhook's token";

    /// <summary>Rates at which five clean cases prove a shape.</summary>
    private static readonly (string, string)[] Settings =
    [
        ("Shadowing:Gate:Policy", "easy"), ("Shadowing:Gate:Policies:easy:FirstEpsilon", "0.9"), ("Shadowing:Gate:Policies:easy:ServeEpsilon", "0.9"),
        ("Shadowing:Gate:Policies:easy:WrongAnswers", "0.9"), ("Shadowing:Gate:Policies:easy:ShapeEpsilon", "0.9"),
        ("Shadowing:Gate:Policies:easy:UnprovenLimit", "1"), ("Shadowing:Gate:Policies:easy:StageDwell", "00:00:00"),
        ("Shadowing:Gate:Policies:easy:SoakBeforeFull", "00:00:00"), ("Shadowing:Gate:Policies:easy:SoakBeforeComplete", "00:00:00"),
        ("Shadowing:Gate:Policies:easy:BusinessDays", "0"), ("Shadowing:Gate:Policies:easy:BusyHourCases", "0"),
        ("Shadowing:Gate:Policies:easy:LatencyMustPass", "false"), ("Shadowing:Gate:Policies:easy:StatementEpsilon", "0.9"),
        ("Shadowing:Gate:Policies:easy:UncleanExitHold", "00:00:00"), ("Shadowing:Gate:Policies:easy:UserShare", "1"),
        // Of so few cases, one that a busy machine leaves without a result is a large share.
        ("Shadowing:Gate:Policies:easy:Alpha", "0.5"), ("Shadowing:Gate:Policies:easy:DoubtLimit", "1"),
        ("Shadowing:CandidateDeadline", "00:00:05"),
        // So easily proven, shapes would be sampled at once; tests count on every request.
        ("Shadowing:ServingFloorPercent", "100"), ("Shadowing:TricklePercent", "100"),
        .. Token(1, "an operator", "operator", OperatorToken), .. Token(2, "a webhook", "webhook", WebhookToken),
    ];

    private Replica(ShadowedService service, ConcurrentQueue<long> starts) => (Service, CandidateStarts) = (service, starts);

    public ShadowedService Service { get; }

    /// <summary>When requests of users started on the candidate, as timestamps.</summary>
    public ConcurrentQueue<long> CandidateStarts { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<Replica> StartAsync(
        TicketingDatabase database, string name = "one", Func<ITicketStore, ITicketStore>? candidate = null, bool warm = true,
        Func<ITicketStore, ITicketStore>? everywhere = null, Func<Task>? openingCandidate = null, params (string, string)[] settings)
    {
        var starts = new ConcurrentQueue<long>();
        var service = await ShadowedService.StartAsync(database, services =>
        {
            if (everywhere is not null) ShadowedService.Decorate(services, everywhere);
            var opened = services.Last(registered => registered.ServiceType == typeof(OpenStore<ITicketStore>)).ImplementationFactory!;
            services.AddSingleton<OpenStore<ITicketStore>>(provider =>
            {
                var open = (OpenStore<ITicketStore>)opened(provider);
                return async (place, token) =>
                {
                    if ((place.Side, place.Position) == (Side.Candidate, Position.Served))
                    {
                        starts.Enqueue(Stopwatch.GetTimestamp());
                        if (openingCandidate is not null) await openingCandidate();
                    }

                    var lease = await open(place, token);
                    return place.Side is Side.Candidate && candidate is not null ? new(() => candidate(lease.Store), lease) : lease;
                };
            });
        }, warm, [.. Settings, ("Shadowing:Replica", name), .. settings]);
        return new(service, starts);
    }

    /// <summary>Asks for tickets until the gate calls the shape proven.</summary>
    public async Task ProveAsync(string operation = "tickets.get", int tickets = 30)
    {
        for (var id = 1; id <= tickets; id++) await Service.GetAsync($"/api/tickets/{id}");
        await Service.SettledAsync(operation);
        await Until.HoldsAsync(async () => (await GetAsync($"gate/{operation}"))["figures"]?["cases"]?.GetValue<int>() >= 5);
    }

    /// <summary>Nominates this build and takes the operation to a stage against the gate, then waits until users are served.</summary>
    public async Task ServeAsync(string operation = "tickets.get", string stage = "full")
    {
        if ((string?)(await RolloutAsync(operation))["nominated"] is null) await ChangeAsync(operation, new() { ["nominate"] = "this" });
        await ChangeAsync(operation, new() { ["stage"] = stage, ["force"] = true });
        await Until.HoldsAsync(async () => (double)(await RolloutAsync(operation))["effectiveServePercent"]! > 0);
    }

    public async Task<JsonNode> RolloutAsync(string operation = "tickets.get") => await GetAsync($"rollout/{operation}");

    /// <summary>Changes the generation that is there now.</summary>
    public async Task<JsonNode> ChangeAsync(string operation, JsonObject change)
    {
        while (true)
        {
            var body = (JsonObject)change.DeepClone();
            body["generation"] = (await RolloutAsync(operation))["generation"]!.DeepClone();
            body["reason"] ??= "a test";
            var (status, answer) = await SendAsync(HttpMethod.Put, $"rollout/{operation}", body);
            if (status == HttpStatusCode.OK) return answer;
            var failures = Service.Logs.GetSnapshot().Select(log => log.Exception).OfType<Exception>().Select(failure => failure.ToString());
            Assert.True((string?)answer["code"] == "generation_stale", $"{answer}\n{string.Join('\n', failures)}");
        }
    }

    public async Task<JsonNode> GetAsync(string path) => (await SendAsync(HttpMethod.Get, path, null)).Answer;

    public async Task<(HttpStatusCode Status, JsonNode Answer)> SendAsync(HttpMethod method, string path, JsonNode? body, string token = OperatorToken)
    {
        using var request = new HttpRequestMessage(method, "/shadow/v1/" + path) { Headers = { Authorization = new("Bearer", token) } };
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await Service.Http.SendAsync(request, Cancellation);
        return (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!);
    }

    public ValueTask DisposeAsync() => Service.DisposeAsync();

    private static (string, string)[] Token(int index, string name, string role, string token) =>
    [
        ($"Operators:Tokens:{index}:Name", name), ($"Operators:Tokens:{index}:Role", role),
        ($"Operators:Tokens:{index}:Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))),
    ];
}
