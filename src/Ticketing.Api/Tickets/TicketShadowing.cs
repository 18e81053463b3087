using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shadowing.AspNetCore.Hosting;
using Shadowing.AspNetCore.Telemetry;
using Shadowing.EntityFrameworkCore;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Hosting;
using Shadowing.Postgres.Sandbox;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Snapshots;
using Shadowing.Settings;
using Shadowing.Sweeping;
using Shadowing.Writing;
using Ticketing.Api.Problems;
using Ticketing.Dapper;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tickets;

/// <summary>Puts both sides under the engine.</summary>
internal static class TicketShadowing
{
    public static void AddTicketShadowing(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddEfCoreTickets();
        services.AddSingleton<ControlStore>(session => new DapperTicketStore(session));
        services.AddSingleton<CandidateStore>(provider =>
        {
            var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
            return session => new EfTicketStore(contexts, session);
        });

        services.AddSingleton(Fingerprints.Current.Code);
        services.AddSingleton<DescribeFailure>(static failure => ExceptionProblems.RefusalOf(failure) is var refusal
            ? $"{refusal.Status} {refusal.Code}" : null);
        services.AddSingleton<CheckSetup>(CheckModel);
        services.AddSingleton<IReadOnlyList<Sweep<ITicketStore>>>(provider =>
            new TicketSweeps(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow)).All);
        services.AddSingleton(provider => TicketWarmUp.Plan(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(OpenStore);
        services.AddSingleton<OpenSnapshot<ITicketStore>>(OpenSnapshot);
        services.AddSingleton(Writes);

        services.AddShadowingPostgres<ITicketStore>(
            new("ticketing", ["users", "support_tickets", "ticket_comments"], TicketSandbox.Tables, Fingerprints.Current.On));
        services.AddShadowing<ITicketStore>(configuration.GetSection(ShadowingOptions.Section), TicketExperiments.All);
        services.AddShadowingEndpoints<ITicketStore>(configuration);
        services.AddShadowingTelemetry(configuration, "shadow-ticketing", Fingerprints.Current.Code);
        services.AddScoped<ITicketStore, ShadowedTicketStore>();
    }

    /// <summary>A model that is not what the tables are: what the first migration failed of.</summary>
    private static CheckSetup CheckModel(IServiceProvider provider)
    {
        var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
        return async (connection, cancellationToken) =>
        [
            .. from found in await ModelCheck.CompareAsync(contexts, connection, cancellationToken)
               select new SetupDisagreement(found.Object, found.Finding, found.Breaks),
        ];
    }

    private static OpenStore<ITicketStore> OpenStore(IServiceProvider provider)
    {
        var served = provider.GetRequiredKeyedService<ConnectionPools>(ServedDatabase.Key);
        var shadow = provider.GetRequiredKeyedService<ConnectionPools>(Databases.Shadow);
        var over = StoreOver(provider);
        return async (place, cancellationToken) =>
        {
            var (side, position, writes, _) = place;
            var pools = position == Position.Served ? served : shadow;
            if (writes)
            {
                var unprepared = await TicketSession.OpenAsync(pools.Unprepared, cancellationToken);
                return new(() => over(side, unprepared), unprepared);
            }

            var session = TicketSession.Owning(await pools.OpenAsync(cancellationToken));
            return new(() => new PlanSafeStore(over(side, session), pools, another => over(side, another)), session);
        };
    }

    private static IWriteStage<ITicketStore> Writes(IServiceProvider provider)
    {
        var served = provider.GetRequiredKeyedService<ConnectionPools>(ServedDatabase.Key);
        var over = StoreOver(provider);
        var maxRows = provider.GetRequiredService<SettingsInForce>().Current.MaxImageRows;
        return new WriteStage<ITicketStore>(
            new(
                served.OpenAsync,
                provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.Ending),
                provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow)),
            provider.GetRequiredService<WriteSandbox>(),
            (side, connection, transaction) =>
                new PlanSafeStore(over(side, TicketSession.Within(connection, transaction)), served, another => over(side, another)),
            TicketFootprints.Upto(maxRows),
            maxRows,
            provider.GetRequiredService<TimeProvider>());
    }

    private static Func<Side, TicketSession, ITicketStore> StoreOver(IServiceProvider provider)
    {
        var (control, candidate) = (provider.GetRequiredService<ControlStore>(), provider.GetRequiredService<CandidateStore>());
        return (side, session) => side == Side.Control ? control(session) : candidate(session);
    }

    private static OpenSnapshot<ITicketStore> OpenSnapshot(IServiceProvider provider)
    {
        var over = StoreOver(provider);
        var confirmer = new OneSnapshotConfirmer<ITicketStore>(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow),
            provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.View),
            (side, connection, transaction) => over(side, TicketSession.Within(connection, transaction)),
            static () => TicketExperiments.RowVersions,
            static () => TicketExperiments.AnyVersions);
        return confirmer.OpenAsync;
    }
}
