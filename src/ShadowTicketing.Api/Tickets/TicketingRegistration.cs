using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Tickets;

internal static class TicketingRegistration
{
    public static IServiceCollection AddTicketing(this IServiceCollection services)
    {
        services.AddServedDatabase();
        services.AddScoped<ITicketStore, ServedTicketStore>();
        return services;
    }
}
