using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Hosting;
using Shadowing.Postgres.Connections;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>Faults that nobody may deploy without: users see nothing, and every request is counted where it belongs.</summary>
public sealed class FaultTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_candidate_that_hangs_and_ignores_cancellation_is_not_felt()
    {
        using var never = new ManualResetEventSlim();
        var hanging = 0;
        await using var service = await StartAsync("hangs", store => new TamperedStore(store)
        {
            OnGet = (_, next, _) =>
            {
                Interlocked.Increment(ref hanging);
                never.Wait(Cancellation);
                return next();
            },
        }, settings: [("Shadowing:ShadowTimeout", "00:00:01"), ("Shadowing:CancelGrace", "00:00:00.050")]);

        // The warm-up has hung as well, and been given up.
        Interlocked.Exchange(ref hanging, 0);
        for (var id = 1; id <= 30; id++) Assert.Equal(200, await service.GetAsync($"/api/tickets/{id}"));
        var get = await service.SettledAsync("tickets.get");
        // A slow machine may find no connection for a further one in time, which is incomparable too; but no more than two threads are lost.
        Assert.InRange(hanging, 1, 2);
        Assert.InRange(get.Comparisons["candidate_timeout"], 0, 2);
        Assert.NotEqual(0, get.Comparisons["candidate_timeout"] + get.Comparisons["incomparable"]);
        Assert.Equal(30, get.Comparisons.Values.Sum() + get.Skips["breaker_open"] + get.Skips["yielded"]);

        never.Set();
        Assert.Equal(200, await service.GetAsync("/api/tickets"));
        await Until.HoldsAsync(async () => await service.GetAsync("/api/tickets") == 200
            && (await service.StatusAsync("tickets.list")).Comparisons is var list && list["match"] + list["tolerated"] > 0);
    }

    [Fact]
    public async Task A_candidate_that_throws_is_counted_and_given_a_rest()
    {
        await using var service = await StartAsync("throws", store => new TamperedStore(store)
        {
            OnGet = (_, _, _) => throw new InvalidOperationException("a fault"),
        });
        for (var id = 1; id <= 40; id++) Assert.Equal(200, await service.GetAsync($"/api/tickets/{id}"));
        var get = await service.SettledAsync("tickets.get");
        Assert.InRange(get.Comparisons["candidate_error"], 5, 40);
        Assert.Equal(40, get.Comparisons["candidate_error"] + get.Skips["breaker_open"] + get.Skips["yielded"]);
        Assert.Equal("error", Assert.Single(get.Mismatches).Kind);
    }

    [Fact]
    public async Task A_candidate_that_floods_is_too_large_to_compare_and_never_a_match()
    {
        await using var service = await StartAsync("floods", store => new TamperedStore(store)
        {
            OnList = async (_, next, _) => await next() is { } page
                ? page with { Tickets = [.. Enumerable.Range(0, 300_000).Select(id => page.Tickets[0] with { Id = id })] } : null!,
        }, settings: [("Shadowing:MaxNodes", "1000")]);
        Assert.Equal(200, await service.GetAsync("/api/tickets?scope=all"));
        var list = await service.SettledAsync("tickets.list");
        Assert.Equal(1, list.Comparisons["incomparable"] + list.Comparisons["mismatch"]);
        Assert.Equal(0, list.Comparisons["match"] + list.Comparisons["tolerated"]);
    }

    [Fact]
    public async Task A_candidate_that_exhausts_its_pool_takes_nothing_from_users()
    {
        var hoarded = new List<NpgsqlConnection>();
        NpgsqlDataSource? shadow = null;
        await using var service = await StartAsync("hoards", store => new TamperedStore(store)
        {
            OnGet = async (_, next, token) =>
            {
                while (shadow is not null) hoarded.Add(await shadow.OpenConnectionAsync(token));
                return await next();
            },
        }, settings: [("Shadowing:ShadowTimeout", "00:00:00.300")]);
        shadow = service.Services.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow);

        for (var id = 1; id <= 20; id++) Assert.Equal(200, await service.GetAsync($"/api/tickets/{id}"));
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal(0, get.Comparisons["match"]);
        Assert.NotEqual(0, get.Comparisons["incomparable"] + get.Comparisons["candidate_timeout"]);

        shadow = null;
        foreach (var connection in hoarded) await connection.DisposeAsync();
        await Until.HoldsAsync(async () => await service.GetAsync("/api/tickets/1") == 200
            && (await service.StatusAsync("tickets.get")).Comparisons["match"] > 0);
    }

    [Fact]
    public async Task A_shadow_role_that_is_locked_out_is_no_word_about_the_candidate()
    {
        await using var service = await StartAsync("locked_out");
        await using (var inside = NpgsqlDataSource.Create(service.Database.Shadow + ";Pooling=false"))
        await using (var connection = await inside.OpenConnectionAsync(Cancellation))
        {
            await service.AsOwnerAsync($"""
                revoke connect on database {service.Database.Name} from public, ticketing_shadow;
                grant connect on database {service.Database.Name} to ticketing_served, ticketing_evidence;
                """);
            await using var lockOut = new NpgsqlCommand(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = current_user and pid <> pg_backend_pid()",
                connection);
            await lockOut.ExecuteNonQueryAsync(Cancellation);
        }

        for (var id = 1; id <= 20; id++) Assert.Equal(200, await service.GetAsync($"/api/tickets/{id}"));
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal(0, get.Comparisons["mismatch"] + get.Comparisons["candidate_error"] + get.Comparisons["candidate_timeout"]);
        Assert.NotEqual(0, get.Comparisons["incomparable"]);

        await service.AsOwnerAsync($"grant connect on database {service.Database.Name} to ticketing_shadow");
        await Until.HoldsAsync(async () => await service.GetAsync("/api/tickets/1") == 200
            && (await service.StatusAsync("tickets.get")).Comparisons["match"] > 0);
    }

    [Fact]
    public async Task A_telemetry_endpoint_that_hangs_delays_neither_requests_nor_the_stop()
    {
        using var hole = new TcpListener(IPAddress.Loopback, 0);
        hole.Start();
        await using var service = await StartAsync("otlp", settings:
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{((IPEndPoint)hole.LocalEndpoint).Port}"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ]);
        for (var id = 1; id <= 50; id++) Assert.Equal(200, await service.GetAsync($"/api/tickets/{id}"));
        Assert.NotEqual(0, (await service.SettledAsync("tickets.get")).Comparisons["match"]);
        Assert.InRange(await service.StopAsync(), TimeSpan.Zero, TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task Stopping_with_shadows_in_flight_drains_or_counts_them()
    {
        var started = new TaskCompletionSource();
        await using var service = await StartAsync("stops", store => new TamperedStore(store)
        {
            OnGet = async (_, next, token) =>
            {
                started.TrySetResult();
                var cancelled = new TaskCompletionSource();
                await using var registration = token.Register(cancelled.SetResult);
                await cancelled.Task;
                token.ThrowIfCancellationRequested();
                return await next();
            },
        }, settings: [("Shadowing:ShadowTimeout", "00:00:30"), ("Shadowing:DrainTimeout", "00:00:00.500")]);
        for (var id = 1; id <= 10; id++) Assert.Equal(200, await service.GetAsync($"/api/tickets/{id}"));
        await started.Task.WaitAsync(Cancellation);
        var report = service.Services.GetRequiredService<ShadowingReport>();

        Assert.InRange(await service.StopAsync(), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        var get = report.Operations().Single(operation => operation.Operation == "tickets.get");
        Assert.Equal((10, 0, 0), (get.Requests, get.Queued, get.InFlight));
        Assert.Equal(10, get.Skips["shutdown"] + get.Skips["yielded"]);
        Assert.NotEqual(0, get.Skips["shutdown"]);
    }

    [Fact]
    public async Task A_cold_start_under_traffic_answers_everybody_and_blames_nobody()
    {
        await using var service = await StartAsync("cold", warm: false);
        var answers = await Task.WhenAll(Enumerable.Range(1, 60).Select(id => service.GetAsync($"/api/tickets/{id}")));
        Assert.All(answers, status => Assert.Equal(200, status));
        await service.IsOnAsync();
        for (var id = 1; id <= 20; id++) Assert.Equal(200, await service.GetAsync($"/api/tickets/{id}"));
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal(80, get.Requests);
        Assert.Equal(80, get.Comparisons["match"] + get.Comparisons["tolerated"] + get.Skips.Values.Sum());
    }

    [Fact]
    public async Task Sigterm_under_load_exits_cleanly_within_the_grace_period()
    {
        var database = await postgres.CloneAsync("sigterm", Cancellation);
        await using var process = await ServiceProcess.StartAsync(database);
        using var http = new HttpClient { BaseAddress = process.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Http.AccessTokens.For(ShadowedService.Staff));
        for (var id = 1; id <= 30; id++) Assert.True((await http.GetAsync($"/api/tickets/{id}", Cancellation)).IsSuccessStatusCode);

        await process.TerminateAsync();
        Assert.Equal(0, process.ExitCode);

        await using var evidence = NpgsqlDataSource.Create(database.Evidence);
        await using var ask = evidence.CreateCommand("select count(*) from shadow.instance where stopped_at is not null");
        Assert.Equal(1L, await ask.ExecuteScalarAsync(Cancellation));
    }

    private async Task<ShadowedService> StartAsync(
        string name, Func<ITicketStore, ITicketStore>? candidate = null, bool warm = true, params (string Name, string Value)[] settings) =>
        await ShadowedService.StartAsync(await postgres.CloneAsync("fault_" + name, Cancellation), candidate, warm, settings);
}
