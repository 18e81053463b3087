using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Shadowing.Orders.Tests;

/// <summary>The orders service as a process, built from the packages.</summary>
internal sealed class OrdersService : IAsyncDisposable
{
    private const string Token = "an operator's token";

    /// <summary>Rates at which five clean cases prove a shape.</summary>
    private static readonly (string, string)[] Easy =
    [
        ("FirstEpsilon", "0.9"), ("ServeEpsilon", "0.9"), ("WrongAnswers", "0.9"), ("ShapeEpsilon", "0.9"), ("UnprovenLimit", "1"),
        ("StageDwell", "00:00:00"), ("SoakBeforeFull", "00:00:00"), ("SoakBeforeComplete", "00:00:00"), ("BusinessDays", "0"),
        ("BusyHourCases", "0"), ("LatencyMustPass", "false"), ("StatementEpsilon", "0.9"), ("UncleanExitHold", "00:00:00"), ("UserShare", "1"),
        ("Alpha", "0.5"), ("DoubtLimit", "1"),
    ];

    private readonly Process _process;
    private readonly StringBuilder _log;

    private OrdersService(Process process, StringBuilder log, Uri address)
    {
        (_process, _log) = (process, log);
        Http = new() { BaseAddress = address };
    }

    public HttpClient Http { get; }

    public string Log
    {
        get { lock (_log) return _log.ToString(); }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts it and waits until its shadow runs.</summary>
    public static async Task<OrdersService> StartAsync(OrdersFixture orders, bool keepsEvidence = true, string wiring = "", bool writes = false, string environment = "Development")
    {
        var (served, shadow, evidence) = (
            await orders.ConnectionAsync("orders_served"), await orders.ConnectionAsync("orders_shadow"),
            await orders.ConnectionAsync("orders_evidence"));
        var start = new ProcessStartInfo("dotnet", [orders.Program]) { RedirectStandardOutput = true, WorkingDirectory = Path.GetDirectoryName(orders.Program) };
        foreach (var (name, value) in Settings()) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var (log, listening) = (new StringBuilder(), new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously));
        process.OutputDataReceived += (_, line) =>
        {
            lock (log) log.AppendLine(line.Data);
            if (line.Data is null) listening.TrySetException(new InvalidOperationException($"It did not start: {log}"));
            else if (line.Data.IndexOf("listening on: ", StringComparison.Ordinal) is var at and >= 0)
                listening.TrySetResult(new(line.Data[(at + "listening on: ".Length)..].Trim()));
        };
        process.BeginOutputReadLine();
        try
        {
            var service = new OrdersService(process, log, await listening.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancellation));
            await service.UntilAsync(async () => (bool)(await service.StatusAsync())["enabled"]!);
            return service;
        }
        catch
        {
            process.Kill();
            throw;
        }

        IEnumerable<(string, string)> Settings()
        {
            yield return ("ASPNETCORE_URLS", "http://127.0.0.1:0");
            yield return ("DOTNET_ENVIRONMENT", environment);
            yield return ("ConnectionStrings__Orders", served);
            yield return ("ConnectionStrings__Shadow", shadow);
            if (keepsEvidence) yield return ("ConnectionStrings__Evidence", evidence);
            yield return ("Shadowing__FirstStage", "shadow");
            // On a busy machine a run may take long, which is not what is tested here.
            yield return ("Shadowing__ShadowTimeout", "00:00:30");
            yield return ("Shadowing__SnapshotWait", "00:00:01");
            yield return ("Shadowing__Breaker__MinimumThroughput", "10000");
            yield return ("Shadowing__QueueCapacity", "65536");
            yield return ("Shadowing__YieldAfter", "00:00:10");
            yield return ("Shadowing__DatabaseTimeBudget", "16");
            yield return ("Shadowing__ConfirmationsPerSecond", "10000");
            yield return ("Operators__Tokens__0__Name", "an operator");
            yield return ("Operators__Tokens__0__Role", "operator");
            yield return ("Operators__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Token))));
            yield return ("Operators__RequestsPerSecond", "100000");
            yield return ("Logging__LogLevel__Microsoft.AspNetCore", "Warning");
            yield return ("Logging__LogLevel__Microsoft.EntityFrameworkCore", "Warning");
            foreach (var (rule, value) in writes ? Easy : []) yield return ($"Shadowing__Gate__Policies__easy__{rule}", value);
            if (writes) yield return ("Shadowing__Gate__Policy", "easy");
            yield return ("Shadowing__ServingFloorPercent", "100");
            yield return ("Shadowing__TricklePercent", "100");
            yield return ("Shadowing__OverlapPercent", "0");
            yield return ("Wiring", wiring);
            yield return ("Writes", writes ? "true" : "false");
        }
    }

    public Task PlantAsync(string fault) => Http.PutAsync(new Uri($"/fault/{fault}", UriKind.Relative), null, Cancellation);

    public Task<JsonNode> ShadowAsync(string path) => ShadowAsync(HttpMethod.Get, path, null);

    /// <summary>
    /// Has the candidate answer all requests of an operation whose shapes are proven, once some are; of a service with writes, whose policy
    /// asks for little.
    /// </summary>
    /// <param name="ask">Sends a request of the operation, each time another.</param>
    public async Task ServeAsync(string operation, Func<int, Task> ask)
    {
        foreach (var change in new object[] { new { nominate = "this" }, new { stage = "full", force = true } })
        {
            var body = JsonSerializer.SerializeToNode(change)!;
            (body["generation"], body["reason"]) = ((long)(await ShadowAsync($"rollout/{operation}"))["generation"]!, "a test");
            await ShadowAsync(HttpMethod.Put, $"rollout/{operation}", body);
        }

        var asked = 0;
        await UntilAsync(async () =>
        {
            if (await ServedAsync(operation) > 0) return true;
            await ask(asked++);
            return false;
        });
    }

    /// <summary>The share of an operation's requests that the candidate answers now, in percent.</summary>
    public async Task<double> ServedAsync(string operation) =>
        (double)(await SettledAsync(operation))["effectiveServePercent"]!;

    /// <summary>A request of the operator's; without a body where that is null.</summary>
    public async Task<HttpResponseMessage> OperateAsync(HttpMethod method, string path, JsonNode? body)
    {
        using var request = new HttpRequestMessage(method, $"/shadow/v1/{path}") { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return await Http.SendAsync(request, Cancellation);
    }

    private async Task<JsonNode> ShadowAsync(HttpMethod method, string path, JsonNode? body)
    {
        using var response = await OperateAsync(method, path, body);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {await response.Content.ReadAsStringAsync(Cancellation)} {Log}");
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
    }

    public Task<JsonNode> StatusAsync() => ShadowAsync("status");

    /// <summary>The counts of an operation once nothing of it is waiting or running.</summary>
    public async Task<JsonNode> SettledAsync(string operation)
    {
        JsonNode? counts = null;
        await UntilAsync(async () =>
        {
            counts = (await StatusAsync())["operations"]!.AsArray().Single(one => (string?)one!["operation"] == operation)!;
            return ((long)counts["queued"]!, (long)counts["inFlight"]!) is (0, 0);
        });
        return counts!;
    }

    public async Task UntilAsync(Func<Task<bool>> holds)
    {
        var given = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(given) > TimeSpan.FromMinutes(2)) throw new TimeoutException(Log);
            await Task.Delay(50, Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}
