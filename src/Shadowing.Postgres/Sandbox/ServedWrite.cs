using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Statements;
using Shadowing.Writing;

namespace Shadowing.Postgres.Sandbox;

/// <summary>What is done before a side begins to write.</summary>
/// <param name="Footprint">The rows to lock; null for none.</param>
/// <param name="WithImages">Whether they are read as well.</param>
/// <param name="MayDoWithout">Whether the side writes even where locking or reading fails; it then waits for the rows itself.</param>
internal sealed record FirstLook(WriteFootprint? Footprint, bool WithImages, bool MayDoWithout);

/// <summary>A real write, in one transaction with the images of its rows.</summary>
internal sealed class ServedWrite<TStore> : IServedWrite<TStore>
{
    /// <summary>The most time that counts for an image that could not be read; the rest was waiting for locks.</summary>
    private static readonly TimeSpan MostOfImage = TimeSpan.FromSeconds(RowImages.Patience);

    private readonly WriteConnections _connections;
    private readonly RowImages _images;
    private readonly TimeProvider _clock;
    private NpgsqlConnection _connection;
    private NpgsqlTransaction? _transaction;
    private Lazy<TStore>? _store;
    private RowImages.Mark[] _marks = [];
    private int? _session;
    private TimeSpan _roundTrip;
    private End _end;

    private ServedWrite(WriteConnections connections, RowImages images, NpgsqlConnection connection, TimeProvider clock) =>
        (_connections, _images, _connection, _clock) = (connections, images, connection, clock);

    public TStore Store => _store!.Value;

    public RowImage? Before { get; private set; }

    public TimeSpan ImageTime { get; private set; }

    public bool IsUndone => _end is End.Refused || (_end is End.Open && !IsEnded);

    private bool IsConnected => _connection.FullState.HasFlag(System.Data.ConnectionState.Open);

    /// <summary>
    /// Whether the transaction has ended. Before <see cref="CommitAsync"/> only the side can have ended it, although the transaction is not
    /// the side's own. Then the write may be stored.
    /// </summary>
    private bool IsEnded
    {
        get
        {
            try
            {
                _ = _transaction?.IsolationLevel;
                return false;
            }
            catch (InvalidOperationException)
            {
                // The exception is thrown for a lost connection too. The server has then rolled back.
                return IsConnected;
            }
        }
    }

    /// <param name="look">What is done before the side begins.</param>
    /// <exception cref="RowsHeldException">Locking or reading failed, and the side may not write without.</exception>
    public static async ValueTask<ServedWrite<TStore>> BeginAsync(
        WriteConnections connections, RowImages images, FirstLook look, Func<NpgsqlConnection, NpgsqlTransaction, TStore> storeOver,
        TimeProvider clock, CancellationToken cancellationToken)
    {
        var write = new ServedWrite<TStore>(connections, images, await connections.ServedAsync(cancellationToken), clock);
        try
        {
            write._transaction = await write._connection.BeginTransactionAsync(cancellationToken);
            if (look.Footprint is { } footprint) await write.LookAsync(footprint, look, cancellationToken);
            write._store = new(() => storeOver(write._connection, write._transaction), LazyThreadSafetyMode.None);
            return write;
        }
        catch
        {
            await write.DisposeAsync();
            throw;
        }
    }

    public Task<WrittenRows?>? ReadLaterAsync(object? answer, StatementLedger ledger) => null;

