using System.Collections.Concurrent;
using System.Data;
using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Connections;
using Shadowing.Writing;

namespace Shadowing.Postgres.Writes;

/// <summary>
/// Runs writes against temporary copies of the tables, in sessions in which a side may begin and commit as it likes. Two safeguards, each
/// of which suffices: the role may only read the tables, and every transaction is read-only. There PostgreSQL allows writes only to
/// temporary tables.
/// </summary>
/// <remarks>
/// Each session has a data source of its own, with room for one connection: so a side that closes its connection and opens it again, as
/// application code does, has the same copies.
/// </remarks>
internal sealed class CopySandbox : IAsyncDisposable
{
    private const int MostAttempts = 3;

    private readonly NpgsqlDataSourceBuilder _builder;
    private readonly SemaphoreSlim _places;
    private readonly ConcurrentBag<NpgsqlDataSource> _idle = [];
    private readonly IReadOnlyList<string> _names;
    private readonly TimeProvider _clock;
    private volatile CopySql? _sql;

    /// <param name="connection">With a role that may read the tables and create temporary ones.</param>
    /// <param name="names">The tables that writes may change.</param>
    public CopySandbox(NpgsqlDataSourceBuilder connection, IReadOnlyList<string> names, TimeProvider clock)
    {
        (_names, _clock) = (names, clock);
        var settings = connection.ConnectionStringBuilder;
        _places = new(settings.MaxPoolSize);
        (settings.Pooling, settings.MaxPoolSize) = (true, 1);
        // The copies live as long as the session. So it must not be reset when it is returned to the pool.
        (settings.NoResetOnClose, settings.ConnectionLifetime) = (true, 900);
        settings.Options = $"{settings.Options} -c default_transaction_read_only=on".Trim();
        DirectConnection.Guard(
            connection,
            static () => new SandboxUnsafeException(
                "A connection pooler is between this service and PostgreSQL: its other clients would meet the temporary copies. "
                + "Connect the sandbox directly."),
            CopyAsync);
        _builder = connection;
    }

    /// <summary>The tables as they were last read; null before the first session.</summary>
    public WriteTables? Tables => _sql?.Tables;

    /// <summary>The powers of its role that the role must not have.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public async Task<IReadOnlyList<ExcessPower>> CheckRoleAsync(CancellationToken cancellationToken)
    {
        await using var session = await OpenAsync(WrittenRows.Untouched(RowImage.Empty), "UTC", cancellationToken);
        await session.Connection.OpenAsync(cancellationToken);
        return await ShadowRoleCheck.CheckAsync(session.Connection, cancellationToken);
    }

    /// <summary>Opens the sandbox with copies of the rows as they were before a write.</summary>
    /// <param name="written">What that write did: new rows get the same values of sequences.</param>
    /// <param name="zone">The time zone of the real write's session.</param>
    /// <exception cref="SandboxUnsafeException">
    /// A pooler is in between; or, after several new sessions, a name still does not resolve to its copy, a transaction could write, or the
    /// copies are not of the tables. Nothing was run.
    /// </exception>
    public async Task<CopySession> OpenAsync(WrittenRows written, string zone, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        var source = _idle.TryTake(out var known) ? known : _builder.Build();
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                if (await TryOpenAsync(source, attempt < MostAttempts, cancellationToken) is not { } found) continue;
                if (found is Condition.Fit)
                    return await CopySession.BeginAsync(source, _sql!, written, new(zone, _clock), () => Return(source), cancellationToken);
                // The tables have changed since they were copied, or a side has left rows or settings behind: a new session is made.
                source.Clear();
                if (attempt < MostAttempts) continue;
                throw new SandboxUnsafeException(found is Condition.Unsafe
                    ? "A name does not resolve to its temporary copy, or a transaction is not read-only."
                    : "The copies are not like the tables, however often they are made.");
            }
        }
        catch
        {
            Return(source);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        while (_idle.TryTake(out var source)) await source.DisposeAsync();
        _places.Dispose();
    }

    private void Return(NpgsqlDataSource source)
    {
        _idle.Add(source);
        _places.Release();
    }

    /// <returns>The condition of the session; null where it was lost, and may be tried again.</returns>
    private async Task<Condition?> TryOpenAsync(NpgsqlDataSource source, bool mayTryAgain, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (_sql is not { Tables.All.Count: > 0 } sql)
            throw new SandboxUnsafeException("None of the tables that writes are said to change can be copied.");
        try
        {
            var condition = await CheckAsync(connection, sql, cancellationToken);
            if (condition is not Condition.Full) return condition;
            await ExecuteAsync(connection, sql.Vacuum, cancellationToken);
            return await CheckAsync(connection, sql, cancellationToken) is var after and not Condition.Full ? after : Condition.Fit;
        }
        catch (NpgsqlException) when (mayTryAgain && !connection.FullState.HasFlag(ConnectionState.Open))
        {
            // The connection was lost while it was idle. The next attempt opens a new session.
            return null;
        }
    }

    /// <summary>
    /// Creating temporary tables needs a transaction that may write. It is the only such transaction of a session, and runs before any
    /// side's code does.
    /// </summary>
    private async Task CopyAsync(NpgsqlConnection physical)
    {
        await ExecuteAsync(physical, "begin read write", CancellationToken.None);
        var sql = new CopySql(await WriteTables.ReadAsync(physical, _names, CancellationToken.None));
        if (sql.Tables.All.Count > 0) await ExecuteAsync(physical, sql.Create, CancellationToken.None);
        await ExecuteAsync(physical, "commit", CancellationToken.None);
        if (_sql is not { } known || known.Tables.Version != sql.Tables.Version) _sql = sql;
    }

    /// <summary>Runs on every use, because a statement with a name that resolves elsewhere would try to write there.</summary>
    private static async Task<Condition> CheckAsync(NpgsqlConnection connection, CopySql sql, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand(sql.Check, connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            if (!reader.GetBoolean(0)) return Condition.Unsafe;
            if (!reader.GetBoolean(1)) return Condition.Stale;
            return reader.GetBoolean(2) ? Condition.Full : Condition.Fit;
        }
        catch (PostgresException missing) when (missing.SqlState is PostgresErrorCodes.UndefinedTable)
        {
            // The session was made before a table was added.
            return Condition.Stale;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The condition of a session.</summary>
    private enum Condition
    {
        Fit,

        /// <summary>Fit, but dead rows take up too much room.</summary>
        Full,

        /// <summary>The copies are not of the tables as they are, or are not empty.</summary>
        Stale,

        /// <summary>A write could reach something other than the copies.</summary>
        Unsafe,
    }
}
