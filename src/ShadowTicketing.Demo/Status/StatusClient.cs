using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ShadowTicketing.Demo.Status;

/// <summary>Asks the service what shadowing has found, over HTTP like anybody else.</summary>
internal sealed class StatusClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;

    public StatusClient(Uri baseAddress, string viewerToken, TimeProvider clock)
    {
        _clock = clock;
        _http = new() { BaseAddress = baseAddress, Timeout = TimeSpan.FromSeconds(5) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", viewerToken);
    }

    /// <summary>The status; null where the service did not give one.</summary>
    public async Task<JsonObject?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync("/shadow/v1/status", cancellationToken);
            if (!response.IsSuccessStatusCode) return null;
            return await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken) as JsonObject;
        }
        catch (Exception failure) when (
            failure is HttpRequestException or JsonException or IOException
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    public static StatusView? View(JsonObject? status) => status?.Deserialize<StatusView>(JsonSerializerOptions.Web);

    /// <summary>Asks until the status is as wanted, or for as long as <paramref name="patience"/> lasts.</summary>
    /// <returns>The last status there was.</returns>
    public async Task<JsonObject?> WhenAsync(Func<StatusView, bool> wanted, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), _clock);
        var started = _clock.GetTimestamp();
        while (true)
        {
            var status = await ReadAsync(cancellationToken);
            if ((View(status) is { } view && wanted(view)) || _clock.GetElapsedTime(started) > patience) return status;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Completes once the service calls itself ready.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), _clock);
        while (true)
        {
            using var response = await _http.GetAsync("/health/ready", cancellationToken);
            if (response.IsSuccessStatusCode) return;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    public void Dispose() => _http.Dispose();
}
