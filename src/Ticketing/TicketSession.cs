using Npgsql;

namespace Ticketing;

/// <summary>
/// A connection and the one way to begin a transaction on it. Stores are built over it and know nothing else of where they run.
/// </summary>
/// <remarks>
/// The session decides what <see cref="BeginAsync"/> means: on a pooled connection a transaction, inside one that somebody else holds
/// (a snapshot, a sandbox) a savepoint. Not safe for concurrent use, like the connection itself.
/// </remarks>
public sealed class TicketSession : IAsyncDisposable
{
    private readonly bool _ownsConnection;

    private TicketSession(NpgsqlConnection connection, NpgsqlTransaction? transaction, bool ownsConnection) =>
        (Connection, Transaction, _ownsConnection) = (connection, transaction, ownsConnection);

    /// <summary>The open connection.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>The transaction that statements run in; null where each is its own.</summary>
    public NpgsqlTransaction? Transaction { get; private set; }

    /// <summary>Leases a connection from a pool; disposing gives it back.</summary>
    public static async ValueTask<TicketSession> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new(await source.OpenConnectionAsync(cancellationToken), null, ownsConnection: true);
    }

    /// <summary>Takes over an open connection; disposing the session gives it back.</summary>
    public static TicketSession Owning(NpgsqlConnection connection) => new(connection, null, ownsConnection: true);

    /// <summary>Works inside a transaction that the caller holds and ends; disposing the session leaves both alone.</summary>
    public static TicketSession Within(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        new(connection, transaction, ownsConnection: false);

    /// <summary>
    /// Begins a transaction or, inside one, a savepoint. What is not committed by the time it is disposed is rolled back.
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

/// <summary>What <see cref="TicketSession.BeginAsync"/> began.</summary>
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
