namespace Shadowing.AspNetCore.Console;

/// <summary>What the console logs of sessions.</summary>
internal static partial class ConsoleLog
{
    [LoggerMessage(62, LogLevel.Error, "A session of the console could not begin: its keys could not be read.")]
    public static partial void KeysAway(ILogger logger, Exception failure);
}