    public async Task<WrittenRows?> CommitAsync(CancellationToken cancellationToken)
    {
        // The connection was lost before the commit was sent, so the server has rolled back, even if the side reported success.
        if (!IsConnected) throw new WriteUndoneException(new InvalidOperationException("The connection was lost."));
        // If the side has ended the transaction, this throws.
        if (IsEnded) await _transaction!.CommitAsync(cancellationToken);
        try
        {
            return await ReadAndCommitAsync(cancellationToken);
        }
        catch (PostgresException failure) when (failure.InvariantSeverity == "ERROR")
        {
            _end = End.Refused;
            // The transaction can only have ended here by the commit.
            if (IsEnded) throw;
            // A side that went on after a failed statement is in a failed transaction. To commit that would roll back without an error.
            if (failure.SqlState == PostgresErrorCodes.InFailedSqlTransaction) throw new WriteUndoneException(failure);
        }

        // Only the image is lost; the write is kept.
        await RowImages.ForgetAsync(_transaction!, cancellationToken);
        try
        {
            _end = End.Unknown;
            await _transaction!.CommitAsync(cancellationToken);
            return null;
        }
        catch (PostgresException refused) when (refused.InvariantSeverity == "ERROR")
        {
            _end = End.Refused;
            throw;
        }
    }

    private async Task<WrittenRows?> ReadAndCommitAsync(CancellationToken cancellationToken)
    {
        _end = End.Unknown;
        if (Before is { IsTooLarge: false } before)
        {
            var (rows, served) = await _images.AfterAsync(_connection, _transaction!, before, _marks, cancellationToken);
            // Adds the network round trip of the first batch; the commit is not part of the image.
            ImageTime += served + _roundTrip;
            return rows;
        }

        await RowImages.CommitAsync(_connection, _transaction!, cancellationToken);
        return Before is { } large ? WrittenRows.Untouched(large) : null;
    }

    /// <remarks>What a function does that a SELECT calls is not seen.</remarks>
    public bool MayHaveWritten(Exception error, StatementLedger ledger)
    {
        var texts = ledger.Texts;
        if (ledger.Statements > texts.Count) return true;
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            // The last command is the one that was refused.
            if (cause is PostgresException) texts = [.. texts.SkipLast(1)];
        }

        return texts.Any(static text => !text.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase));
    }

    public async Task AbandonAsync()
    {
        await using var command = _connections.Ending.CreateCommand(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and usename = current_user and xact_start is not null");
        command.Parameters.AddVerbatim(new() { Value = _session ?? _connection.ProcessID });
        if (await command.ExecuteScalarAsync() is not true) throw new InvalidOperationException("There is no such session to end.");
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_transaction is not null) await _transaction.DisposeAsync();
        }
        finally
        {
            await _connection.DisposeAsync();
        }
    }

    private async Task LookAsync(WriteFootprint footprint, FirstLook look, CancellationToken cancellationToken)
    {
        var began = _clock.GetTimestamp();
        try
        {
            if (look.WithImages)
            {
                (Before, _marks, _session, var waited, var served) =
                    await _images.BeforeAsync(_connection, _transaction!, footprint, look.MayDoWithout, cancellationToken);
                var elapsed = _clock.GetElapsedTime(began);
                (ImageTime, _roundTrip) = (elapsed - waited, elapsed - served);
            }
            else if (footprint.Locks.Count > 0) _session =
                await RowImages.LockAsync(_connection, _transaction!, footprint, cancellationToken);
        }
        catch (NpgsqlException failure) when (!cancellationToken.IsCancellationRequested)
        {
            if (!look.MayDoWithout) throw new RowsHeldException(failure);
            // It has waited for the locks as long as the connection allows, and would not get them now.
            if (failure.InnerException is TimeoutException) throw;
            await _transaction!.DisposeAsync();
            if (!IsConnected)
            {
                await _connection.DisposeAsync();
                _connection = await _connections.ServedAsync(cancellationToken);
            }

            _transaction = await _connection.BeginTransactionAsync(cancellationToken);
            var lost = _clock.GetElapsedTime(began);
            ImageTime = lost < MostOfImage ? lost : MostOfImage;
        }
    }

    /// <summary>How far ending the transaction has got.</summary>
    private enum End
    {
        Open,

        /// <summary>The commit was sent: the transaction may be committed.</summary>
        Unknown,

        /// <summary>The server has reported that it is not committed.</summary>
        Refused,
    }
}
