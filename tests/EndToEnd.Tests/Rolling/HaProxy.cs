using System.Diagnostics;
using System.Globalization;
using EndToEnd.Tests.Live;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Rolling;

/// <summary>What HAProxy knows of a replica.</summary>
/// <param name="Requests">How many it has sent there since it was started.</param>
/// <param name="Open">How many of them are not answered to their end.</param>
internal sealed record Server(bool IsUp, long Requests, long Open);

/// <summary>A real HAProxy that asks replicas whether they are ready.</summary>
internal sealed class HaProxy : IAsyncDisposable
{
    private const int Own = 100;
    private readonly string _work = Directory.CreateTempSubdirectory("haproxy").FullName;
    private readonly HttpClient _http = new();
    private readonly Uri _statistics = At(Own + 1);
    private Process? _process;

    public Uri Address { get; } = At(Own);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="hidesEnds">
    /// Whether a request that reached no replica, because its own has ended, goes to another one. If not, no failure is hidden: nothing is
    /// sent twice.
    /// </param>
    public static async Task<HaProxy> StartAsync(IReadOnlyList<ReplicaProcess> replicas, bool hidesEnds = false)
    {
        var proxy = new HaProxy();
        try
        {
            await proxy.RunAsync(replicas, hidesEnds);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public async Task<Server> ServerAsync(string name)
    {
        var lines = (await _http.GetStringAsync(new Uri(_statistics, "/;csv"), Cancellation)).Split('\n');
        var columns = lines[0].TrimStart('#', ' ').Split(',');
        var server = lines.Select(line => line.Split(',')).Single(line => line is ["replicas", var found, ..] && found == name);
        return new(Column("status") == "UP", Number("stot"), Number("scur"));

        long Number(string column) => long.Parse(Column(column), CultureInfo.InvariantCulture);

        string Column(string column) => server[Array.IndexOf(columns, column)];
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            if (!_process.HasExited) _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
        }

        _http.Dispose();
        Directory.Delete(_work, recursive: true);
    }

    private static Uri At(int host) => new($"http://127.0.0.{host}:{PrivatePostgres.FreePort()}");

    /// <remarks>
    /// A connection that a replica has left open is used again, even for a new client's first request, so that a replica which closes one
    /// without having said so fails a request. One failed check takes a replica out; an answer that comes late is no failure.
    /// </remarks>
    private string Configuration(IEnumerable<ReplicaProcess> replicas, bool hidesEnds) =>
        $"""
        defaults
            mode http
            {(hidesEnds ? "retries 3\n    option redispatch 1" : "retries 0")}
            http-reuse always
            timeout connect 5s
            timeout client 60s
            timeout server 60s
            timeout check 30s
        frontend users
            bind {Address.Authority}
            default_backend replicas
        backend replicas
            balance roundrobin
            option httpchk GET /health/ready
            http-check expect status 200
            default-server check inter 500ms fall 1 rise 1
            {string.Join("\n    ", replicas.Select(replica => $"server {replica.Name} {replica.Authority}"))}
        listen statistics
            bind {_statistics.Authority}
            stats enable
            stats uri /

        """;

    private async Task RunAsync(IReadOnlyList<ReplicaProcess> replicas, bool hidesEnds)
    {
        var file = $"{_work}/haproxy.cfg";
        await File.WriteAllTextAsync(file, Configuration(replicas, hidesEnds), Cancellation);
        _process = Process.Start(new ProcessStartInfo(Tool.Find("haproxy"), ["-db", "-f", file])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var said = _process.StandardError.ReadToEndAsync(CancellationToken.None);
        _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await Eventually.HoldsAsync("haproxy has every replica up", async () =>
        {
            if (_process.HasExited) Assert.Fail($"haproxy ended: {await said}");
            try
            {
                foreach (var replica in replicas)
                {
                    if (!(await ServerAsync(replica.Name)).IsUp) return false;
                }

                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
    }
}
