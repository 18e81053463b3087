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
                // The default strategy wraps transient failures in an exception of its own; the control's failures are not wrapped.
                .ExecutionStrategy(static dependencies => new NonRetryingExecutionStrategy(dependencies)))
            // The caller of the candidate observes its failures. EF Core's own log would quote them with values.
            .UseLoggerFactory(NullLoggerFactory.Instance)
            .UseNestedTransactions()
            .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking));
}
