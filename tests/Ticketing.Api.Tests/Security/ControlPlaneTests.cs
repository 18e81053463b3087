using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Shadowing.AspNetCore.Operators;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Security;

/// <summary>Operators reach the service when it matters, and noise neither shuts them out nor hides what was done.</summary>
public sealed class ControlPlaneTests(PostgresFixture postgres)
{
    private const int Connections = 10;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_that_are_held_open_on_the_users_listener_shut_out_no_operator()
    {
        var port = FreePort();
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("door", Cancellation),
            services => services.PostConfigure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxConcurrentConnections = Connections),
            warm: false, onePort: false, ("OperatorPort", $"{port}"));
        var users = service.Http.BaseAddress!;
        List<Socket> idle = [];
        try
        {
            for (var held = 0; held < Connections; held++)
            {
                idle.Add(new(SocketType.Stream, ProtocolType.Tcp));
                await idle[^1].ConnectAsync("127.0.0.1", users.Port, Cancellation);
            }

            using var http = new HttpClient();
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync(new Uri(users, "/health/live"), Cancellation));
            var door = new Uri($"http://127.0.0.1:{port}");
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(door, "/health/live"), Cancellation)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(door, "/metrics"), Cancellation)).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(door, "/api/tickets/1"), Cancellation)).StatusCode);
            http.DefaultRequestHeaders.Authorization = new("Bearer", ShadowedService.ViewerToken);
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(door, "/shadow/v1/status"), Cancellation)).StatusCode);
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }

        await Until.HoldsAsync(async () =>
        {
            try
            {
                return (await service.Http.GetAsync("/shadow/v1/status", Cancellation)).StatusCode is HttpStatusCode.NotFound;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task Behind_a_known_proxy_limits_are_per_client_and_a_forged_header_changes_nothing()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("proxied", Cancellation), warm: false,
            settings: [("Proxies:Known:0", "127.0.0.0/8"), ("Operators:RequestsPerSecond", "1")]);
        Assert.True(await AllowedAsync(service, "203.0.113.1") <= 3);
        // Another client has a limit of its own; what a client writes before the proxy's own entry is not believed.
        Assert.InRange(await AllowedAsync(service, "203.0.113.2"), 1, 3);
        Assert.True(await AllowedAsync(service, "198.51.100.9, 203.0.113.2") <= 1);

        await using var direct = await ShadowedService.StartAsync(
            await postgres.CloneAsync("not_proxied", Cancellation), warm: false, settings: ("Operators:RequestsPerSecond", "1"));
        Assert.True(await AllowedAsync(direct, "203.0.113.1") + await AllowedAsync(direct, "203.0.113.2") + await AllowedAsync(direct, "203.0.113.3") <= 5);
    }

    [Fact]
    public async Task Unknown_tokens_are_limited_by_address_and_network_and_known_ones_never()
    {
        await using var replica = await Replica.StartAsync(await postgres.CloneAsync("junk", Cancellation), warm: false);
        var answers = new List<HttpStatusCode>();
        for (var request = 0; request < JunkTokens.MostOfAddress + 5; request++)
            answers.Add((await replica.SendAsync(HttpMethod.Post, "alerts", new JsonObject(), $"junk {request}")).Status);
        Assert.Equal(5, answers.Count(status => status is HttpStatusCode.TooManyRequests));
        var (known, _) = await replica.SendAsync(HttpMethod.Post, "alerts", new JsonObject
        {
            ["groupKey"] = "a group",
            ["alerts"] = new JsonArray(),
        }, Replica.WebhookToken);
        Assert.Equal(HttpStatusCode.OK, known);
        Assert.Single(replica.Service.Logs.GetSnapshot(), log => log.Message.Contains("unknown tokens", StringComparison.Ordinal));
    }

    [Fact]
    public void A_network_is_limited_beyond_its_addresses_and_a_new_period_begins_anew()
    {
        var clock = new FakeTimeProvider();
        var junk = new JunkTokens(clock, NullLogger<JunkTokens>.Instance);
        var refused = Enumerable.Range(0, 200).Count(host => junk.IsTooMany(IPAddress.Parse($"203.0.113.{host}")));
        Assert.Equal(200 - JunkTokens.MostOfNetwork, refused);
        Assert.False(junk.IsTooMany(IPAddress.Parse("198.51.100.1")));
        Assert.Equal("2001:db8:0:1::/64", JunkTokens.NetworkOf(IPAddress.Parse("2001:db8:0:1:2:3:4:5")));
        clock.Advance(JunkTokens.Period);
        Assert.False(junk.IsTooMany(IPAddress.Parse("203.0.113.1")));
    }

    [Fact]
    public async Task Many_refusals_are_two_entries_and_the_audit_is_read_by_page_and_by_filter()
    {
        await using var replica = await Replica.StartAsync(await postgres.CloneAsync("audit_pages", Cancellation));
        for (var refused = 0; refused < 30; refused++)
            await replica.SendAsync(HttpMethod.Post, "rollback", new JsonObject { ["reason"] = "a test" }, ShadowedService.ViewerToken);
        var store = new AuditLog(replica.Service.Services.GetRequiredKeyedService<NpgsqlDataSource>("evidence"));
        for (var entry = 0; entry < 12; entry++) await store.AddAsync("an operator", "test.done", $"subject {entry % 2}", "a test", Cancellation);
        var refusals = (await replica.GetAsync("audit?action=access.refused"))["entries"]!.AsArray();
        Assert.Equal(2, refusals.Count);
        Assert.Contains("POST, 29 more since", (string?)refusals[0]!["detail"]!["text"], StringComparison.Ordinal);

        Assert.DoesNotContain((await replica.GetAsync("audit?refusals=false"))["entries"]!.AsArray(), entry => (string?)entry!["action"] == "access.refused");
        Assert.Equal(6, (await replica.GetAsync("audit?action=test.done&subject=subject%201"))["entries"]!.AsArray().Count);
        List<long> seen = [];
        for (long? before = long.MaxValue; before is { } next;)
        {
            var page = await replica.GetAsync($"audit?action=test.done&limit=5&before={next}");
            seen.AddRange(page["entries"]!.AsArray().Select(entry => (long)entry!["id"]!));
            before = (long?)page["next"];
        }

        Assert.Equal((12, 12), (seen.Count, seen.Distinct().Count()));
        Assert.Equal(seen.OrderDescending(), seen);
    }

    [Fact]
    public async Task Who_was_answered_by_the_candidate_is_looked_up_by_operators_alone_and_on_record()
    {
        await using var replica = await Replica.StartAsync(await postgres.CloneAsync("served_lookup", Cancellation));
        var service = replica.Service;
        var hash = service.Services.GetRequiredService<MismatchJournal>().HashOf(42);
        await using (var store = NpgsqlDataSource.Create(service.Database.Evidence))
        await using (var command = store.CreateCommand($"""
            insert into shadow.served (instance, number, at, operation, shape, user_hash, fingerprint)
            select gen_random_uuid(), n, now(), 'tickets.get', 'any', case n when 1 then '{hash}' else 'another' end, 'any' from generate_series(1, 3) n
            """))
            await command.ExecuteNonQueryAsync(Cancellation);
        Assert.Single((await replica.GetAsync("served?user=42")).AsArray());
        Assert.Empty((await replica.GetAsync("served?user=43")).AsArray());
        Assert.Equal(HttpStatusCode.Forbidden, (await replica.SendAsync(HttpMethod.Get, "served?user=42", null, ShadowedService.ViewerToken)).Status);
        var entries = (await replica.GetAsync("audit?action=served.lookup"))["entries"]!.AsArray();
        Assert.Equal(2, entries.Count);
        Assert.DoesNotContain("42", (string?)entries[1]!["detail"]!["text"], StringComparison.Ordinal);
    }

    private static async Task<int> AllowedAsync(ShadowedService service, string forwardedFor)
    {
        var allowed = 0;
        for (var request = 0; request < 6; request++)
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, "/shadow/v1/rollout");
            message.Headers.Authorization = new("Bearer", ShadowedService.ViewerToken);
            message.Headers.Add("X-Forwarded-For", forwardedFor);
            using var response = await service.Http.SendAsync(message, Cancellation);
            if (response.StatusCode is HttpStatusCode.OK) allowed++;
        }

        return allowed;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
