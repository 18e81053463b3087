namespace Ticketing.Api.Problems;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Critical, "Not started: {Setting}")]
    public static partial void SettingRefused(ILogger logger, string setting);

    [LoggerMessage(4, LogLevel.Critical, "Not started: {Fault}. Stop what listens there, or set ASPNETCORE_URLS to another address.")]
    public static partial void AddressTaken(ILogger logger, string fault);

    [LoggerMessage(2, LogLevel.Error, "{Method} {Route} failed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string? route);

    [LoggerMessage(3, LogLevel.Error, "{Method} {Route} found no database: {Why}. What follows is counted, and logged each {Seconds:0} s.")]
    public static partial void DatabaseUnavailable(ILogger logger, string method, string? route, string why, double seconds);

    [LoggerMessage(5, LogLevel.Error, "{Count} more requests found no database within {Seconds:0} s, the last one {Method} {Route}: {Why}")]
    public static partial void DatabaseStillUnavailable(ILogger logger, long count, double seconds, string method, string? route,
        string why);
}
