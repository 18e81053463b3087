using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Shadowing.EntityFrameworkCore;

/// <summary>A pooled context over a connection and a transaction that are not its own, for one operation.</summary>
/// <remarks>Disposing gives the context back to its pool without them.</remarks>
[SuppressMessage("Performance", "CA1815", Justification = "A lease is given back, never compared.")]
public readonly struct ContextLease<TContext> : IAsyncDisposable
    where TContext : DbContext
{
    private readonly IDbContextTransaction? _transaction;

    internal ContextLease(TContext context, IDbContextTransaction? transaction) => (Context, _transaction) = (context, transaction);

    /// <summary>The context, while the lease lasts.</summary>
    public TContext Context { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_transaction is not null) await _transaction.DisposeAsync();
        }
        finally
        {
            await ReturnAsync(Context);
        }
    }

    // A context keeps the connection it was handed, even in the pool: the next operation would inherit it.
    internal static async ValueTask ReturnAsync(TContext context)
    {
        try
        {
            context.Database.SetDbConnection(null);
        }
        finally
        {
            await context.DisposeAsync();
        }
    }
}

/// <summary>Takes leases.</summary>
public static class ContextLease
{
    /// <summary>Lends a context of the pool the connection and, where there is one, the transaction around it.</summary>
    public static async ValueTask<ContextLease<TContext>> TakeAsync<TContext>(
        this IDbContextFactory<TContext> contexts, DbConnection connection, DbTransaction? outer, CancellationToken cancellationToken)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(contexts);
        var context = await contexts.CreateDbContextAsync(cancellationToken);
        try
        {
            context.Database.SetDbConnection(connection);
            var transaction = outer is null ? null : await context.Database.UseTransactionAsync(outer, cancellationToken);
            return new(context, transaction);
        }
        catch
        {
            await ContextLease<TContext>.ReturnAsync(context);
            throw;
        }
    }
}
