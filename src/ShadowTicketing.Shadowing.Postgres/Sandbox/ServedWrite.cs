using Npgsql;
using ShadowTicketing.Shadowing.Writing;

namespace ShadowTicketing.Shadowing.Postgres.Sandbox;

/// <summary>A write for real, in one transaction with the images of its rows.</summary>
internal sealed class ServedWrite<TStore> : IServedWrite<TStore>
{
    private readonly NpgsqlDataSource _served;
    private readonly RowImages _images;
    private readonly TimeProvider _clock;
    private NpgsqlConnection _connection;
    private NpgsqlTransaction _transaction;
    private long[] _marks = [];
    private bool _isCommitting;
    private NpgsqlException? _aborted;

    private ServedWrite(NpgsqlDataSource served, RowImages images, TimeProvider clock, NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        (_served, _images, _clock, _connection, _transaction, Store) = (served, images, clock, connection, transaction, default!);
    }

    public TStore Store { get; private set; }

    public RowImage? Before { get; private set; }

    public TimeSpan ImageTime { get; private set; }

    public bool IsUndone { get; private set; } = true;

    private bool IsConnected => _connection.FullState.HasFlag(System.Data.ConnectionState.Open);

    /// <param name="footprint">Null where no images are wanted.</param>
    public static async ValueTask<ServedWrite<TStore>> BeginAsync(
        NpgsqlDataSource served, RowImages images, WriteFootprint? footprint, Func<NpgsqlConnection, NpgsqlTransaction, TStore> storeOver, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var connection = await served.OpenConnectionAsync(cancellationToken);
        var write = new ServedWrite<TStore>(served, images, clock, connection, await connection.BeginTransactionAsync(cancellationToken));
        try
        {
            if (footprint is not null) await write.LookAsync(footprint, cancellationToken);
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
        if (Before is not { } before) return null;
        if (before.IsTooLarge) return WrittenRows.Untouched(before);
        var started = _clock.GetTimestamp();
        try
        {
            return await _images.AfterAsync(_connection, _transaction, before, _marks, cancellationToken);
        }
        catch (NpgsqlException failure) when (failure.SqlState == PostgresErrorCodes.InFailedSqlTransaction || !IsConnected)
        {
            _aborted = failure;
            return null;
        }
        catch (NpgsqlException)
        {
            // The image is lost, not the write.
            await _transaction.RollbackAsync("row_images", cancellationToken);
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
        _isCommitting = true;
        IsUndone = false;
        try
        {
            await _transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException refused) when (refused.InvariantSeverity == "ERROR")
        {
            IsUndone = true;
            throw;
        }
    }

    public async Task AbandonAsync()
    {
        if (_isCommitting) return;
        await using var command = _served.CreateCommand("select pg_terminate_backend($1)");
        command.Parameters.Add(new() { Value = _connection.ProcessID });
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _transaction.DisposeAsync();
        }
        finally
        {
            await _connection.DisposeAsync();
        }
    }

    /// <summary>Images that cannot be had are done without: the write is the user's.</summary>
    private async Task LookAsync(WriteFootprint footprint, CancellationToken cancellationToken)
    {
        var locked = _clock.GetTimestamp();
        try
        {
            (Before, _marks) = await _images.BeforeAsync(_connection, _transaction, footprint, () => locked = _clock.GetTimestamp(), cancellationToken);
        }
        catch (NpgsqlException) when (!cancellationToken.IsCancellationRequested)
        {
            await _transaction.DisposeAsync();
            if (!IsConnected)
            {
                await _connection.DisposeAsync();
                _connection = await _served.OpenConnectionAsync(cancellationToken);
            }

            _transaction = await _connection.BeginTransactionAsync(cancellationToken);
        }
        finally
        {
            ImageTime = _clock.GetElapsedTime(locked);
        }
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
