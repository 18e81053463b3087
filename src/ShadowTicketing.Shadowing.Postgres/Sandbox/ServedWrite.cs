using Npgsql;
using ShadowTicketing.Shadowing.Writing;

namespace ShadowTicketing.Shadowing.Postgres.Sandbox;

/// <summary>A write for real, in one transaction with the images of its rows.</summary>
internal sealed class ServedWrite<TStore> : IServedWrite<TStore>
{
    /// <summary>What an image that could not be read has cost at most; the rest was waiting for locks.</summary>
    private static readonly TimeSpan MostOfImage = TimeSpan.FromSeconds(RowImages.Patience);

    private readonly NpgsqlDataSource _served;
    private readonly NpgsqlDataSource _ending;
    private readonly RowImages _images;
    private readonly TimeProvider _clock;
    private NpgsqlConnection _connection;
    private NpgsqlTransaction? _transaction;
    private RowImages.Mark[] _marks = [];
    private int? _session;
    private bool _isCommitted;
    private NpgsqlException? _aborted;

    private ServedWrite(NpgsqlDataSource served, NpgsqlDataSource ending, RowImages images, NpgsqlConnection connection, TimeProvider clock) =>
        (_served, _ending, _images, _connection, _clock, Store) = (served, ending, images, connection, clock, default!);

    public TStore Store { get; private set; }

    public RowImage? Before { get; private set; }

    public TimeSpan ImageTime { get; private set; }

    public bool IsUndone => !_isCommitted && !IsEndedBySide;

    private bool IsConnected => _connection.FullState.HasFlag(System.Data.ConnectionState.Open);

    /// <summary>Whether the side has ended the transaction, though it is not its own: what it wrote may be stored.</summary>
    private bool IsEndedBySide
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
                // So says one whose connection was lost as well; the server has undone that.
                return IsConnected;
            }
        }
    }

    /// <param name="footprint">The rows to lock before the side begins; null for none.</param>
    /// <param name="withImages">Whether they are read as well.</param>
    /// <param name="mayDoWithout">Whether the side writes even where that fails, and waits for the rows itself.</param>
    /// <exception cref="RowsHeldException">It failed, and the side is not to write.</exception>
    public static async ValueTask<ServedWrite<TStore>> BeginAsync(
        NpgsqlDataSource served, NpgsqlDataSource ending, RowImages images, WriteFootprint? footprint, bool withImages, bool mayDoWithout,
        Func<NpgsqlConnection, NpgsqlTransaction, TStore> storeOver, TimeProvider clock, CancellationToken cancellationToken)
    {
        var write = new ServedWrite<TStore>(served, ending, images, await served.OpenConnectionAsync(cancellationToken), clock);
        try
        {
            write._transaction = await write._connection.BeginTransactionAsync(cancellationToken);
            if (footprint is not null) await write.LookAsync(footprint, withImages, mayDoWithout, cancellationToken);
            write.Store = storeOver(write._connection, write._transaction);
            return write;
        }
        catch
        {
            await write.DisposeAsync();
            throw;
        }
    }

    public async Task<WrittenRows?> ReadAsync(CancellationToken cancellationToken)
    {
        if (Before is not { } before || IsEndedBySide) return null;
        if (before.IsTooLarge) return WrittenRows.Untouched(before);
        var started = _clock.GetTimestamp();
        try
        {
            return await _images.AfterAsync(_connection, _transaction!, before, _marks, cancellationToken);
        }
        catch (NpgsqlException failure)
        {
            _aborted = await TryGoOnAsync(failure, cancellationToken);
            return null;
        }
        finally
        {
            ImageTime += _clock.GetElapsedTime(started);
        }
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        // A side that goes on after a failure is in a transaction that is lost; to commit it would undo it, and say nothing.
        if (Before is null or { IsTooLarge: true }) await ProbeAsync(cancellationToken);
        if (_aborted is { } aborted) throw new WriteUndoneException(aborted);
        _isCommitted = true;
        try
        {
            await _transaction!.CommitAsync(cancellationToken);
        }
        catch (PostgresException refused) when (refused.InvariantSeverity == "ERROR")
        {
            _isCommitted = false;
            throw;
        }
    }

    public async Task AbandonAsync()
    {
        await using var command = _ending.CreateCommand(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and usename = current_user and xact_start is not null");
        command.Parameters.Add(new() { Value = _session ?? _connection.ProcessID });
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

    private async Task LookAsync(WriteFootprint footprint, bool withImages, bool mayDoWithout, CancellationToken cancellationToken)
    {
        var began = _clock.GetTimestamp();
        try
        {
            if (withImages)
            {
                (Before, _marks, _session, var waited) = await _images.BeforeAsync(_connection, _transaction!, footprint, mayDoWithout, cancellationToken);
                ImageTime = _clock.GetElapsedTime(began) - waited;
            }
            else if (footprint.Locks.Count > 0) _session = await RowImages.LockAsync(_connection, _transaction!, footprint, cancellationToken);
        }
        catch (NpgsqlException failure) when (!cancellationToken.IsCancellationRequested)
        {
            if (!mayDoWithout) throw new RowsHeldException(failure);
            // Its locks have been waited for as long as it waits for anything: it would not get them now.
            if (failure.InnerException is TimeoutException) throw;
            await _transaction!.DisposeAsync();
            if (!IsConnected)
            {
                await _connection.DisposeAsync();
                _connection = await _served.OpenConnectionAsync(cancellationToken);
            }

            _transaction = await _connection.BeginTransactionAsync(cancellationToken);
            var lost = _clock.GetElapsedTime(began);
            ImageTime = lost < MostOfImage ? lost : MostOfImage;
        }
    }

    /// <summary>The image is lost, not the write.</summary>
    /// <returns>Why the write is lost as well; null where it is not.</returns>
    private async Task<NpgsqlException?> TryGoOnAsync(NpgsqlException failure, CancellationToken cancellationToken)
    {
        if (failure.SqlState == PostgresErrorCodes.InFailedSqlTransaction) return failure;
        if (!IsConnected)
        {
            await TryEndAsync();
            return failure;
        }

        try
        {
            await _transaction!.RollbackAsync("row_images", cancellationToken);
            return null;
        }
        catch (NpgsqlException lost)
        {
            return lost;
        }
    }

    /// <summary>The server may not have noticed yet that nobody is there any more: whoever does the write instead is not to wait for that.</summary>
    private async Task TryEndAsync()
    {
        try
        {
            await AbandonAsync();
        }
#pragma warning disable CA1031 // It will notice by itself.
        catch (Exception)
        {
        }
#pragma warning restore CA1031
    }

    private async Task ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var probe = new NpgsqlCommand("select 1", _connection, _transaction);
            await probe.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.InFailedSqlTransaction)
        {
            _aborted = failure;
        }
    }
}
