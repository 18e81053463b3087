using System.Data.Common;
using Npgsql;
using NpgsqlTypes;
using Shadowing.Model;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Sandbox;

/// <summary>Reads the rows before a write and after it, in the write's own transaction.</summary>
/// <param name="maxRows">An image of more is too large, or of more than 4,000 times as many characters.</param>
internal sealed partial class RowImages(IReadOnlyList<SandboxTable> tables, int maxRows)
{
    /// <summary>
    /// In seconds. A write whose rows cannot be read in that time is done without; so is a candidate's whose rows cannot be locked.
    /// </summary>
    public const int Patience = 2;

    /// <summary>In rows: of those that everybody has made meanwhile, the write's own must be among the first.</summary>
    private const int MostNew = 1_000;

    /// <summary>In characters: an image whose rows are longer on average is too large as well.</summary>
    private const long MostOfRow = 4_000;

    /// <summary>Locks, then reads.</summary>
    /// <param name="mayWait">Whether it waits for the locks as long as any statement of the connection may.</param>
    /// <returns>
    /// Besides, by the server's clock: how long the locks took, which the write would have waited for itself, and all of it.
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

    /// <summary>Locks, and reads nothing.</summary>
    /// <returns>The session.</returns>
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

    /// <summary>Reads without locks, as of one moment.</summary>
    public async Task<RowImage> NowAsync(NpgsqlDataSource source, WriteFootprint footprint, CancellationToken cancellationToken)
    {
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(footprint.Command(footprint.Image));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await ReadAsync(reader, isLocked: false, cancellationToken);
    }

    /// <summary>Commits, unless the transaction has failed before.</summary>
    /// <exception cref="PostgresException">Where the server refused it: it was not committed.</exception>
    public static async Task CommitAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { new($"savepoint {Savepoint}"), new(Commit) } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// What this transaction has done to the rows of the image, and the rows that it has made; then commits, so that no lock is held any
    /// longer.
    /// </summary>
    /// <returns>Besides: how long it took but for the commit, by the server's clock.</returns>
    /// <remarks>
    /// Nothing comes after the commit, so that whatever the server refuses of it is not committed. A savepoint before it: were the reading
    /// to fail, what was written before must not be lost. What others have changed meanwhile, which only rows can be that the write does
    /// not lock, is none of it.
    /// </remarks>
    /// <exception cref="PostgresException">Where the server refused it: it was not committed.</exception>
    public async Task<(WrittenRows Rows, TimeSpan Served)> AfterAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, RowImage before, Mark[] marks, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { new($"savepoint {Savepoint}"), new(Hurry) } };
        var after = new NpgsqlBatchCommand(_after);
        for (var i = 0; i < tables.Count; i++)
        {
            var keys = before.Rows.Keys.Where(row => row.Table == tables[i].Name).Select(row => row.Key).ToArray();
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
        // Not before all has been read is it certain that it is committed.
        while (await reader.NextResultAsync(cancellationToken))
        {
        }

        return (written, served);
    }

    /// <summary>Goes back to before the image was read, with all that was written.</summary>
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
                deleted[row.Table] = row.Key;
                continue;
            }

            there.Add(row);
            if (reader.GetBoolean(2) && reader.GetString(3) is var body && before.Rows.GetValueOrDefault(row) != body) changes[row] = body;
        }

        foreach (var gone in before.Rows.Keys.Where(row => !there.Contains(row) && !before.Bystanders.Contains(row))) changes[gone] = null;
        for (var i = 0; i < tables.Count; i++)
        {
            // A bystander that is gone may be somebody else's work, for nobody locks it; not where this transaction has deleted more than
            // is known of.
            var known = changes.Count(change => change.Value is null && change.Key.Table == tables[i].Name);
            if (deleted[tables[i].Name] - marks[i].Deleted <= known) continue;
            foreach (var gone in before.Bystanders.Where(row => row.Table == tables[i].Name && !there.Contains(row))) changes[gone] = null;
        }

        return new(now, before, changes);
    }

    /// <summary>Rows that the running transaction, or one before it that has not been reported yet, has deleted.</summary>
    private static string Deleted(SandboxTable table) => $"pg_stat_get_xact_tuples_deleted('public.{table.Name}'::regclass)";

    /// <summary>A row as JSON, of the columns that images have.</summary>
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
            // What is too large is not kept, but read to the end: the statement after it needs the connection.
            if ((length += body.Length) > maxRows * MostOfRow) continue;
            rows[row] = body;
            if (reader.GetString(3) is WriteFootprint.Aside) bystanders.Add(row);
            else if (isLocked && reader.GetString(3) is WriteFootprint.Locked) locked.Add(row);
        }

        return rows.Count > maxRows || length > maxRows * MostOfRow ? RowImage.Empty with { IsTooLarge = true }
            : new(rows) { Bystanders = bystanders, Locked = locked };
    }

    /// <summary>Where a table stands before a write.</summary>
    /// <param name="LastKey">Rows beyond it will be new.</param>
    /// <param name="Deleted">By this session, of late; what is beyond it will be the write's.</param>
    public readonly record struct Mark(long LastKey, long Deleted);
}
