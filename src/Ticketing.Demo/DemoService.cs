using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shadowing.AspNetCore.Console.Signing;
using Shadowing.Supervision;
using Ticketing.Api;
using Ticketing.Api.Tickets;
using Ticketing.Demo.Database;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Screen;

namespace Ticketing.Demo;

/// <summary>
/// The service itself, in this process: the same composition as in production, with settings and perhaps faults of the demo's.
/// </summary>
internal sealed class DemoService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DemoService(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>A link to the console that signs in one person, once, as the demo's operator.</summary>
    public Uri ConsoleLink() =>
        new(Address, "/shadow" + _app.Services.GetRequiredService<ConsoleSignIn>().CreateLink(DemoSecrets.Operator));

    /// <summary>Whether anything runs in the shadow.</summary>
    public ShadowSwitch Switch => _app.Services.GetRequiredService<ShadowSwitch>();

    public static async Task<DemoService> StartAsync(
        int port, TicketingDatabase database, DemoSecrets secrets, PlantedFaults faults, DemoLog log, CancellationToken cancellationToken,
        params KeyValuePair<string, string?>[] settings)
    {
        var service = new DemoService(ApiHost.Build([], builder =>
        {
            builder.Configuration.AddInMemoryCollection(
            [
                .. secrets.Settings,
                new("urls", $"http://127.0.0.1:{port}"),
                new("ConnectionStrings:Served", database.Served),
                new("ConnectionStrings:Shadow", database.Shadow),
                new("ConnectionStrings:Sandbox", database.Sandbox),
                new("ConnectionStrings:Evidence", database.Evidence),
                new("Operators:RequestsPerSecond", "1000"),
                // Runs beside each other would plant a fault once more than the accounts of this program count.
                new("Shadowing:OverlapPercent", "0"),
                new("Stopping:ServeFor", "00:00:00"),
                .. settings,
            ]);
            builder.Logging.ClearProviders().AddProvider(log);
            builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
            if (!faults.IsEmpty) Plant(builder.Services, faults);
        }));
        try
        {
            await service._app.StartAsync(cancellationToken);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    /// <summary>Wraps the candidate that is registered.</summary>
    private static void Plant(IServiceCollection services, PlantedFaults faults)
    {
        var registered = services.Last(service => service.ServiceType == typeof(CandidateStore));
        services.Remove(registered);
        services.AddSingleton<CandidateStore>(provider =>
        {
            var candidate = (CandidateStore)(registered.ImplementationInstance ?? registered.ImplementationFactory!(provider));
            return session => new FaultyTicketStore(candidate(session), session, faults);
        });
    }

    /// <summary>The demo decides when the service stops: after the traffic, not with the signal.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
