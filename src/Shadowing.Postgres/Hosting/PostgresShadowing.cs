using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Snapshots;
using Shadowing.Postgres.Statements;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Hosting;

/// <summary>Says where the data of compared interfaces is, and where evidence is kept.</summary>
public static class PostgresShadowing
{
    /// <summary>
    /// Both sides read this PostgreSQL database. Their stores are built over the <see cref="NpgsqlConnection"/> of their scope, which this
    /// registers: a request's is an ordinary one of <c>ConnectionStrings:{name}</c>, closed until it is used; a shadow run's is open, and
    /// decides where it runs. A command on any other connection stops a shadow run.
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
        services.AddPositions(new(shadow.Application, [], [], shadow.FingerprintOn) { Prepares = false, SetUp = setUp });
        services.Configure<ServedDatabaseOptions>(options =>
            (options.Name, options.ConnectionString) = (name, shadow.Configuration.GetConnectionString(name)));
        if (!shadow.KeepsEvidence) services.Configure<ShadowDatabaseOptions>(static options => options.EvidenceName = "");
        services.AddSetupWatch();
        services.AddSingleton<OpenStore<SideScope>>(Open);
        services.AddSingleton<OpenSnapshot<SideScope>>(OpenSnapshot);
        services.AddSingleton<IReadOnlyList<Sweep<SideScope>>>([]);
        services.AddScoped(static provider => provider.GetRequiredService<RunPlace>().Connection as NpgsqlConnection
            ?? provider.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.Own).CreateConnection());
        ForeignCommands.Watch();
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
        return async (place, cancellationToken) =>
        {
            if (place is { Position: Position.Served, Scope: { } request })
                return new(() => SideScope.InRequest(place.Side, request), LeasedScope.None);
            var connection = place.Position is Position.Served ? null : await shadow.OpenAsync(cancellationToken);
            var lease = new LeasedScope(connection);
            return new(() => lease.Scope = SideScope.Create(scopes, place.Side, place.Position, connection), lease);
        };
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
        public static LeasedScope None { get; } = new(null);

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
