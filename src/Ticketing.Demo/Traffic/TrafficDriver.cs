using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Ticketing.Demo.Traffic;

/// <summary>How traffic is sent.</summary>
internal sealed record TrafficOptions
{
    /// <summary>The same seed and population plan the same requests in the same order.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>
    /// Requests a second on average, however long the answers take; null sends as fast as <see cref="Concurrency"/> allows.
    /// </summary>
    public double? Rate { get; init; }

    /// <summary>The most requests in flight; further ones wait.</summary>
    public int Concurrency { get; init; } = 64;

    /// <summary>Operations whose requests are sent; null for all. Requests of other operations are planned and left out.</summary>
    public IReadOnlySet<string>? Operations { get; init; }

    /// <summary>
    /// Whether each request has a connection of its own. A client that keeps connections silently repeats a request whose connection turns
    /// out to be closed, so failures would not be seen.
    /// </summary>
    public bool OneRequestPerConnection { get; init; }

    /// <summary>How many to send; null until the caller stops it.</summary>
    public int? Requests { get; init; }
}

/// <summary>Sends planned requests at a rate, without waiting for earlier answers, and checks the answers' statuses.</summary>
internal sealed class TrafficDriver(
    IReadOnlyList<Uri> replicas, Population population, AccessTokens tokens, TrafficOptions options, TimeProvider clock)
    : IDisposable
{
    /// <summary>An id that no sequence reaches.</summary>
    private const int NobodysTicket = 2_147_000_000;
    private static readonly TimeSpan MostArrears = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http = new();
    private readonly TrafficPlan _plan = new(population, options.Seed);
    private readonly Random _arrivals = new(options.Seed);
    private readonly ConcurrentQueue<int> _created = [];
    private int _turn;

    public TrafficTally Tally { get; } = new();

    /// <summary>
    /// Sends until the number is reached or <paramref name="stop"/> is cancelled, and completes once every request sent is answered.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var places = new SemaphoreSlim(options.Concurrency);
        try
        {
            var due = clock.GetUtcNow();
            for (var sent = 0; sent != options.Requests; sent++)
            {
                due = await PaceAsync(due, stop);
                await places.WaitAsync(stop);
                if (stop.IsCancellationRequested)
                {
                    // A place was free at the moment of stopping. No further request is sent.
                    places.Release();
                    break;
                }

                _ = SendAsync(Next(), places);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Requests in flight are not cancelled, because the service would count them as cancelled.
        }

        for (var place = 0; place < options.Concurrency; place++) await places.WaitAsync(CancellationToken.None);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The next planned request of the operations that are sent.</summary>
    private PlannedRequest Next()
    {
        PlannedRequest request;
        do request = _plan.Next();
        while (options.Operations?.Contains(request.Operation) is false);
        return request;
    }

    /// <summary>Waits for the next arrival. As in real traffic, the gaps are irregular: exponentially distributed.</summary>
    private async Task<DateTimeOffset> PaceAsync(DateTimeOffset due, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (options.Rate is not { } rate) return due;

        var next = due + TimeSpan.FromSeconds(-Math.Log(1 - _arrivals.NextDouble()) / rate);
        var now = clock.GetUtcNow();
        if (next > now) await Task.Delay(next - now, clock, stop);
        return next < now - MostArrears ? now - MostArrears : next;
    }

    private async Task SendAsync(PlannedRequest planned, SemaphoreSlim places)
    {
        try
        {
            using var request = Build(planned);
            Tally.Sent(planned);
            using var response = await _http.SendAsync(request);
            var body = await response.Content.ReadAsByteArrayAsync();
            if (!planned.Expected.Contains((int)response.StatusCode))
                Tally.Wrong(planned, ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
            else if (planned.Operation == "tickets.create")
                _created.Enqueue(IdIn(body));
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            Tally.Wrong(planned, "no answer");
        }
        finally
        {
            places.Release();
        }
    }

    private HttpRequestMessage Build(PlannedRequest planned)
    {
        var path = planned.Path;
        if (path.Contains(PlannedRequest.Created, StringComparison.Ordinal))
        {
            var id = _created.TryDequeue(out var created) ? created : NobodysTicket;
            path = path.Replace(PlannedRequest.Created, id.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }

        // The replicas in turn, as a load balancer would choose them.
        var replica = replicas[_turn++ % replicas.Count];
        return new(planned.Method, new Uri(replica, path))
        {
            Headers =
            {
                Authorization = new AuthenticationHeaderValue("Bearer", tokens.TokenFor(planned.By)),
                ConnectionClose = options.OneRequestPerConnection ? true : null,
            },
            Content = planned.Body is null ? null : new StringContent(planned.Body, Encoding.UTF8, "application/json"),
        };
    }

    private static int IdIn(byte[] ticket)
    {
        using var json = JsonDocument.Parse(ticket);
        return json.RootElement.GetProperty("id").GetInt32();
    }
}
