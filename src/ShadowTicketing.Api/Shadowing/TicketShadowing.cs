using Microsoft.Extensions.Options;
using Npgsql;
using ShadowTicketing.Api.Tickets;
using ShadowTicketing.Shadowing;
using ShadowTicketing.Shadowing.Journal;
using ShadowTicketing.Shadowing.Postgres;
using ShadowTicketing.Shadowing.Postgres.Connections;
using ShadowTicketing.Shadowing.Postgres.Sandbox;
using ShadowTicketing.Shadowing.Rollout;
using ShadowTicketing.Shadowing.Writing;
using ShadowTicketing.Tickets;
using ShadowTicketing.Tickets.Dapper;
using ShadowTicketing.Tickets.EfCore;

namespace ShadowTicketing.Api.Shadowing;

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

        services.AddOptions<GateOptions>().BindConfiguration(GateOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<GateOptions>, GateOptionsValidation>();
        services.AddSingleton<GatePolicies>();

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
            Stage.TryParse(provider.GetRequiredService<IOptions<ShadowingOptions>>().Value.FirstStage, out var first) ? first : Stage.Off));
        services.AddSingleton(provider => new ReplicaRegister(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton(provider => new ServedStore(provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence)));
        services.AddSingleton<PendingRollbacks>();
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
            provider.GetRequiredService<TimeProvider>()));
        services.AddScoped<ITicketStore, ShadowedTicketStore>();
    }

    private static OpenStore<ITicketStore> OpenStore(IServiceProvider provider)
    {
        var served = provider.GetRequiredKeyedService<ConnectionPools>(ServedDatabase.Key);
        var shadow = provider.GetRequiredKeyedService<ConnectionPools>(Databases.Shadow);
        var (control, candidate) = (provider.GetRequiredService<ControlStore>(), provider.GetRequiredService<CandidateStore>());
        return async (side, position, writes, cancellationToken) =>
        {
            var pools = position == Position.Served ? served : shadow;
            if (writes) return await UnpreparedAsync(cancellationToken);
            var session = TicketSession.Owning(await pools.OpenAsync(cancellationToken));
            return new(new RereadingStore(Over(session), UnpreparedAsync), session);

            ITicketStore Over(TicketSession on) => side == Side.Control ? control(on) : candidate(on);

            async ValueTask<StoreLease<ITicketStore>> UnpreparedAsync(CancellationToken token)
            {
                var unprepared = await TicketSession.OpenAsync(pools.Unprepared, token);
                return new(Over(unprepared), unprepared);
            }
        };
    }

    private static IWriteStage<ITicketStore> Writes(IServiceProvider provider)
    {
        var (control, candidate) = (provider.GetRequiredService<ControlStore>(), provider.GetRequiredService<CandidateStore>());
        var maxRows = provider.GetRequiredService<IOptions<ShadowingOptions>>().Value.MaxImageRows;
        return new WriteStage<ITicketStore>(
            provider.GetRequiredKeyedService<ConnectionPools>(ServedDatabase.Key).OpenAsync,
            provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.Ending),
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow),
            provider.GetRequiredService<WriteSandbox>(),
            (side, connection, transaction) => side == Side.Control
                ? control(TicketSession.Within(connection, transaction))
                : candidate(TicketSession.Within(connection, transaction)),
            TicketFootprints.Upto(maxRows),
            maxRows,
            provider.GetRequiredService<TimeProvider>());
    }

    private static OpenSnapshot<ITicketStore> OpenSnapshot(IServiceProvider provider)
    {
        var (control, candidate) = (provider.GetRequiredService<ControlStore>(), provider.GetRequiredService<CandidateStore>());
        var confirmer = new OneSnapshotConfirmer<ITicketStore>(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow),
            (side, connection, transaction) => side == Side.Control
                ? control(TicketSession.Within(connection, transaction))
                : candidate(TicketSession.Within(connection, transaction)),
            TicketExperiments.RowVersions,
            TicketExperiments.AnyVersions);
        return confirmer.OpenAsync;
    }
}
