using Microsoft.EntityFrameworkCore;
using Shadowing.EntityFrameworkCore;

namespace Ticketing.EntityFrameworkCore;

/// <summary>The candidate: the same seven operations in EF Core.</summary>
/// <remarks>
/// Its answers are the control's, quirks included: nothing breaks ties, and the clock is the database's. Contexts are leased per
/// operation, with the session's connection and, where there is one, its transaction.
/// </remarks>
public sealed partial class EfTicketStore(IDbContextFactory<TicketingContext> contexts, TicketSession session) : ITicketStore
{
    private ValueTask<ContextLease<TicketingContext>> LeaseAsync(CancellationToken cancellationToken) =>
        contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
}
