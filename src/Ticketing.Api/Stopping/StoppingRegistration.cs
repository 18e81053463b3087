using Microsoft.Extensions.Options;
using Shadowing.Settings;

namespace Ticketing.Api.Stopping;

internal static class StoppingRegistration
{
    public static void AddStopping(this IServiceCollection services)
    {
        services.AddOptions<StoppingOptions>().BindReadable(StoppingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<StoppingOptions>, StoppingValidation>();
        services.AddSingleton<LettingGo>();
        services.AddHostedService(provider => provider.GetRequiredService<LettingGo>());
    }

    /// <summary>
    /// Closes each connection with its answer while the service stops. First of all in the pipeline, and as late as an answer begins:
    /// an answer to a failure has its headers cleared before.
    /// </summary>
    public static void UseStopping(this WebApplication app)
    {
        var lettingGo = app.Services.GetRequiredService<LettingGo>();
        app.Use((context, next) =>
        {
            context.Response.OnStarting(
                state =>
                {
                    if (lettingGo.HasBegun) ((HttpContext)state).Response.Headers.Connection = "close";
                    return Task.CompletedTask;
                },
                context);
            return next(context);
        });
    }
}
