using Npgsql;

namespace ShadowTicketing.Shadowing.Postgres.Sandbox;

/// <summary>
/// Runs writes against temporary copies of the tables, so that they can be compared without having been done. Two locks, each of which suffices: the
/// role may only read the tables, and every transaction is read-only, in which PostgreSQL still lets temporary tables be written.
/// </summary>
/// <remarks>
/// What it cannot see: lost updates and lock behaviour, because nobody else is in it; unique constraints across rows that were not seeded; triggers.
/// A pooler between would resolve names anew with each transaction: connect directly.
/// </remarks>
public sealed class WriteSandbox : IAsyncDisposable
{
    private const int MostAttempts = 3;

    private readonly NpgsqlDataSource _source;
    private readonly string _check;
    private readonly IReadOnlyList<SandboxTable> _tables;

    /// <param name="connection">Of a role that may read the tables and make temporary ones; pooling, read-only and reset are set here.</param>
    /// <param name="tables">In the order in which they refer to each other.</param>
    public WriteSandbox(NpgsqlDataSourceBuilder connection, IReadOnlyList<SandboxTable> tables)
    {
        ArgumentNullException.ThrowIfNull(connection);
        (_tables, _check) = (tables, SandboxSql.Check(tables));
        // The copies live as long as the session: it must not be reset, and its transactions are read-only from the first.
        connection.ConnectionStringBuilder.NoResetOnClose = true;
        connection.ConnectionStringBuilder.ConnectionLifetime = 900;
        connection.ConnectionStringBuilder.Options =
            $"{connection.ConnectionStringBuilder.Options} -c default_transaction_read_only=on".Trim();
        var create = SandboxSql.Create(tables);
        connection.UsePhysicalConnectionInitializer(
            physical =>
            {
                using var command = new NpgsqlCommand(create, physical);
                command.ExecuteNonQuery();
            },
            async physical =>
            {
                await using var command = new NpgsqlCommand(create, physical);
                await command.ExecuteNonQueryAsync();
            });
        _source = connection.Build();
    }

    /// <summary>Runs a write on rows as they were, and reads what became of them. Nothing of it is kept.</summary>
    /// <param name="before">The rows that the write may look at or touch.</param>
    /// <param name="keys">The keys that the write's new rows are to get, by table: those that the other side's got.</param>
    /// <param name="run">The write; its own transactions must be savepoints of the one it is given.</param>
    /// <returns>What it answered or threw, and the rows afterwards.</returns>
    /// <exception cref="SandboxUnsafeException">A name does not resolve to its copy, or the transaction could write: nothing was run.</exception>
    public async Task<SandboxRun<T>> RunAsync<T>(
        RowImage before, IReadOnlyDictionary<string, long> keys, Func<NpgsqlConnection, NpgsqlTransaction, Task<T>> run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(run);
        for (var attempt = 0; ; attempt++)
        {
            await using var connection = await _source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await IsFreshAsync(connection, transaction, cancellationToken))
                return await RunOnceAsync(connection, transaction, before, keys, run, cancellationToken);
            if (attempt == MostAttempts) throw new SandboxUnsafeException("The tables change faster than they can be copied.");

            // The tables have changed since they were copied; what other sessions hold is as old.
            _source.Clear();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task<SandboxRun<T>> RunOnceAsync<T>(
        NpgsqlConnection connection, NpgsqlTransaction transaction, RowImage before, IReadOnlyDictionary<string, long> keys,
        Func<NpgsqlConnection, NpgsqlTransaction, Task<T>> run, CancellationToken cancellationToken)
    {
        await SeedAsync(connection, transaction, before, keys, cancellationToken);
        await transaction.SaveAsync("seeded", cancellationToken);
        var (answer, error) = (default(T), default(Exception));
        try
        {
            answer = await run(connection, transaction);
        }
#pragma warning disable CA1031 // What the write throws is what is observed.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            error = failure;
            await transaction.RollbackAsync("seeded", cancellationToken);
        }
#pragma warning restore CA1031
        return new(answer, error, await SandboxSql.ReadAsync(connection, transaction, _tables, cancellationToken));
    }

    /// <summary>On every use: a name that resolves elsewhere would be written, or try to be.</summary>
    /// <returns>Whether the copies are like the tables.</returns>
    private async Task<bool> IsFreshAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(_check, connection, transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (!reader.GetBoolean(0)) throw new SandboxUnsafeException("A name does not resolve to its temporary copy, or the transaction is not read-only.");
        return reader.GetBoolean(1);
    }

    private async Task SeedAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, RowImage before, IReadOnlyDictionary<string, long> keys, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var table in _tables)
        {
            string[] rows = [.. before.Rows.Where(row => row.Key.Table == table.Name).Select(row => row.Value)];
            if (rows.Length > 0) batch.BatchCommands.Add(SandboxSql.Seed(table, rows));
            if (keys.TryGetValue(table.Name, out var key)) batch.BatchCommands.Add(SandboxSql.NextKey(table, key));
        }

        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>What came of a write in the sandbox.</summary>
/// <param name="Error">What it threw; then <paramref name="Answer"/> means nothing, and the rows are as they were seeded.</param>
/// <param name="After">Every row that the copies hold afterwards.</param>
public sealed record SandboxRun<T>(T? Answer, Exception? Error, RowImage After);
