using System.Globalization;

namespace Shadowing.Model;

/// <summary>The time in which a write ran, by the database's clock and by this machine's: a time within is the write's own.</summary>
/// <param name="From">By the database's clock, in UTC.</param>
/// <param name="To">By the database's clock, in UTC.</param>
/// <param name="Offset">Of the session's time zone.</param>
/// <param name="LocalFrom">By this machine's clock, in UTC.</param>
/// <param name="LocalTo">By this machine's clock, in UTC.</param>
public sealed record RunWindow(DateTime From, DateTime To, TimeSpan Offset, DateTime LocalFrom, DateTime LocalTo)
{
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(1);

    /// <summary>How a time is the write's own; null where it is not. Two times are the same where they are so in the same way.</summary>
    /// <param name="text">The JSON form of a column: with an offset of <c>timestamptz</c>, without one of <c>timestamp</c>.</param>
    public string? KindOf(string text)
    {
        if (text.Length < 19 || text[4] != '-' || text[10] is not ('T' or ' ')) return null;
        var hasZone = text.AsSpan(19).IndexOfAny('Z', '+', '-') >= 0;
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return null;
        return hasZone ? OfInstant(time.UtcDateTime) : OfWall(time.UtcDateTime);
    }

    /// <inheritdoc cref="KindOf(string)"/>
    public string? KindOf(object? value) => value switch
    {
        DateTimeOffset time => OfInstant(time.UtcDateTime),
        DateTime { Kind: DateTimeKind.Unspecified } time => OfWall(time),
        DateTime time => OfInstant(time.ToUniversalTime()),
        string text => KindOf(text),
        _ => null,
    };

    private string? OfInstant(DateTime time) => Has(time) ? "instant" : null;

    // In UTC the wall clock of the session and of universal time are one.
    private string? OfWall(DateTime time) => Has(time - Offset) ? "wall" : Has(time) ? "universal" : null;

    private bool Has(DateTime time) =>
        (time >= From - Slack && time <= To + Slack) || (time >= LocalFrom - Slack && time <= LocalTo + Slack);
}
