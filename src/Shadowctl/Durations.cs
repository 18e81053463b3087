using System.CommandLine.Parsing;
using System.Globalization;

namespace Shadowctl;

/// <summary>Times as they are typed: <c>90s</c>, <c>15m</c>, <c>12h</c>, <c>7d</c>, <c>2w</c>; or a moment such as 2030-01-31.</summary>
internal static class Durations
{
    private const string Expected = "a time such as 90s, 15m, 12h, 7d or 2w";

    /// <returns>Null where it is no such time.</returns>
    public static TimeSpan? Read(string text)
    {
        if (text.Length < 2 || !double.TryParse(text.AsSpan()[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out var number))
            return null;
        var seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, 'w' => 604_800, _ => 0 };
        return seconds == 0 || number * seconds > TimeSpan.FromDays(3650).TotalSeconds ? null : TimeSpan.FromSeconds(number * seconds);
    }

    /// <summary>Parses an option's value; a plain number counts seconds.</summary>
    public static TimeSpan? Parse(ArgumentResult given)
    {
        if (given.Tokens is not [var token]) return null;
        if (Read(token.Value) is { } time) return time;
        if (double.TryParse(token.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            && seconds < TimeSpan.FromDays(3650).TotalSeconds) return TimeSpan.FromSeconds(seconds);
        given.AddError($"'{token.Value}' is not {Expected}.");
        return null;
    }

    /// <summary>Parses a moment, or a time from now on (or back from now).</summary>
    public static Func<ArgumentResult, DateTimeOffset?> Moment(bool ahead) => given =>
    {
        if (given.Tokens is not [var token]) return null;
        var now = TimeProvider.System.GetUtcNow();
        if (Read(token.Value) is { } time) return ahead ? now + time : now - time;
        if (DateTimeOffset.TryParse(token.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
            out var moment)) return moment;
        given.AddError($"'{token.Value}' is neither {Expected} nor a moment such as 2030-01-31T12:00Z.");
        return null;
    };
}
