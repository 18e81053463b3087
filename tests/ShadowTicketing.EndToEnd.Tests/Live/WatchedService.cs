using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ShadowTicketing.Demo;
using ShadowTicketing.Demo.Faults;
using Spectre.Console;

namespace ShadowTicketing.EndToEnd.Tests.Live;

/// <summary>Three replicas of the demo under traffic, whose candidate begins to be wrong after a while.</summary>
internal sealed class WatchedService : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly StringWriter _screen = new();
    private readonly HttpClient _http = new();
    private readonly FileInfo _access = new(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
    private readonly Task _run;
    private string _token = "";

    private WatchedService(string fault, TimeSpan after)
    {
        var registry = new FaultRegistry(TimeProvider.System);
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(_screen) });
        _run = new DemoRun(
            new(
                Port: 0, Tickets: 2_000, Rate: 40, For: null, [new(registry.Find(fault)!, 1)], Report: null, _access, Replicas: 3, Policy: "demo",
                FaultAfter: after),
            console, TimeProvider.System).RunAsync(_stop.Token);
    }

    public IReadOnlyList<Uri> Replicas { get; private set; } = [];

    public string WebhookToken { get; private set; } = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<WatchedService> StartAsync(string fault, TimeSpan after)
    {
        var service = new WatchedService(fault, after);
        await Eventually.HoldsAsync(async () =>
        {
            if (service._run.IsCompleted) await service._run;
            service._access.Refresh();
            return service._access.Exists;
        });
        var access = JsonNode.Parse(await File.ReadAllTextAsync(service._access.FullName, Cancellation))!;
        service.Replicas = [.. access["replicas"]!.AsArray().Select(replica => new Uri((string)replica!))];
        (service._token, service.WebhookToken) = ((string)access["operatorToken"]!, (string)access["webhookToken"]!);
        return service;
    }

    public async Task<JsonNode> GetAsync(Uri replica, string path) => await SendAsync(HttpMethod.Get, replica, path, null);

    public async Task<IReadOnlyList<JsonNode>> GetAllAsync(string path) =>
        await Task.WhenAll(Replicas.Select(replica => GetAsync(replica, path)));

    /// <summary>The operations of all replicas' statuses.</summary>
    public async Task<IReadOnlyList<JsonNode>> StatusAsync() =>
        [.. (await GetAllAsync("status")).SelectMany(status => status["operations"]!.AsArray()).Select(operation => operation!)];

    /// <summary>Changes the generation that is there now.</summary>
    public async Task ChangeAsync(string operation, JsonObject change)
    {
        while (true)
        {
            var body = (JsonObject)change.DeepClone();
            body["generation"] = (await GetAsync(Replicas[0], $"rollout/{operation}"))["generation"]!.DeepClone();
            body["reason"] = "a test";
            var answer = await SendAsync(HttpMethod.Put, Replicas[0], $"rollout/{operation}", body);
            if (answer["stage"] is not null) return;
            Assert.True((string?)answer["code"] == "generation_stale", answer.ToJsonString());
        }
    }

    /// <summary>Nominates this build and lets it serve everybody it may, gate or not.</summary>
    public async Task ServeAsync(string operation)
    {
        await ChangeAsync(operation, new() { ["nominate"] = "this" });
        // Its shapes are proven by now, or there would be nobody to serve.
        await Eventually.HoldsAsync(async () => (long?)(await GetAsync(Replicas[0], $"gate/{operation}"))["figures"]?["cases"] > 100);
        await ChangeAsync(operation, new() { ["stage"] = "full", ["force"] = true });
        await Eventually.HoldsAsync(async () => await SharesAsync(operation) is { } shares && shares.All(share => share > 0));
    }

    /// <summary>The share of users that each replica gives to the candidate.</summary>
    public async Task<IReadOnlyList<double>> SharesAsync(string operation) =>
        [.. (await GetAllAsync($"rollout/{operation}")).Select(rollout => (double)rollout["effectiveServePercent"]!)];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _access.Delete();
        _http.Dispose();
        _stop.Dispose();
        await _screen.DisposeAsync();
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, Uri replica, string path, JsonNode? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(replica, "/shadow/v1/" + path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await _http.SendAsync(request, Cancellation);
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
    }
}
