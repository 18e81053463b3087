using Microsoft.Extensions.Options;
using Npgsql;
using Ticketing.Api.Tickets;
using Shadowing;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Postgres;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Sandbox;
using Shadowing.Rollout;
using Shadowing.Writing;
using Ticketing.Dapper;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Shadowing;

/// <summary>Puts both sides under the engine.</summary>
internal static class TicketShadowing
{
    public static void AddTicketShadowing(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddEfCoreTickets();
        services.AddSingleton<ControlStore>(session => new DapperTicketStore(session));
        services.AddSingleton<CandidateStore>(provider =>
        {
            var contexts = provider.GetRequiredService<Microsoft.EntityFrameworkCore.IDbContextFactory<TicketingContext>>();
            return session => new EfTicketStore(contexts, session);
        });

        services.AddOptions<GateOptions>().BindReadable(GateOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<GateOptions>, GateOptionsValidation>();
        services.AddSingleton<GatePolicies>();
        services.AddSingleton(new ApplicationSection("Gate", typeof(GateSection)));

        // Hosted services stop in reverse: these after the lane has drained.
        services.AddSingleton(provider => new EvidenceStore(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton(provider => new MismatchStore(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton(provider => new AuditLog(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton<IncarnationRecord>();
        services.AddHostedService(provider => provider.GetRequiredService<IncarnationRecord>());
        services.AddHostedService<MismatchKeeper>();
        services.AddHostedService<EvidenceKeeper>();
        services.AddSingleton(provider => new RolloutStore(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence),
            Stage.TryParse(provider.GetRequiredService<SettingsInForce>().Current.FirstStage, out var first) ? first : Stage.Off));
        services.AddSingleton(provider => new ReplicaRegister(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton(provider => new ServedStore(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton<PendingRollbacks>();
        services.AddHostedService<ServedKeeper>();
        services.AddHostedService<RolloutKeeper>();
        services.AddHostedService<RolloutListener>();
        services.AddSingleton(provider => new SweepStore(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton(provider => new TicketSweeps(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow)));
        services.AddHostedService<SweepKeeper>();

        services.AddSingleton(new ShadowedCode(Fingerprints.Current.Candidate, Fingerprints.Current.Control));
        services.AddShadowing<ITicketStore>(configuration.GetSection(ShadowingOptions.Section), TicketExperiments.All);
        services.AddShadowDatabases();
        services.AddSingleton<CategorizeError>(PostgresErrors.Categorize);
        services.AddSingleton(OpenStore);
        services.AddSingleton<OpenSnapshot<ITicketStore>>(OpenSnapshot);
        services.AddSingleton(provider => new WriteSandbox(Databases.Sandbox(provider), TicketSandbox.Tables));
        services.AddSingleton(Writes);
        services.AddSingleton<Findings>();
        services.AddSingleton<SetupWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<SetupWatch>());
        services.AddHostedService<WarmUp>();
        services.AddHostedService(provider => new HorizonKeeper(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow),
            provider.GetRequiredService<SnapshotHorizon>(),
            provider.GetRequiredService<Keepers>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddScoped<ITicketStore, ShadowedTicketStore>();
    }

    private static OpenStore<ITicketStore> OpenStore(IServiceProvider provider)
    {
        var served = provider.GetRequiredKeyedService<ConnectionPools>(ServedDatabase.Key);
        var shadow = provider.GetRequiredKeyedService<ConnectionPools>(Databases.Shadow);
        var over = StoreOver(provider);
        return async (side, position, writes, cancellationToken) =>
        {
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
            served.OpenAsync,
            provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.Ending),
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow),
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
            TicketExperiments.RowVersions,
            TicketExperiments.AnyVersions);
        return confirmer.OpenAsync;
    }
}
