using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Shadowing.EntityFrameworkCore;

namespace Ticketing.EntityFrameworkCore;

/// <summary>Registers the candidate.</summary>
public static class EfCoreTickets
{
    /// <summary>Adds the pooled context factory that <see cref="EfTicketStore"/> is built over. It needs no connection string.</summary>
    public static IServiceCollection AddEfCoreTickets(this IServiceCollection services) =>
        services.AddPooledDbContextFactory<TicketingContext>(static options => options
            .UseNpgsql(static postgres => postgres
                // The default strategy wraps what may be transient into an exception of its own; the control's stays what it is.
                .ExecutionStrategy(static dependencies => new NonRetryingExecutionStrategy(dependencies)))
            // Whoever runs the candidate observes its failures; EF Core's own log would quote them, values and all.
            .UseLoggerFactory(NullLoggerFactory.Instance)
            .UseNestedTransactions()
            .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking));
}
