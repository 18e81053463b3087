using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Ticketing.Api.Tests.Http;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Stopping;

/// <summary>Real processes under real signals: what those meet who still come to a service that was told to stop.</summary>
public sealed class StoppingTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_sigterm_it_is_not_ready_yet_serves_and_shadows_on_and_each_answer_closes_its_connection()
    {
        await using var process = await StartAsync("serves_on", serveFor: "00:05:00");
        using var http = Client(process);
        Assert.Null((await http.GetAsync("/api/tickets/1", Cancellation)).Headers.ConnectionClose);

        await process.SignalAsync("TERM");
        await UnreadyAsync(http);

        await AnsweredAsync(HttpStatusCode.OK, () => http.GetAsync("/health/live", Cancellation));
        await AnsweredAsync(HttpStatusCode.ServiceUnavailable, () => http.GetAsync("/health/ready", Cancellation));
        await AnsweredAsync(HttpStatusCode.NotFound, () => http.GetAsync("/api/tickets/2147000000", Cancellation));
        var refused = new { subject = "" };
        await AnsweredAsync(HttpStatusCode.BadRequest, () => http.PostAsJsonAsync("/api/tickets", refused, Cancellation));
        var ticket = new { subject = "Still here", description = "Written while the service stops." };
        // Only one was asked for before: the second match is of a request that came after the signal.
        await Until.HoldsAsync(async () =>
        {
            await AnsweredAsync(HttpStatusCode.OK, () => http.GetAsync("/api/tickets/2", Cancellation));
            await AnsweredAsync(HttpStatusCode.Created, () => http.PostAsJsonAsync("/api/tickets", ticket, Cancellation));
            return await MatchesAsync(process, "tickets.get") > 1 && await MatchesAsync(process, "tickets.create") > 0;
        });

        await process.TerminateAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM", Traits = ["form", "long"])]
    public async Task A_second_signal_ends_the_time_at_once(string signal)
    {
        await using var process = await StartAsync("hurried_" + signal.ToLowerInvariant(), serveFor: "00:05:00");
        using var http = Client(process);
        await process.SignalAsync("TERM");
        await UnreadyAsync(http);

        await process.SignalAsync(signal);
        await process.ExitedAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Once_the_time_is_over_the_listener_closes_and_what_is_in_flight_is_finished()
    {
        var serveFor = TimeSpan.FromSeconds(1);
        await using var process = await StartAsync("finishes", $"{serveFor}");
        using var http = Client(process);
        await using var owner = new NpgsqlConnection(process.Database.Owner);
        await owner.OpenAsync(Cancellation);
        await using var holding = await owner.BeginTransactionAsync(Cancellation);
        await using var hold = new NpgsqlCommand("select from support_tickets where id = 5 for update", owner);
        await hold.ExecuteNonQueryAsync(Cancellation);
        await using var idle = await KeptAliveAsync(process.Address);
        var inFlight = http.PatchAsJsonAsync("/api/tickets/5", new { priority = "low" }, Cancellation);
        await Waiting.UntilItHoldsSomebodyUpAsync(owner);

        var told = Stopwatch.GetTimestamp();
        await process.SignalAsync("TERM");
        await Until.HoldsAsync(async () => !await ListensAsync(process.Address));

        Assert.True(Stopwatch.GetElapsedTime(told) >= serveFor);
        Assert.Equal(0, await idle.ReadAsync(new byte[1], Cancellation));
        Assert.False(inFlight.IsCompleted);
        await holding.RollbackAsync(Cancellation);
        Assert.Equal(HttpStatusCode.OK, (await inFlight).StatusCode);
        await process.ExitedAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task The_host_gives_the_drain_its_full_time_after_the_time_of_serving()
    {
        var (without, with) = (await ShutdownTimeoutAsync("00:00:00"), await ShutdownTimeoutAsync("00:00:30"));
        Assert.Equal(TimeSpan.FromSeconds(20), without);
        Assert.Equal(TimeSpan.FromSeconds(50), with);

        async Task<TimeSpan> ShutdownTimeoutAsync(string serveFor)
        {
            await using var app = TicketingService.Build(builder =>
            {
                builder.Configuration["ConnectionStrings:Served"] = postgres.Template.Served;
                builder.Configuration["Stopping:ServeFor"] = serveFor;
            });
            await app.StartAsync(Cancellation);
            return app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout;
        }
    }

    private async Task<ServiceProcess> StartAsync(string name, string serveFor) =>
        await ServiceProcess.StartAsync(await postgres.CloneAsync("stopping_" + name, Cancellation), ("Stopping:ServeFor", serveFor));

    private static HttpClient Client(ServiceProcess process) => new()
    {
        BaseAddress = process.Address,
        DefaultRequestHeaders = { Authorization = new("Bearer", AccessTokens.For(ShadowedService.Staff)) },
    };

    private static Task UnreadyAsync(HttpClient http) => Until.HoldsAsync(
        async () => (await http.GetAsync("/health/ready", Cancellation)).StatusCode == HttpStatusCode.ServiceUnavailable);

    private static async Task AnsweredAsync(HttpStatusCode expected, Func<Task<HttpResponseMessage>> ask)
    {
        using var response = await ask();
        Assert.Equal((expected, true), (response.StatusCode, response.Headers.ConnectionClose));
    }

    private static async Task<int> MatchesAsync(ServiceProcess process, string operation)
    {
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = new("Bearer", ShadowedService.ViewerToken) } };
        var status = (await http.GetFromJsonAsync<JsonNode>(new Uri(process.Address, "/shadow/v1/status"), Cancellation))!;
        return (int)status["operations"]!.AsArray().Single(one => (string?)one!["operation"] == operation)!["comparisons"]!["match"]!;
    }

    /// <summary>A connection that has been answered once and is to be used again.</summary>
    private static async Task<NetworkStream> KeptAliveAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port, Cancellation);
        var stream = new NetworkStream(socket, ownsSocket: true);
        await stream.WriteAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), Cancellation);
        var answer = new StringBuilder();
        var buffer = new byte[1024];
        // The body is chunked; this is its end.
        while (!answer.ToString().EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, Cancellation);
            Assert.NotEqual(0, count);
            answer.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return stream;
    }

    private static async Task<bool> ListensAsync(Uri address)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, Cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
