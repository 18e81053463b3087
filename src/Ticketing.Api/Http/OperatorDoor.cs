namespace Ticketing.Api.Http;

/// <summary>
/// A listener of its own for operators, the webhook and metrics. Kestrel counts the connections of each listener by itself, so connections
/// that are held open on the users' one never shut out a rollback.
/// </summary>
internal static class OperatorDoor
{
    /// <summary>The port of the second listener; absent: all routes are on the one there is.</summary>
    public const string Setting = "OperatorPort";

    /// <summary>Adds the listener to those of the settings.</summary>
    public static void AddOperatorDoor(this WebApplicationBuilder builder)
    {
        if (PortOf(builder.Configuration) is not { } port) return;
        var urls = builder.WebHost.GetSetting(WebHostDefaults.ServerUrlsKey);
        if (string.IsNullOrEmpty(urls))
        {
            urls = builder.WebHost.GetSetting(WebHostDefaults.HttpPortsKey) is { Length: > 0 } ports
                ? string.Join(';', ports.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(one => $"http://*:{one}"))
                : "http://localhost:5000";
        }

        builder.WebHost.UseUrls([.. urls.Split(';', StringSplitOptions.RemoveEmptyEntries), $"http://*:{port}"]);
    }

    /// <summary>Serves each listener its own routes; health on both.</summary>
    public static void UseOperatorDoor(this WebApplication app)
    {
        if (PortOf(app.Configuration) is not { } port) return;
        app.Use((context, next) =>
        {
            var path = context.Request.Path;
            if (path.StartsWithSegments("/health") || IsOfOperators(path) == (context.Connection.LocalPort == port)) return next(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
    }

    private static bool IsOfOperators(PathString path) => path.StartsWithSegments("/shadow") || path.StartsWithSegments("/metrics");

    private static int? PortOf(IConfiguration configuration) => configuration[Setting] switch
    {
        null or "" => null,
        var text when int.TryParse(text, out var port) && port is > 0 and < 65_536 => port,
        var text => throw new Microsoft.Extensions.Options.OptionsValidationException(
            Setting, typeof(int), [$"{Setting} = '{text}': it is a port from 1 to 65535."]),
    };
}
