using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ticketing.Api;
using Ticketing.Api.Tickets;
using Ticketing.Demo;
using Ticketing.Demo.Database;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Screen;

namespace Soak;

/// <summary>The service as in production, but for what would shed load: here the lane is to compare everything.</summary>
internal static class SoakService
{
    public static async Task<WebApplication> StartAsync(
        TicketingDatabase database, PlantedFaults planted, RaceOnlyFault race, DemoLog log, CancellationToken cancellationToken)
    {
        var app = ApiHost.Build([], builder =>
        {
            builder.Configuration.AddInMemoryCollection(
            [
                .. DemoSecrets.Draw().Settings,
                new("urls", "http://127.0.0.1:0"),
                new("ConnectionStrings:Served", database.Served),
                // An overloaded machine may take long to open a connection: that is no reason to shed anything here.
                new("ConnectionStrings:Shadow", database.Shadow + ";Timeout=60"),
                new("ConnectionStrings:Sandbox", database.Sandbox + ";Timeout=60"),
                new("Shadowing:Breaker:MinimumThroughput", "10000"),
                new("ConnectionStrings:Evidence", database.Evidence),
                new("Stopping:ServeFor", "00:00:00"),
                new("Shadowing:QueueCapacity", "4096"),
                new("Shadowing:DatabaseTimeBudget", "16"),
                new("Shadowing:Workers", "4"),
                new("Shadowing:YieldAfter", "00:00:10"),
                new("Shadowing:FloorInterval", "00:00:00.001"),
                new("Shadowing:ConfirmationsPerSecond", "10000"),
                new("Shadowing:ShadowTimeout", "00:00:30"),
                new("Shadowing:DrainTimeout", "00:00:30"),
                // Who is asked again is asked to confirm a difference; but for the self-test's one control in ten seconds, that tells them apart.
                new("Shadowing:LatencyPairPercent", "0"), new("Shadowing:OverlapPercent", "0"),
            ]);
            builder.Logging.ClearProviders().AddProvider(log);
            var control = (ControlStore)builder.Services.Last(service => service.ServiceType == typeof(ControlStore)).ImplementationInstance!;
            builder.Services.AddSingleton<ControlStore>(session => new WatchedControl(control(session), planted));
            var candidate = builder.Services.Last(service => service.ServiceType == typeof(CandidateStore)).ImplementationFactory!;
            builder.Services.AddSingleton<CandidateStore>(provider =>
            {
                var right = (CandidateStore)candidate(provider);
                return session => new RaceOnlyStore(new FaultyTicketStore(right(session), session, planted), race);
            });
        });
        await app.StartAsync(cancellationToken);
        return app;
    }
}
