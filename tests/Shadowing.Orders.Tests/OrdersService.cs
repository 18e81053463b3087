using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Shadowing.Orders.Tests;

/// <summary>The orders service as a process, built from the packages.</summary>
internal sealed class OrdersService : IAsyncDisposable
{
    private const string Token = "a viewer's token";
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
    public static async Task<OrdersService> StartAsync(OrdersFixture orders, bool keepsEvidence = true, string wiring = "")
    {
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
            yield return ("DOTNET_ENVIRONMENT", "Development");
            yield return ("ConnectionStrings__Orders", orders.Connection("orders_served"));
            yield return ("ConnectionStrings__Shadow", orders.Connection("orders_shadow"));
            if (keepsEvidence) yield return ("ConnectionStrings__Evidence", orders.Connection("orders_evidence"));
            yield return ("Shadowing__FirstStage", "shadow");
            // On a busy machine a run may take long, which is not what is tested here.
            yield return ("Shadowing__ShadowTimeout", "00:00:30");
            yield return ("Shadowing__Breaker__MinimumThroughput", "10000");
            yield return ("Shadowing__QueueCapacity", "65536");
            yield return ("Shadowing__YieldAfter", "00:00:10");
            yield return ("Shadowing__DatabaseTimeBudget", "16");
            yield return ("Shadowing__ConfirmationsPerSecond", "10000");
            yield return ("Operators__Tokens__0__Name", "a viewer");
            yield return ("Operators__Tokens__0__Role", "viewer");
            yield return ("Operators__Tokens__0__Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Token))));
            yield return ("Logging__LogLevel__Microsoft.AspNetCore", "Warning");
            yield return ("Logging__LogLevel__Microsoft.EntityFrameworkCore", "Warning");
            yield return ("Wiring", wiring);
        }
    }

    public Task PlantAsync(string fault) => Http.PutAsync(new Uri($"/fault/{fault}", UriKind.Relative), null, Cancellation);

    public async Task<JsonNode> ShadowAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/shadow/v1/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using var response = await Http.SendAsync(request, Cancellation);
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
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
