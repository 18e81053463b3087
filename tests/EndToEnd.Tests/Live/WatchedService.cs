using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Demo;
using Ticketing.Demo.Database;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Screen;
using Ticketing.Demo.Traffic;

namespace EndToEnd.Tests.Live;

/// <summary>Three replicas under the demo's traffic, on a PostgreSQL of their own, whose candidate is wrong when it is told to be.</summary>
internal sealed class WatchedService : IAsyncDisposable
{
    private const int Replicas = 3;
    private const double Rate = 40;

    /// <summary>A gate that a handful of cases pass: what is proven here is not the gate. All is compared, or a fault would wait for its turn.</summary>
    internal static readonly KeyValuePair<string, string?>[] Settings =
    [
        new("Shadowing:Gate:Policy", "weak"), new("Shadowing:Gate:Policies:weak:FirstEpsilon", "0.9"),
        new("Shadowing:Gate:Policies:weak:ServeEpsilon", "0.9"), new("Shadowing:Gate:Policies:weak:WrongAnswers", "0.9"),
        new("Shadowing:Gate:Policies:weak:ShapeEpsilon", "0.9"), new("Shadowing:Gate:Policies:weak:LatencyMustPass", "false"),
        new("Shadowing:Gate:Policies:weak:UserShare", "1"), new("Shadowing:Gate:Policies:weak:Alpha", "0.5"),
        new("Shadowing:Gate:Policies:weak:UnprovenLimit", "0.5"), new("Shadowing:Gate:Policies:weak:DoubtLimit", "1"),
        new("Shadowing:TricklePercent", "100"), new("Shadowing:ServingFloorPercent", "100"), new("Shadowing:CandidateDeadline", "00:00:05"),
    ];

    private readonly DemoSecrets _secrets = DemoSecrets.Draw();
    private readonly DemoLog _log = new();
    private readonly Stack<IAsyncDisposable> _running = [];
    private readonly HttpClient _http = new();
    private readonly CancellationTokenSource _enough = new();
    private readonly List<Uri> _addresses = [];
    private Task _traffic = Task.CompletedTask;
    private TicketingDatabase? _database;
    private Population? _population;
    private Forwarder? _lastWay;

    public IReadOnlyList<Uri> Addresses => _addresses;

    public string WebhookToken => _secrets.WebhookToken;

    public DemoSecrets Secrets => _secrets;

    public TicketingDatabase Database => _database!;

    public Population Population => _population!;

    /// <summary>The way of the last replica to its evidence store.</summary>
    public Forwarder LastWay => _lastWay!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static Task<WatchedService> StartAsync(params FaultChoice[] faults) => StartAsync([], faults, Replicas, Rate);

