using Microsoft.EntityFrameworkCore;
using ShadowTicketing.Tickets;
using ShadowTicketing.Tickets.Dapper;
using ShadowTicketing.Tickets.EfCore;

namespace ShadowTicketing.Api.Tickets;

internal static class TicketingRegistration
{
    public static IServiceCollection AddTicketing(this IServiceCollection services)
    {
        services.AddServedDatabase();
        services.AddEfCoreTickets();
        services.AddSingleton<ControlStore>(static _ => static session => new DapperTicketStore(session));
        services.AddSingleton<CandidateStore>(static provider =>
        {
            var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
            return session => new EfTicketStore(contexts, session);
        });
        services.AddScoped<ITicketStore, ServedTicketStore>();
        return services;
    }
}
