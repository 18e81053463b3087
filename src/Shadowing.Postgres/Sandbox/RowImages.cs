using System.Data.Common;
using Npgsql;
using NpgsqlTypes;
using Shadowing.Model;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Sandbox;

/// <summary>Reads the rows before a write and after it, in the write's own transaction.</summary>
/// <param name="maxRows">An image of more rows is too large, as is one of more than 4,000 times as many characters.</param>
internal sealed partial class RowImages(IReadOnlyList<SandboxTable> tables, int maxRows)
{
    /// <summary>
    /// In seconds. If the rows cannot be read in that time, the control writes without an image. If they cannot be locked and read in that
    /// time, the candidate does not write.
    /// </summary>
    public const int Patience = 2;

    /// <summary>In rows: the write's own new rows must be among the first of all rows that were added since the image.</summary>
    private const int MostNew = 1_000;

    /// <summary>In characters: an image whose rows are longer than this on average is too large as well.</summary>
    private const long MostOfRow = 4_000;

    /// <summary>Locks, then reads.</summary>
    /// <param name="mayWait">Whether it waits for the locks as long as the connection allows any statement.</param>
    /// <returns>
    /// Besides the image: the server's session, how long the locks took, and how long the whole batch took. Both times are by the server's
    /// clock. The write would have waited for the locks without an image too.
    /// </returns>
    public async Task<(RowImage Image, Mark[] Marks, int Session, TimeSpan Waited, TimeSpan Served)> BeforeAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, WriteFootprint footprint, bool mayWait,
        CancellationToken cancellationToken)
    {
        await using var batch = Locking(connection, transaction, footprint, mayWait);
        foreach (var sql in (string[])[Hurry, _marks]) batch.BatchCommands.Add(new(sql));
        batch.BatchCommands.Add(footprint.Command(footprint.Image));
        batch.BatchCommands.Add(new(Rest));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (session, zone, began) = (reader.GetInt32(1), reader.GetString(2), reader.GetDateTime(3));
        for (var i = 0; i <= footprint.Locks.Count; i++) await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var locked = reader.GetDateTime(0);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var marks = tables.Select((table, i) => new Mark(reader.GetInt64(2 * i), reader.GetInt64((2 * i) + 1))).ToArray();
        await reader.NextResultAsync(cancellationToken);
        var image = await ReadAsync(reader, isLocked: true, cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (image with { TimeZone = zone }, marks, session, locked - began, reader.GetDateTime(0) - began);
    }

    /// <summary>Locks the rows without reading them.</summary>
    /// <returns>The id of the server's session.</returns>
    public static async Task<int> LockAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, WriteFootprint footprint, CancellationToken cancellationToken)
    {
        await using var batch = Locking(connection, transaction, footprint, mayWait: false);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var session = reader.GetInt32(1);
        while (await reader.NextResultAsync(cancellationToken))
        {
        }

        return session;
    }

    /// <summary>Reads without locks, in one snapshot.</summary>
    public async Task<RowImage> NowAsync(NpgsqlDataSource source, WriteFootprint footprint, CancellationToken cancellationToken)
    {
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(footprint.Command(footprint.Image));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await ReadAsync(reader, isLocked: false, cancellationToken);
    }

    /// <summary>Commits, unless the transaction has failed before.</summary>
    /// <exception cref="PostgresException">The server refused it: it was not committed.</exception>
    public static async Task CommitAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { new($"savepoint {Savepoint}"), new(Commit) } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Reads how this transaction has changed the rows of the image, and which rows it has added. Then commits, which frees its locks.
    /// </summary>
    /// <returns>Besides the rows: how long it took without the commit, by the server's clock.</returns>
    /// <remarks>
    /// The commit is the last statement of the batch: if the server refuses any statement, nothing is committed. A savepoint stands before
    /// the reading, so that a failed reading does not lose the write. Rows that other transactions have changed meanwhile, which can only
    /// be rows that the write does not lock, are left out.
    /// </remarks>
    /// <exception cref="PostgresException">The server refused it: it was not committed.</exception>
    public async Task<(WrittenRows Rows, TimeSpan Served)> AfterAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, RowImage before, Mark[] marks, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { new($"savepoint {Savepoint}"), new(Hurry) } };
        var after = new NpgsqlBatchCommand(_after);
        for (var i = 0; i < tables.Count; i++)
        {
            var keys = before.Rows.Keys.Where(row => row.Table == tables[i].Name).Select(row => row.Number!.Value).ToArray();
            after.Parameters.AddVerbatim(new($"keys{i}", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = keys });
            after.Parameters.AddVerbatim(new($"mark{i}", NpgsqlDbType.Bigint) { Value = marks[i].LastKey });
        }

        foreach (var command in (NpgsqlBatchCommand[])[after, new(Rest), new(Commit)]) batch.BatchCommands.Add(command);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var began = reader.GetDateTime(0);
        await reader.NextResultAsync(cancellationToken);
        var written = await WrittenAsync(reader, before, marks, cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var served = reader.GetDateTime(0) - began;
        // Only once all results are read is it certain that the transaction is committed.
        while (await reader.NextResultAsync(cancellationToken))
        {
        }

        return (written, served);
    }

    /// <summary>Rolls back to the savepoint before the image was read; what was written before it stays.</summary>
    public static Task ForgetAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        transaction.RollbackAsync(Savepoint, cancellationToken);

    private async Task<WrittenRows> WrittenAsync(
        NpgsqlDataReader reader, RowImage before, Mark[] marks, CancellationToken cancellationToken)
    {
        var (now, there, changes, deleted) = ("", new HashSet<RowKey>(), new Dictionary<RowKey, string?>(), new Dictionary<string, long>());
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.IsDBNull(1))
            {
                now = reader.GetString(0);
                continue;
            }

            var row = new RowKey(reader.GetString(0), reader.GetInt64(1));
            if (reader.IsDBNull(2))
            {
                deleted[row.Table] = row.Number!.Value;
                continue;
            }

            there.Add(row);
            if (reader.GetBoolean(2) && reader.GetString(3) is var body && before.Rows.GetValueOrDefault(row) != body) changes[row] = body;
        }

        foreach (var gone in before.Rows.Keys.Where(row => !there.Contains(row) && !before.Bystanders.Contains(row))) changes[gone] = null;
        for (var i = 0; i < tables.Count; i++)
        {
            // No transaction locks bystanders: one that is gone may have been deleted by another transaction. It counts as this
            // transaction's deletion where this transaction has deleted more rows than the known ones.
            var known = changes.Count(change => change.Value is null && change.Key.Table == tables[i].Name);
            if (deleted[tables[i].Name] - marks[i].Deleted <= known) continue;
            foreach (var gone in before.Bystanders.Where(row => row.Table == tables[i].Name && !there.Contains(row))) changes[gone] = null;
        }

        return new(now, before, changes);
    }

    /// <summary>The number of rows deleted by the running transaction, and by earlier ones of the session not reported yet.</summary>
    private static string Deleted(SandboxTable table) => $"pg_stat_get_xact_tuples_deleted('public.{table.Name}'::regclass)";

    /// <summary>A row as JSON, with the columns that images have.</summary>
    public static string Body(SandboxTable table) => table.Columns is { } columns
        ? $"to_jsonb((select c from (select {string.Join(", ", columns.Select(column => "t." + column))}) c))::text"
        : "to_jsonb(t)::text";

    private static NpgsqlBatch Locking(NpgsqlConnection connection, NpgsqlTransaction transaction, WriteFootprint footprint, bool mayWait)
    {
        var batch = new NpgsqlBatch(connection, transaction);
        if (!mayWait) batch.Timeout = Patience;
        batch.BatchCommands.Add(new(Begin));
        foreach (var sql in footprint.Locks) batch.BatchCommands.Add(footprint.Command(sql));
        return batch;
    }

    private async Task<RowImage> ReadAsync(DbDataReader reader, bool isLocked, CancellationToken cancellationToken)
    {
        var (rows, bystanders, locked) = (new Dictionary<RowKey, string>(), new HashSet<RowKey>(), new HashSet<RowKey>());
        var length = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new RowKey(reader.GetString(0), reader.GetInt64(1));
            var body = reader.GetString(2);
            // A row that makes the image too large is not kept. Reading goes on, because the next statement needs the connection.
            if ((length += body.Length) > maxRows * MostOfRow) continue;
            rows[row] = body;
            if (reader.GetString(3) is WriteFootprint.Aside) bystanders.Add(row);
            else if (isLocked && reader.GetString(3) is WriteFootprint.Locked) locked.Add(row);
        }

        return rows.Count > maxRows || length > maxRows * MostOfRow ? RowImage.Empty with { IsTooLarge = true }
            : new(rows) { Bystanders = bystanders, Locked = locked };
    }

    /// <summary>The state of a table before a write.</summary>
    /// <param name="LastKey">The highest key; rows with a higher one are new.</param>
    /// <param name="Deleted">The session's recent deletions; those beyond this number are the write's.</param>
    public readonly record struct Mark(long LastKey, long Deleted);
}
