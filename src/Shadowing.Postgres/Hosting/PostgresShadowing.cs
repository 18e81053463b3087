using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Intercepting;
using Shadowing.Model;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Snapshots;
using Shadowing.Postgres.Statements;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Writes;
using Shadowing.Settings;
using Shadowing.Sweeping;
using Shadowing.Writing;

namespace Shadowing.Postgres.Hosting;

/// <summary>Says where the data of compared interfaces is, and where evidence is kept.</summary>
public static class PostgresShadowing
{
    /// <summary>
    /// Both sides read this PostgreSQL database. Their stores are built over the <see cref="NpgsqlConnection"/> of their scope, which this
    /// registers: a request's is an ordinary one of <c>ConnectionStrings:{name}</c>, closed until it is used; a shadow run's decides
    /// where it runs, and is open, in a transaction, only where both sides are asked again on one snapshot. A command on any other
    /// connection stops a shadow run.
    /// </summary>
    /// <param name="name">
    /// The name of the connection string by which users are served. <c>ConnectionStrings:Shadow</c> names the role of the shadow, which may
    /// only read.
    /// </param>
    /// <param name="setUp">Sets up each data source, as for type mappings: <c>source => source.MapEnum&lt;OrderStatus&gt;()</c>.</param>
    public static ShadowingBuilder OnPostgres(
        this ShadowingBuilder shadow, string name, Action<NpgsqlDataSourceBuilder>? setUp = null)
    {
        ArgumentNullException.ThrowIfNull(shadow);
        foreach (var type in PostgresJudging.Types) shadow.Judging.Add(type);
        var services = shadow.Services;
        var database = new ShadowedDatabase(shadow.Application, [], [], shadow.FingerprintOn) { Prepares = false, SetUp = setUp };
        services.AddPositions(database);
        services.Configure<ServedDatabaseOptions>(options =>
            (options.Name, options.ConnectionString) = (name, shadow.Configuration.GetConnectionString(name)));
        if (!shadow.KeepsEvidence) services.Configure<ShadowDatabaseOptions>(static options => options.EvidenceName = "");
        services.AddSetupWatch();
        services.AddScoped<RequestSides>();
        services.AddSingleton<OpenStore<SideScope>>(Open);
        services.AddSingleton<OpenSnapshot<SideScope>>(OpenSnapshot);
        services.AddSingleton<IReadOnlyList<Sweep<SideScope>>>([]);
        services.AddScoped(static provider => provider.GetRequiredService<RunPlace>().Connection as NpgsqlConnection
            ?? provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.Own).CreateConnection());
        ForeignCommands.Watch();
        return shadow;
    }

    /// <summary>
    /// Compares writes too: those methods of the compared interfaces that change data, by their names or as
    /// <see cref="OperationRules.Writes"/> says. The control writes as it always did. The shadow writes into temporary copies, in
    /// sessions of
    /// <c>ConnectionStrings:Sandbox</c>, or of <c>Shadow</c> where that is not given; its role must be allowed to create temporary tables.
    /// Comes after <see cref="OnPostgres"/>.
    /// </summary>
    /// <param name="tables">
    /// Every table that such a write may change: <c>writes => writes.Tables("orders", "order_lines")</c>. Of a table that is not named the
    /// shadow sees the real rows, and may change none.
    /// </param>
    public static ShadowingBuilder Writes(this ShadowingBuilder shadow, Action<WrittenTables> tables)
    {
        ArgumentNullException.ThrowIfNull(shadow);
        ArgumentNullException.ThrowIfNull(tables);
        var services = shadow.Services;
        var database = (ShadowedDatabase?)services.LastOrDefault(service => service.ServiceType == typeof(ShadowedDatabase))
            ?.ImplementationInstance ?? throw new InvalidOperationException("Call OnPostgres before Writes.");
        var named = new WrittenTables();
        tables(named);
        foreach (var name in named.Names)
        {
            database.Written.Add(name);
            shadow.Written.Add(name);
        }

        services.PostConfigure<ShadowDatabaseOptions>(static options => options.Sandbox ??= options.Shadow);
        services.AddKeyedSingleton(Databases.Snapshots, static (provider, _) => Databases.CreateSnapshots(provider));
        services.AddSingleton(provider => new CopySandbox(
            Databases.Sandbox(provider), [.. database.Written], provider.GetRequiredService<TimeProvider>()));
        services.Replace(ServiceDescriptor.Singleton(provider => new SandboxProbe(provider.GetRequiredService<SnapshotStage>().CheckAsync)
        {
            Problems = () => provider.GetRequiredService<CopySandbox>().Tables?.Problems ?? [],
        }));
        services.AddSingleton<IWriteStage<SideScope>>(provider => provider.GetRequiredService<SnapshotStage>());
        services.AddSingleton(provider => new SnapshotStage(
            provider.GetRequiredService<CopySandbox>(),
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Snapshots),
            provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.View),
            provider.GetRequiredService<IServiceScopeFactory>(),
            provider.GetRequiredService<SettingsInForce>(),
            provider.GetRequiredService<TimeProvider>()));
        return shadow;
    }

    /// <summary>
    /// Stores evidence, mismatches and the rollout in schema <c>shadow</c> of a database. Operations need that to go beyond the stage
    /// shadow. Comes after <see cref="OnPostgres"/>.
    /// </summary>
    /// <param name="name">The name of the connection string, with a role that owns the schema.</param>
    public static ShadowingBuilder KeepEvidence(this ShadowingBuilder shadow, string name)
    {
        ArgumentNullException.ThrowIfNull(shadow);
        shadow.KeepsEvidence = true;
        shadow.Services.PostConfigure<ShadowDatabaseOptions>(options =>
        {
            options.EvidenceName = name;
            options.Evidence = shadow.Configuration.GetConnectionString(name);
            options.Listen ??= options.Evidence;
        });
        shadow.Services.AddStores<SideScope>();
        return shadow;
    }

    private static OpenStore<SideScope> Open(IServiceProvider provider)
    {
        var scopes = provider.GetRequiredService<IServiceScopeFactory>();
        var shadow = provider.GetRequiredKeyedService<ConnectionPools>(Databases.Shadow);
        return (place, cancellationToken) => place is { Position: Position.Served, Scope: { } request }
            ? new(request.GetRequiredService<RequestSides>().LeaseOf(place.Side)) : OwnAsync(place, cancellationToken);

        async ValueTask<StoreLease<SideScope>> OwnAsync(StorePlace place, CancellationToken cancellationToken)
        {
            var connection = place.Position is Position.Served ? null : await shadow.OpenAsync(cancellationToken);
            // Closed until it is used, as a request's is: code that opens it must not find it open.
            if (connection is not null) await connection.CloseAsync();
            var lease = new LeasedScope(connection);
            return new(() => lease.Scope = SideScope.Create(scopes, place.Side, place.Position, connection), lease);
        }
    }

    private static OpenSnapshot<SideScope> OpenSnapshot(IServiceProvider provider)
    {
        var scopes = provider.GetRequiredService<IServiceScopeFactory>();
        var catalogue = provider.GetRequiredService<TableCatalogue>();
        var confirmer = new OneSnapshotConfirmer<SideScope>(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Shadow),
            provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.View),
            (side, connection, _) => SideScope.Create(scopes, side, Position.Shadow, connection),
            () => catalogue.RowVersions,
            () => catalogue.AnyVersions);
        return confirmer.OpenAsync;
    }

    /// <summary>A scope and its connection, for one run.</summary>
    private sealed class LeasedScope(NpgsqlConnection? connection) : IAsyncDisposable
    {
        public SideScope? Scope { get; set; }

        public async ValueTask DisposeAsync()
        {
            try
            {
                if (Scope is not null) await Scope.DisposeAsync();
            }
            finally
            {
                if (connection is not null) await connection.DisposeAsync();
            }
        }
    }
}

/// <summary>The tables that compared writes may change.</summary>
public sealed class WrittenTables
{
    internal List<string> Names { get; } = [];

    /// <summary>
    /// Names tables, as SQL does or without the quotes that it would need: <c>orders</c>, <c>OrderLines</c>, <c>sales.orders</c>.
    /// </summary>
    public WrittenTables Tables(params string[] names)
    {
        Names.AddRange(names);
        return this;
    }
}
