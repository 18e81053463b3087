using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Npgsql;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Serving;
using Ticketing.Api.Tests.Http;
using Ticketing.Api.Tickets;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The service with its shadow, on a real port over a real database; a test may put something between the engine and the candidate.</summary>
internal sealed class ShadowedService : IAsyncDisposable
{
    public const string ViewerToken = "a viewer's token";
    public const int Staff = 1;

    private readonly WebApplication _app;

    private ShadowedService(WebApplication app, TicketingDatabase database, HttpClient http) => (_app, Database, Http) = (app, database, http);

    public TicketingDatabase Database { get; }

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public FakeLogCollector Logs => _app.Services.GetFakeLogCollector();

    public static Dictionary<string, string?> Settings(TicketingDatabase database) => new()
    {
        ["ConnectionStrings:Served"] = database.Served,
        ["ConnectionStrings:Shadow"] = database.Shadow,
        ["ConnectionStrings:Sandbox"] = database.Sandbox,
        ["ConnectionStrings:Evidence"] = database.Evidence,
        ["Authentication:SigningKey"] = AccessTokens.SigningKey,
        ["Operators:RequestsPerSecond"] = "100000",
        ["Stopping:ServeFor"] = "00:00:00",
        // Drawn by chance: a test that wants runs beside each other asks for them.
        ["Shadowing:OverlapPercent"] = "0",
        ["Operators:Tokens:0:Name"] = "a viewer",
        ["Operators:Tokens:0:Role"] = "viewer",
        ["Operators:Tokens:0:Sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ViewerToken))),
    };

    /// <summary>Starts the service and, unless told not to, waits until the shadow runs.</summary>
    public static Task<ShadowedService> StartAsync(
        TicketingDatabase database, Func<ITicketStore, ITicketStore>? candidate = null, bool warm = true, params (string Name, string Value)[] settings) =>
        StartAsync(database, services => Decorate(services, candidate ?? (static store => store)), warm, settings);

    /// <summary>The same with services of the test's own in place of the service's.</summary>
    public static async Task<ShadowedService> StartAsync(
        TicketingDatabase database, Action<IServiceCollection> register, bool warm = true, params (string Name, string Value)[] settings) =>
        await StartAsync(database, register, warm, onePort: true, settings);

    /// <param name="onePort">False where operators have a listener of their own: the users' is the first.</param>
    public static async Task<ShadowedService> StartAsync(
        TicketingDatabase database, Action<IServiceCollection> register, bool warm, bool onePort, params (string Name, string Value)[] settings)
    {
        var app = ApiHost.Build([.. settings.Select(setting => $"--{setting.Name}={setting.Value}")], builder =>
        {
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            // Of the service's own only what exports: nobody reads the console of a test.
            foreach (var own in builder.Services.Where(service => service.ServiceType == typeof(ILoggerProvider) && service.ImplementationType is not null).ToArray())
                builder.Services.Remove(own);
            builder.Logging.AddFakeLogging();
            builder.Configuration.AddInMemoryCollection(Settings(database));
            builder.Configuration.AddCommandLine([.. settings.Select(setting => $"--{setting.Name}={setting.Value}")]);
            register(builder.Services);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        var service = new ShadowedService(app, database, new() { BaseAddress = new(onePort ? app.Urls.Single() : app.Urls.First()) });
        if (warm) await service.IsOnAsync();
        return service;
    }

    public Task IsOnAsync() => Until.HoldsAsync(async () => (await StatusAsync()).Enabled);

    public async Task<int> GetAsync(string path, int asUser = Staff)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = Bearer(AccessTokens.For(asUser)) } };
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    /// <summary>Asks as a viewer; the answer as it came.</summary>
    public async Task<string> AskAsync(string path, string accept = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = Bearer(ViewerToken) } };
        request.Headers.Accept.Add(new(accept));
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Sends a body as a user.</summary>
    public async Task<(int Status, JsonNode? Answer)> SendAsync(HttpMethod method, string path, object? body = null, int asUser = Staff)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = Bearer(AccessTokens.For(asUser)) } };
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public async Task<ShadowStatus> StatusAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/shadow/v1/status") { Headers = { Authorization = Bearer(ViewerToken) } };
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ShadowStatus>(TestContext.Current.CancellationToken))!;
    }

    public async Task<OperationStatus> StatusAsync(string operation) =>
        (await StatusAsync()).Operations.Single(status => status.Operation == operation);

    /// <summary>The operation's counts once nothing is queued or in flight; every request must then be somewhere.</summary>
    public async Task<OperationStatus> SettledAsync(string operation)
    {
        await Until.HoldsAsync(async () => await StatusAsync(operation) is { Queued: 0, InFlight: 0 });
        var status = await StatusAsync(operation);
        Assert.Equal(status.Requests, status.Comparisons.Values.Sum() + status.Skips.Values.Sum());
        return status;
    }

    /// <summary>Runs SQL as the tables' owner.</summary>
    public async Task AsOwnerAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.Owner);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Stops and disposes of everything, as the end of the process does.</summary>
    public async Task<TimeSpan> StopAsync()
    {
        var started = Stopwatch.GetTimestamp();
        await _app.StopAsync(TestContext.Current.CancellationToken);
        await _app.DisposeAsync();
        return Stopwatch.GetElapsedTime(started);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }

    private static AuthenticationHeaderValue Bearer(string token) => new("Bearer", token);

    /// <summary>Puts something around the candidate wherever it runs.</summary>
    public static void Decorate(IServiceCollection services, Func<ITicketStore, ITicketStore> candidate)
    {
        var registered = services.Last(service => service.ServiceType == typeof(CandidateStore)).ImplementationFactory!;
        services.AddSingleton<CandidateStore>(provider =>
        {
            var inner = (CandidateStore)registered(provider);
            return session => candidate(inner(session));
        });
    }
}

/// <summary>Waits for something to be seen.</summary>
internal static class Until
{
    /// <summary>The pause between two looks.</summary>
    public static async Task NextLookAsync()
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Looks until it holds. After three minutes the test fails with the condition's text.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string? text = null)
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (var start = Stopwatch.GetTimestamp(); !await condition();)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(3), $"Did not hold within three minutes: {text}");
            await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
