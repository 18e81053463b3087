using System.Globalization;
using System.Text.Json;

namespace Ticketing.Api.Tests.Security;

/// <summary>Values that are valid, and values that have hurt services before.</summary>
internal sealed class FuzzValues(Random random)
{
    private static readonly string[] Words =
        ["open", "in_progress", "resolved", "closed", "low", "medium", "high", "urgent", "general", "bug", "mine", "all", "7d", "30d", "tickets.get",
         "tickets.list", "tickets.update", "full", "next", "this", "off", "shadow-10", "a reason that is long enough", "firing", "rollback", "2027-01-01T00:00:00Z"];

    private static readonly string[] Odd =
        ["", " ", "\0", "a\0b", "\u202e", "\u001b[31m", "İSTANBUL ß", "🧨", "'; drop table users; --", "%", "_", "\\", "\"", "null", "-0", "1e309", "NaN", "../..",
         "$1", "{0}", "\u0301", new('x', 300), new('y', 5_000), new('z', 70_000)];

    // As they are written in JSON: halves of a pair cannot be encoded otherwise.
    private static readonly string[] OddJson = ["\"\\ud83d\"", "\"\\ude00 half\"", "\"\\u0000\"", "1e400", "-1", "0", "2147483648", "9223372036854775808", "[]", "{}", "[[[[[[[[]]]]]]]]", "null"];

    private static readonly string[] Segments =
        ["%00", "%", "%ff", "%ed%a0%80", "..%2f", "%2e%2e", "-1", "0", "+5", "01", "1abc", "2147483648", "99999999999999999999", "%20", "%e2%80%ae", "a%0d%0ab",
         "tickets.get", "tickets.update", "get", "0123456789ab"];

    public int Below(int limit) => random.Next(limit);

    public bool Sometimes(int oneIn) => random.Next(oneIn) == 0;

    /// <summary>A step of a path.</summary>
    public string Segment() => Sometimes(3) ? Pick(Segments) : Number(1, 2_100);

    /// <summary>The value of a parameter.</summary>
    public string Query(string name) => random.Next(5) switch
    {
        0 => Pick(Segments),
        1 => Uri.EscapeDataString(Clean(Pick(Odd)) is { Length: < 2_000 } text ? text : "x"),
        2 when name is "page" or "limit" or "assignedTo" or "subject" or "user" or "before" => Number(-1, 120),
        _ => Uri.EscapeDataString(name is "page" or "limit" or "assignedTo" ? Number(1, 60) : Pick(Words)),
    };

    public string JsonText() => Sometimes(6) ? Pick(OddJson) : Quoted(Sometimes(4) ? Pick(Odd) : Pick(Words));

    public string JsonNumber() => Sometimes(4) ? Pick(OddJson) : Number(1, 60);

    public string AnyJson() => random.Next(3) switch { 0 => JsonText(), 1 => JsonNumber(), _ => Pick(OddJson) };

    /// <summary>Now and then not even JSON.</summary>
    public byte[] Mutated(byte[] body)
    {
        switch (random.Next(25))
        {
            case 0: return body[..random.Next(body.Length + 1)];
            case 1: return [.. body, .. "{}"u8];
            case 2: return [0xef, 0xbb, 0xbf, .. body];
            case 3:
                if (body.Length > 0) body[random.Next(body.Length)] = (byte)random.Next(256);
                return body;
            default: return body;
        }
    }

    public static string Quoted(string text) => JsonSerializer.Serialize(text);

    private static string Clean(string text) => new([.. text.Where(unit => !char.IsSurrogate(unit))]);

    private string Number(int from, int to) => random.Next(from, to).ToString(CultureInfo.InvariantCulture);

    private T Pick<T>(T[] values) => values[random.Next(values.Length)];
}
