using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Shadowing.EntityFrameworkCore;

/// <summary>
/// Lets <c>context.Database.BeginTransaction</c> mean a savepoint where a transaction is around the context already: a snapshot, a sandbox,
/// a write whose rows are read. EF Core alone refuses it there, and the candidate would be blamed for where it was run.
/// </summary>
/// <remarks>
/// An isolation level that is asked for inside a transaction is passed over: the outer one's holds, as the server would have it.
/// </remarks>
internal sealed class NestedTransactions(IRelationalConnection connection) : IRelationalTransactionManager
{
    private NestedTransaction? _nested;

    public IDbContextTransaction? CurrentTransaction => _nested ?? connection.CurrentTransaction;

    public IDbContextTransaction BeginTransaction() => BeginTransaction(IsolationLevel.Unspecified);

    public IDbContextTransaction BeginTransaction(IsolationLevel isolationLevel)
    {
        if (connection.CurrentTransaction is not { } outer) return connection.BeginTransaction(isolationLevel);
        var nested = Nest(outer);
        outer.CreateSavepoint(nested.Name);
        return _nested = nested;
    }

    public Task<IDbContextTransaction> BeginTransactionAsync(CancellationToken cancellationToken = default) =>
        BeginTransactionAsync(IsolationLevel.Unspecified, cancellationToken);

    public async Task<IDbContextTransaction> BeginTransactionAsync(
        IsolationLevel isolationLevel, CancellationToken cancellationToken = default)
    {
        if (connection.CurrentTransaction is not { } outer)
            return await connection.BeginTransactionAsync(isolationLevel, cancellationToken);
        var nested = Nest(outer);
        await outer.CreateSavepointAsync(nested.Name, cancellationToken);
        return _nested = nested;
    }

    public void CommitTransaction()
    {
        if (_nested is { } nested) nested.Commit();
        else connection.CommitTransaction();
    }

    public Task CommitTransactionAsync(CancellationToken cancellationToken = default) =>
        _nested is { } nested ? nested.CommitAsync(cancellationToken) : connection.CommitTransactionAsync(cancellationToken);

    public void RollbackTransaction()
    {
        if (_nested is { } nested) nested.Rollback();
        else connection.RollbackTransaction();
    }

    public Task RollbackTransactionAsync(CancellationToken cancellationToken = default) =>
        _nested is { } nested ? nested.RollbackAsync(cancellationToken) : connection.RollbackTransactionAsync(cancellationToken);

    public IDbContextTransaction? UseTransaction(DbTransaction? transaction) => connection.UseTransaction(transaction);

    public IDbContextTransaction? UseTransaction(DbTransaction? transaction, Guid transactionId) =>
        connection.UseTransaction(transaction, transactionId);

    public Task<IDbContextTransaction?> UseTransactionAsync(DbTransaction? transaction, CancellationToken cancellationToken = default) =>
        connection.UseTransactionAsync(transaction, cancellationToken);

    public Task<IDbContextTransaction?> UseTransactionAsync(
        DbTransaction? transaction, Guid transactionId, CancellationToken cancellationToken = default) =>
        connection.UseTransactionAsync(transaction, transactionId, cancellationToken);

    public void ResetState()
    {
        _nested = null;
        connection.ResetState();
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        _nested = null;
        return connection.ResetStateAsync(cancellationToken);
    }

    // As on a connection of its own: one at a time.
    private NestedTransaction Nest(IDbContextTransaction outer) => _nested is null
        ? new(outer, () => _nested = null)
        : throw new InvalidOperationException("The connection is already in a transaction and cannot participate in another transaction.");
}

/// <summary>
/// A transaction of the candidate's own inside another: what is not committed by the time it is disposed is undone, and nothing else is.
/// </summary>
internal sealed class NestedTransaction(IDbContextTransaction outer, Action ended) : IDbContextTransaction, IInfrastructure<DbTransaction>
{
    private bool _hasEnded;

    public string Name { get; } = "nested_transaction";

    public Guid TransactionId { get; } = Guid.NewGuid();

    public bool SupportsSavepoints => outer.SupportsSavepoints;

    DbTransaction IInfrastructure<DbTransaction>.Instance => outer.GetDbTransaction();

    public void Commit()
    {
        outer.ReleaseSavepoint(Name);
        End();
    }

    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        await outer.ReleaseSavepointAsync(Name, cancellationToken);
        End();
    }

    public void Rollback()
    {
        outer.RollbackToSavepoint(Name);
        End();
    }

    public async Task RollbackAsync(CancellationToken cancellationToken = default)
    {
        await outer.RollbackToSavepointAsync(Name, cancellationToken);
        End();
    }

    public void CreateSavepoint(string name) => outer.CreateSavepoint(name);

    public Task CreateSavepointAsync(string name, CancellationToken cancellationToken = default) =>
        outer.CreateSavepointAsync(name, cancellationToken);

    public void RollbackToSavepoint(string name) => outer.RollbackToSavepoint(name);

    public Task RollbackToSavepointAsync(string name, CancellationToken cancellationToken = default) =>
        outer.RollbackToSavepointAsync(name, cancellationToken);

    public void ReleaseSavepoint(string name) => outer.ReleaseSavepoint(name);

    public Task ReleaseSavepointAsync(string name, CancellationToken cancellationToken = default) =>
        outer.ReleaseSavepointAsync(name, cancellationToken);

    public void Dispose()
    {
        if (!_hasEnded) Rollback();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_hasEnded) await RollbackAsync();
    }

    private void End()
    {
        _hasEnded = true;
        ended();
    }
}
