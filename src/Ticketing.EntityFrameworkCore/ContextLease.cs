using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Ticketing.EntityFrameworkCore;

/// <summary>A pooled context over the session's connection and transaction, for one operation.</summary>
internal readonly struct ContextLease : IAsyncDisposable
{
    private readonly IDbContextTransaction? _transaction;

    private ContextLease(TicketingContext context, IDbContextTransaction? transaction) => (Context, _transaction) = (context, transaction);

    public TicketingContext Context { get; }

    public static async ValueTask<ContextLease> TakeAsync(
        IDbContextFactory<TicketingContext> contexts, TicketSession session, CancellationToken cancellationToken)
    {
        var context = await contexts.CreateDbContextAsync(cancellationToken);
        try
        {
            context.Database.SetDbConnection(session.Connection);
            var transaction = session.Transaction is { } outer ? await context.Database.UseTransactionAsync(outer, cancellationToken) : null;
            return new(context, transaction);
        }
        catch
        {
            await ReturnAsync(context);
            throw;
        }
    }

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
    private static async ValueTask ReturnAsync(TicketingContext context)
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
