using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Doctor;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Sandbox;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;
using Shadowing.Postgres.Stores;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Hosting;

/// <summary>Registers what shadowing needs of PostgreSQL.</summary>
public static class ShadowingPostgres
{
    /// <summary>
    /// Adds the data sources of all positions, the stores of evidence, mismatches and the rollout with what keeps them, the sandbox, and
    /// the watch over roles and tables. Call it before <c>AddShadowing</c>: hosted services stop in reverse, and these must outlast the
    /// lane.
    /// The application registers its sweeps as <c>IReadOnlyList&lt;Sweep&lt;TStore&gt;&gt;</c>, and its checks as <see cref="CheckSetup"/>.
    /// </summary>
    public static IServiceCollection AddShadowingPostgres<TStore>(this IServiceCollection services, ShadowedDatabase database)
    {
        services.AddPositions(database);
        services.AddSingleton(provider => new WriteSandbox(Databases.Sandbox(provider), database.Sandbox));
        services.AddSingleton(provider => new SandboxProbe(
            database.Sandbox.Count == 0 ? null : provider.GetRequiredService<WriteSandbox>().CheckRoleAsync));
        services.AddStores<TStore>();
        services.AddSetupWatch();
        return services;
    }

    /// <summary>The data sources of all positions.</summary>
    internal static void AddPositions(this IServiceCollection services, ShadowedDatabase database)
    {
        services.AddSingleton(database);
        services.AddSingleton(new TableCatalogue(database));
        services.AddServedDatabase();
        services.AddShadowDatabases();
        services.AddSingleton<CategorizeError>(PostgresErrors.Categorize);
    }

    /// <summary>The stores of evidence, mismatches and the rollout, with what keeps them.</summary>
    internal static void AddStores<TStore>(this IServiceCollection services)
    {
        services.AddSingleton(provider => new EvidenceStore(Evidence(provider), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new MismatchStore(Evidence(provider)));
        services.AddSingleton(provider => new TriageStore(Evidence(provider)));
        services.AddSingleton(provider => new AuditLog(Evidence(provider)));
        services.AddSingleton(provider => new ConsoleKeyStore(Evidence(provider)));
        services.AddSingleton<InstanceRecord>();
        services.AddHostedService(provider => provider.GetRequiredService<InstanceRecord>());
        services.AddSingleton<AuditWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditWatch>());
        services.AddSingleton<AcceptanceWriter>();
        services.AddSingleton<LearnAcceptances>();
        services.AddSingleton<RawSamplesAnnounced>();
        services.AddHostedService<MismatchKeeper>();
        services.AddSingleton<EvidenceFlush>();
        services.AddSingleton<EvidenceRestart>();
        services.AddSingleton<PolicyInForce>();
        services.AddSingleton<GateRound>();
        services.AddSingleton<ReadEvidence>();
        services.AddHostedService<EvidenceKeeper>();
        services.AddSingleton(provider => new RolloutStore(
            Evidence(provider),
            Stage.TryParse(provider.GetRequiredService<SettingsInForce>().Current.FirstStage, out var first) ? first : Stage.Off));
        services.AddSingleton(provider => new ReplicaRegister(Evidence(provider)));
        services.AddSingleton(provider => new ServedStore(Evidence(provider)));
        services.AddSingleton<StoreMark>();
        services.AddSingleton<RolloutAnnouncer>();
        services.AddSingleton<RolloutPoll>();
        services.AddSingleton<PendingRollbacks>();
        services.AddHostedService<ServedKeeper>();
        services.AddSingleton<GateSteps>();
        services.AddSingleton<AppliedReport>();
        services.AddSingleton<RolloutFindings>();
        services.AddHostedService<RolloutKeeper>();
        services.AddHostedService<RolloutListener>();
        services.AddSingleton(provider => new SweepStore(Evidence(provider)));
        services.AddHostedService<SweepKeeper<TStore>>();
        services.AddHostedService<PruningKeeper>();
        services.AddSingleton<StoreProbe>();
    }

    /// <summary>The watch over roles and tables.</summary>
    internal static void AddSetupWatch(this IServiceCollection services)
    {
        services.AddSingleton<TablesCheck>();
        services.TryAddSingleton(new SandboxProbe(null));
        services.AddSingleton<SandboxCheck>();
        services.AddSingleton(provider => new SetupDoctor(
            provider, provider.GetRequiredService<Findings>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<SetupWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<SetupWatch>());
        services.AddHostedService(provider => new HorizonKeeper(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow),
            provider.GetRequiredService<SnapshotHorizon>(),
            provider.GetRequiredService<KeeperRegister>()));
    }

    private static NpgsqlDataSource Evidence(IServiceProvider provider) =>
        provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence);
}
