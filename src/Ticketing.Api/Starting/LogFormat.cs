namespace Ticketing.Api.Starting;

/// <summary>How the log is written: for people on a terminal, and in a container one JSON object a line, with UTC timestamps.</summary>
internal static class LogFormat
{
    /// <summary>What the .NET images set.</summary>
    private const string InContainer = "DOTNET_RUNNING_IN_CONTAINER";

    public static void Apply(ILoggingBuilder logging) => Apply(logging, isChosen: false);

    /// <param name="isChosen">Whether the settings name a format; then that is taken.</param>
    public static void Apply(ILoggingBuilder logging, bool isChosen)
    {
        logging.AddConsole();
        if (isChosen) return;
        if (Environment.GetEnvironmentVariable(InContainer) is "true" or "1") logging.AddJsonConsole(format =>
        {
            format.UseUtcTimestamp = true;
            format.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        else logging.AddSimpleConsole(format =>
        {
            (format.UseUtcTimestamp, format.SingleLine) = (true, true);
            format.TimestampFormat = "HH:mm:ss.fff'Z' ";
        });
    }
}
