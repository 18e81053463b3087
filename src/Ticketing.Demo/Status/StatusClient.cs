using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ticketing.Demo.Status;

/// <summary>Reads the service's status over HTTP, as any operator's tool does.</summary>
internal sealed class StatusClient : IDisposable
{
    private readonly HttpClient[] _replicas;
    private readonly TimeProvider _clock;

    public StatusClient(IEnumerable<Uri> replicas, string viewerToken, TimeProvider clock)
    {
        _clock = clock;
        _replicas = [.. replicas.Select(address => new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(5) })];
        foreach (var replica in _replicas) replica.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", viewerToken);
    }

    /// <summary>The status of all replicas together; null where one of them did not answer.</summary>
    public async Task<JsonObject?> ReadAsync(CancellationToken cancellationToken)
    {
        var all = await Task.WhenAll(_replicas.Select(replica => ReadAsync(replica, cancellationToken)));
        return all.Contains(null) ? null : StatusSum.SumReplicas(all!);
    }

    private static async Task<JsonObject?> ReadAsync(HttpClient replica, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await replica.GetAsync("/shadow/v1/status", cancellationToken);
            if (!response.IsSuccessStatusCode) return null;
            return await JsonNode.ParseAsync(
                await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken) as JsonObject;
        }
        catch (Exception failure) when (
            failure is HttpRequestException or JsonException or IOException
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    public static StatusView? View(JsonObject? status) => status?.Deserialize<StatusView>(JsonSerializerOptions.Web);

    /// <summary>Reads the status until it is as wanted, at most for <paramref name="patience"/>.</summary>
    /// <returns>The last status that was read.</returns>
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

    /// <summary>Completes once every replica reports that it is ready.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), _clock);
        foreach (var replica in _replicas)
        {
            while (true)
            {
                using var response = await replica.GetAsync("/health/ready", cancellationToken);
                if (response.IsSuccessStatusCode) break;
                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
    }

    public void Dispose()
    {
        foreach (var replica in _replicas) replica.Dispose();
    }
}