    /// <param name="settings">Over those that every replica has.</param>
    /// <param name="rate">Requests a second.</param>
    public static async Task<WatchedService> StartAsync(
        KeyValuePair<string, string?>[] settings, FaultChoice[] faults, int replicas, double rate)
    {
        var service = new WatchedService();
        try
        {
            await service.BeginAsync(new(faults), settings, replicas, rate);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    public async Task<JsonNode> GetAsync(string path, int replica = 0) => await SendAsync(HttpMethod.Get, replica, path, null);

    /// <summary>What each replica answers, in their order.</summary>
    public async Task<IReadOnlyList<JsonNode>> GetAllAsync(string path) =>
        await Task.WhenAll(Enumerable.Range(0, _addresses.Count).Select(replica => GetAsync(path, replica)));

    /// <summary>Changes the generation that is there now.</summary>
    public async Task ChangeAsync(string operation, JsonObject change)
    {
        while (true)
        {
            var body = (JsonObject)change.DeepClone();
            body["generation"] = (await GetAsync($"rollout/{operation}"))["generation"]!.DeepClone();
            body["reason"] = "what is watched must happen";
            var answer = await SendAsync(HttpMethod.Put, 0, $"rollout/{operation}", body);
            if (answer["stage"] is not null) return;
            Assert.True((string?)answer["code"] == "generation_stale", answer.ToJsonString());
        }
    }

    /// <summary>Lets the candidate answer everybody it may, against the gate.</summary>
    /// <returns>When every replica did.</returns>
    public async Task<DateTimeOffset> ServeAsync(string operation)
    {
        await ChangeAsync(operation, new() { ["stage"] = "full", ["force"] = true });
        return await Eventually.HoldsAsync($"{operation} is served by the candidate", async () => (await SharesAsync(operation)).All(share => share > 0));
    }

    /// <summary>The share of users that each replica gives to the candidate.</summary>
    public async Task<IReadOnlyList<double>> SharesAsync(string operation) =>
        [.. (await GetAllAsync($"rollout/{operation}")).Select(rollout => (double)rollout["effectiveServePercent"]!)];

    /// <summary>Confirmed mismatches since the replicas started.</summary>
    public async Task<long> MismatchesAsync(string operation) => (await GetAllAsync("status"))
        .Select(status => status["operations"]!.AsArray().Single(one => (string?)one!["operation"] == operation)!["comparisons"]!)
        .Sum(comparisons => (long)comparisons["mismatch"]!);

    /// <summary>The newest rollback of an operation in the audit; null where there was none.</summary>
    public async Task<JsonNode?> RollbackAsync(string operation) => (await GetAsync("audit"))["entries"]!.AsArray()
        .FirstOrDefault(entry => (string?)entry!["action"] == "rollout.rollback" && (string?)entry["subject"] == operation);

    /// <summary>Accepts every mismatch of an operation as intended.</summary>
    /// <returns>How many signatures and mismatches that were.</returns>
    public async Task<(int Signatures, long Mismatches)> AcceptAsync(string operation)
    {
        var found = (await GetAsync($"mismatches?operation={operation}"))["mismatches"]!.AsArray();
        foreach (var mismatch in found.Where(mismatch => mismatch!["acceptance"] is null))
        {
            var body = new JsonObject
            {
                ["owner"] = "team",
                ["reason"] = "what is watched must happen",
                ["expiresAt"] = TimeProvider.System.GetUtcNow().AddHours(1),
            };
            Assert.NotNull((await SendAsync(HttpMethod.Post, 0, $"mismatches/{mismatch!["signature"]}/accept", body))["signature"]);
        }

        return (found.Count, found.Sum(mismatch => (long)mismatch!["count"]!));
    }

    /// <summary>Sends no more, and completes once every request is answered.</summary>
    public async Task StopTrafficAsync()
    {
        await _enough.CancelAsync();
        await _traffic;
    }

    public async ValueTask DisposeAsync()
    {
        await StopTrafficAsync();
        while (_running.TryPop(out var one)) await one.DisposeAsync();
        _http.Dispose();
        _enough.Dispose();
        _log.Dispose();
    }

    /// <summary>A replica beside those that take the traffic; it ends with them.</summary>
    public async Task<DemoService> AddAsync(params KeyValuePair<string, string?>[] settings)
    {
        var replica = await BesideAsync(Database, settings);
        _running.Push(replica);
        return replica;
    }

    /// <summary>The same; it ends when it is disposed of.</summary>
    public Task<DemoService> BesideAsync(TicketingDatabase database, params KeyValuePair<string, string?>[] settings) =>
        DemoService.StartAsync(0, database, _secrets, new([]), _log, Cancellation, [.. Settings, .. settings]);

    private async Task BeginAsync(PlantedFaults faults, KeyValuePair<string, string?>[] settings, int replicas, double rate)
    {
        var clock = TimeProvider.System;
        var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        _running.Push(postgres);
        var database = await postgres.CreateAsync("ticketing", Cancellation);
        await Seeder.SeedAsync(database, 2_000, Cancellation);
        var population = await Population.ReadAsync(database.Owner, Cancellation);
        (_database, _population, _lastWay) = (database, population, new(database.Evidence));
        _running.Push(_lastWay);
        for (var number = 1; number <= replicas; number++)
        {
            var replica = await DemoService.StartAsync(
                0, number == replicas ? database with { Evidence = _lastWay.ConnectionString } : database, _secrets, faults, _log, Cancellation,
                [new("Shadowing:Replica", $"replica {number}"), .. Settings, .. settings]);
            _running.Push(replica);
            _addresses.Add(replica.Address);
        }

        await Eventually.HoldsAsync("every replica shadows", async () => (await GetAllAsync("status")).All(status => (bool)status["enabled"]!));
        faults.Arm();
        var driver = new TrafficDriver(_addresses, population, new(_secrets.SigningKey, clock), new() { Rate = rate }, clock);
        _traffic = DriveAsync();

        async Task DriveAsync()
        {
            using (driver) await driver.RunAsync(_enough.Token);
        }
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, int replica, string path, JsonNode? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(_addresses[replica], "/shadow/v1/" + path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _secrets.OperatorToken);
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await _http.SendAsync(request, Cancellation);
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
    }
}
