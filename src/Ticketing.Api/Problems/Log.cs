namespace Ticketing.Api.Problems;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Critical, "Not started: {Setting}")]
    public static partial void SettingRefused(ILogger logger, string setting);

    [LoggerMessage(2, LogLevel.Error, "{Method} {Route} failed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string? route);

    [LoggerMessage(3, LogLevel.Warning, "{Method} {Route} found no database")]
    public static partial void DatabaseUnavailable(ILogger logger, Exception exception, string method, string? route);
}
