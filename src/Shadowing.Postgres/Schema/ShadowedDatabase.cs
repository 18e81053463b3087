using Npgsql;

namespace Shadowing.Postgres.Schema;

/// <summary>What shadowing must know of an application's database.</summary>
/// <param name="Application">Begins the names of all its sessions, as <c>orders-shadow</c> in <c>pg_stat_activity</c>.</param>
/// <param name="Tables">
/// Every table that the operations read or write. Both roles must see them alike; evidence begins anew when one changes. Empty stands for
/// every table that the shadow's role may read.
/// </param>
/// <param name="Sandbox">The tables that writes touch, as the sandbox copies them; empty where no operation writes.</param>
/// <param name="FingerprintOn">The fingerprint of this build on a schema, from the schema's own: what evidence is counted for.</param>
public sealed record ShadowedDatabase(
    string Application, IReadOnlyList<string> Tables, IReadOnlyList<SandboxTable> Sandbox, Func<string, string> FingerprintOn)
{
    /// <summary>
    /// Whether the driver prepares statements by itself in shadowing's pools, 50 where the connection string does not say. A store on such
    /// a connection must run again what fails because the schema has changed since.
    /// </summary>
    public bool Prepares { get; init; } = true;

    /// <summary>
    /// The tables that writes change whose sides begin and commit as they like; empty where no such write is compared. The catalogue says
    /// the rest of them.
    /// </summary>
    internal ICollection<string> Written { get; } = [];

    /// <summary>
    /// Sets up every data source that the application's own code runs on, as for type mappings; null where there is nothing to set up.
    /// </summary>
    public Action<NpgsqlDataSourceBuilder>? SetUp { get; init; }
}

/// <summary>Something that the application and the database do not say alike.</summary>
/// <param name="Object">A table, as <c>orders</c>, or a column, as <c>orders.total</c>.</param>
/// <param name="Breaks">Whether shadowing must be off because of it; else it is only reported.</param>
public sealed record SetupDisagreement(string Object, string Finding, bool Breaks);

/// <summary>A check of the application's own, at start and every minute, over a connection with the shadow's role.</summary>
public delegate Task<IReadOnlyList<SetupDisagreement>> CheckSetup(NpgsqlConnection connection, CancellationToken cancellationToken);
