using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using EndToEnd.Tests.Live;
using EndToEnd.Tests.Rolling;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Browser;

/// <summary>
/// Three replicas as processes behind a real proxy that sends each request to the next one. They share the stage's database, so that its
/// traffic proves shapes for them too.
/// </summary>
public sealed class ProxiedConsole(ConsoleStage stage) : IAsyncLifetime
{
    private readonly List<ReplicaProcess> _replicas = [];
    private readonly HttpClient _http = new();
    private HaProxy? _proxy;

    internal IReadOnlyList<ReplicaProcess> Replicas => _replicas;

    internal HaProxy Proxy => _proxy!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var port = PrivatePostgres.FreePort();
        _replicas.AddRange(Enumerable.Range(1, 3).Select(number => new ReplicaProcess(
            number, port, stage.Service.Database, stage.Service.Secrets, "00:00:00", WatchedService.Settings)));
        await Task.WhenAll(_replicas.Select(replica => replica.StartAsync()));
        _proxy = await HaProxy.StartAsync(_replicas, hidesEnds: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null) await _proxy.DisposeAsync();
        foreach (var replica in _replicas) await replica.DisposeAsync();
        _http.Dispose();
    }

    internal Uri At(string path) => new(Proxy.Address, path);

    /// <summary>The share of users that each replica gives to the candidate, by its own API.</summary>
    internal Task<double[]> SharesAsync(string operation) => Task.WhenAll(_replicas.Select(async replica =>
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{replica.Authority}/shadow/v1/rollout/{operation}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", stage.Service.Secrets.ViewerToken);
        using var response = await _http.SendAsync(request, Cancellation);
        return (double)JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["effectiveServePercent"]!;
    }));

    /// <summary>The replica that an open page is connected to: the only one with a request that is not answered to its end.</summary>
    internal async Task<ReplicaProcess> StreamingAsync()
    {
        ReplicaProcess? streaming = null;
        await Eventually.HoldsAsync("the page's stream is the only open request", async () =>
        {
            var open = new List<ReplicaProcess>();
            foreach (var replica in _replicas)
            {
                for (var request = (await Proxy.ServerAsync(replica.Name)).Open; request > 0; request--) open.Add(replica);
            }

            streaming = open.Count == 1 ? open[0] : null;
            return streaming is not null;
        });
        return streaming!;
    }
}
