using System.Text.Json;

namespace Shadowing.Postgres.Writes;

/// <summary>Values out of JSON.</summary>
internal static class RowJson
{
    private const int MostValues = 1_000;
    private const int LongestValue = 200;

    /// <summary>The columns of a row that have numbers or texts.</summary>
    public static Dictionary<string, string> Texts(string body)
    {
        using var json = JsonDocument.Parse(body);
        var texts = new Dictionary<string, string>();
        foreach (var column in json.RootElement.EnumerateObject())
        {
            if (TextOf(column.Value) is { } text) texts[column.Name] = text;
        }

        return texts;
    }

    /// <summary>The numbers and short texts in a request or an answer; none where it cannot be written as JSON.</summary>
    public static IEnumerable<string> Values(object? value)
    {
        if (value is null) return [];
        JsonElement json;
        try
        {
            json = JsonSerializer.SerializeToElement(value, value.GetType());
        }
#pragma warning disable CA1031 // A getter of the application's may throw anything; then the commands' values alone name the rows.
        catch (Exception)
        {
            return [];
        }
#pragma warning restore CA1031

        return Within(json).Take(MostValues);
    }

    private static IEnumerable<string> Within(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(member => Within(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(Within),
        _ => TextOf(json) is { Length: > 0 and <= LongestValue } text ? [text] : [],
    };

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };
}
