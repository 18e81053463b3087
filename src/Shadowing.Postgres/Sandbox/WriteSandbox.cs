using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Schema;
using Shadowing.Writing;

namespace Shadowing.Postgres.Sandbox;

/// <summary>
/// Runs writes against temporary copies of the tables, so that they can be compared without changing data. Two safeguards, each of which
/// suffices: the role may only read the tables, and every transaction is read-only. There PostgreSQL allows writes only to
/// temporary tables.
/// </summary>
/// <remarks>
/// <see cref="Blind"/> lists what it cannot find. A pooler in between would resolve names anew in each transaction, so no session is made
/// through a pooler.
/// </remarks>
public sealed class WriteSandbox : IAsyncDisposable
{
    private const int MostAttempts = 3;

    /// <summary>What a comparison in a sandbox can never find, in words.</summary>
    public static readonly IReadOnlyList<string> Blind =
    [
        "lost updates and lock behaviour: no other session is in the sandbox",
        "unique constraints across rows that are not in the image",
        "rows beyond the image, but for two bystanders, and columns that the sandbox may not read",
        "triggers of the real tables, and what fails only when a transaction commits",
        "several statements of one write that are not in one transaction: in the sandbox they are",
    ];

    private readonly NpgsqlDataSource _source;
    private readonly string _check;
    private readonly string _clear;
    private readonly string _read;
    private readonly IReadOnlyList<SandboxTable> _tables;

    /// <param name="connection">
    /// With a role that may read the tables and create temporary ones. This sets pooling, the read-only default and no reset on close.
    /// </param>
    /// <param name="tables">Sorted by their references: a table comes after those that it refers to.</param>
    public WriteSandbox(NpgsqlDataSourceBuilder connection, IReadOnlyList<SandboxTable> tables)
    {
        ArgumentNullException.ThrowIfNull(connection);
        (_tables, _check, _clear, _read) = (tables, SandboxSql.Check(tables), SandboxSql.Clear(tables), SandboxSql.Read(tables));
        // The copies live as long as the session. So it must not be reset when it is returned to the pool.
        connection.ConnectionStringBuilder.NoResetOnClose = true;
        connection.ConnectionStringBuilder.ConnectionLifetime = 900;
        connection.ConnectionStringBuilder.Options =
            $"{connection.ConnectionStringBuilder.Options} -c default_transaction_read_only=on".Trim();
        var create = SandboxSql.Create(tables);
        DirectConnection.Guard(
            connection,
            static () => new SandboxUnsafeException(
                "A connection pooler is between this service and PostgreSQL: its other clients would meet the temporary copies. "
                + "Connect the sandbox directly."),
            async physical =>
            {
                await using var command = new NpgsqlCommand(create, physical);
                await command.ExecuteNonQueryAsync();
            });
        _source = connection.Build();
    }

    /// <summary>The tables, sorted by their references.</summary>
    public IReadOnlyList<SandboxTable> Tables => _tables;

    /// <summary>The powers of its role that the role must not have.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public async Task<IReadOnlyList<ExcessPower>> CheckRoleAsync(CancellationToken cancellationToken)
    {
        await using var session = await OpenAsync(RowImage.Empty, new Dictionary<string, long>(), cancellationToken);
        return await ShadowRoleCheck.CheckAsync(session.Connection, cancellationToken);
    }

    /// <summary>Opens the sandbox with copies of rows as they were.</summary>
    /// <param name="before">The rows that the write may look at or touch.</param>
    /// <param name="keys">
    /// The keys for the write's new rows, by table: those that the other side's new rows have. In other tables they start at a key that no
    /// real row has.
    /// </param>
    /// <exception cref="SandboxUnsafeException">
    /// A pooler is in between; or, after several new sessions, a name still does not resolve to its copy, the transaction could write, or
    /// the copies do not match the tables. Nothing was run.
    /// </exception>
    public async Task<SandboxSession> OpenAsync(
        RowImage before, IReadOnlyDictionary<string, long> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(keys);
        for (var attempt = 0; ; attempt++)
        {
            var connection = await _source.OpenConnectionAsync(cancellationToken);
            var (condition, columns) = (Condition.Stale, Array.Empty<string?>());
            try
            {
                var transaction = await connection.BeginTransactionAsync(cancellationToken);
                (condition, columns) = await CheckAsync(connection, transaction, cancellationToken);
                if (condition is Condition.Full)
                {
                    await transaction.DisposeAsync();
                    await ClearAsync(connection, cancellationToken);
                    transaction = await connection.BeginTransactionAsync(cancellationToken);
                    (condition, columns) = await CheckAsync(connection, transaction, cancellationToken);
                }

                if (condition is Condition.Fit or Condition.Full)
                {
                    await SeedAsync(connection, transaction, new(before, keys, columns), cancellationToken);
                    return new(connection, transaction, before, _read);
                }
            }
            catch (NpgsqlException) when (attempt < MostAttempts && !connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            {
                // The connection was lost while it was idle. The next attempt opens a new session.
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }

            await connection.DisposeAsync();
            // The tables have changed since they were copied, a side has left rows or settings behind, or sessions were ended. The pool's
            // other sessions may have the same fault.
            _source.Clear();
            if (attempt < MostAttempts) continue;
            throw new SandboxUnsafeException(condition is Condition.Unsafe
                ? "A name does not resolve to its temporary copy, or the transaction is not read-only."
                : "The copies are not like the tables, however often they are made.");
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    /// <summary>Runs on every use, because a statement with a name that resolves elsewhere would try to write there.</summary>
    private async Task<(Condition Condition, string?[] Columns)> CheckAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(_check, connection, transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (!reader.GetBoolean(0)) return (Condition.Unsafe, []);
        if (!reader.GetBoolean(1)) return (Condition.Stale, []);
        return (reader.GetBoolean(2) ? Condition.Full : Condition.Fit, reader.GetFieldValue<string?[]>(3));
    }

    private async Task ClearAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(_clear, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task SeedAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Contents contents, CancellationToken cancellationToken)
    {
        var (before, keys, columns) = contents;
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (before.TimeZone is { } zone) batch.BatchCommands.Add(SandboxSql.Zone(zone));
        foreach (var (table, written) in _tables.Zip(columns))
        {
            string[] rows = [.. before.Rows.Where(row => row.Key.Table == table.Name).Select(row => row.Value)];
            if (rows.Length > 0) batch.BatchCommands.Add(SandboxSql.Seed(table, rows, written));
            // Set even where no key is given: a rollback does not reset a sequence, and both sides must get the same keys.
            if (table.Generated) batch.BatchCommands.Add(
                SandboxSql.NextKey(table, keys.GetValueOrDefault(table.Name, SandboxSql.FirstKey)));
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What the copies are filled with.</summary>
    private readonly record struct Contents(RowImage Before, IReadOnlyDictionary<string, long> Keys, string?[] Columns);

    /// <summary>The condition of a session.</summary>
    private enum Condition
    {
        Fit,

        /// <summary>Fit, but dead rows take up too much room.</summary>
        Full,

        /// <summary>The copies do not match the tables, or are not empty.</summary>
        Stale,

        /// <summary>A write could reach something other than the copies.</summary>
        Unsafe,
    }
}
