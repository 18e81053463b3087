using Npgsql;

namespace Ticketing;

/// <summary>
/// A connection and the only way to begin a transaction on it. Stores are built over a session and know nothing else of where they run.
/// </summary>
/// <remarks>
/// The session decides what <see cref="BeginAsync"/> begins: a transaction on a pooled connection, or a savepoint inside a transaction that
/// the caller holds (a snapshot, a sandbox). Not safe for concurrent use, like the connection itself.
/// </remarks>
public sealed class TicketSession : IAsyncDisposable
{
    private readonly bool _ownsConnection;

    private TicketSession(NpgsqlConnection connection, NpgsqlTransaction? transaction, bool ownsConnection) =>
        (Connection, Transaction, _ownsConnection) = (connection, transaction, ownsConnection);

    /// <summary>The open connection.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>The transaction that statements run in; null where each statement has its own.</summary>
    public NpgsqlTransaction? Transaction { get; private set; }

    /// <summary>Leases a connection from a pool; disposing gives it back.</summary>
    public static async ValueTask<TicketSession> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new(await source.OpenConnectionAsync(cancellationToken), null, ownsConnection: true);
    }

    /// <summary>Takes over an open connection; disposing the session gives it back.</summary>
    public static TicketSession Owning(NpgsqlConnection connection) => new(connection, null, ownsConnection: true);

    /// <summary>
    /// Works inside a transaction that the caller holds and ends; disposing the session leaves it and the connection open.
    /// </summary>
    public static TicketSession Within(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        new(connection, transaction, ownsConnection: false);

    /// <summary>
    /// Begins a transaction or, inside one, a savepoint. If it is disposed of before it is committed, it is rolled back.
    /// </summary>
    public async ValueTask<TicketTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        if (Transaction is { } outer)
        {
            var savepoint = "ticket_session";
            await outer.SaveAsync(savepoint, cancellationToken);
            return new(this, outer, savepoint);
        }

        Transaction = await Connection.BeginTransactionAsync(cancellationToken);
        return new(this, Transaction, savepoint: null);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _ownsConnection ? Connection.DisposeAsync() : ValueTask.CompletedTask;

    internal void Ended() => Transaction = null;
}

/// <summary>A transaction or savepoint begun by <see cref="TicketSession.BeginAsync"/>.</summary>
public sealed class TicketTransaction : IAsyncDisposable
{
    private readonly TicketSession _session;
    private readonly NpgsqlTransaction _transaction;
    private readonly string? _savepoint;
    private bool _committed;

    internal TicketTransaction(TicketSession session, NpgsqlTransaction transaction, string? savepoint) =>
        (_session, _transaction, _savepoint) = (session, transaction, savepoint);

    /// <summary>Commits, or releases the savepoint.</summary>
    public async ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        await (_savepoint is null ? _transaction.CommitAsync(cancellationToken) : _transaction.ReleaseAsync(_savepoint, cancellationToken));
        _committed = true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_savepoint is not null)
        {
            if (!_committed) await _transaction.RollbackAsync(_savepoint);
            return;
        }

        _session.Ended();
        await _transaction.DisposeAsync();
    }
}
