using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.SelfTesting;

/// <summary>
/// Copies an answer and makes the copy wrong in one place, in memory: in the JSON that users would get of it, so that what is planted is
/// what they would see, and not what the comparer looks at.
/// </summary>
internal static class PlantedDifference
{
    private const int Attempts = 32;

    /// <summary>
    /// A copy that users would see no difference to; null where none can be made: of types that JSON does not bring back.
    /// </summary>
    public static T? Copy<T>(T answer) => Read<T>(Shown(answer)) is { Copy: { } copy } ? copy : default;

    /// <summary>A copy whose JSON differs in one place, chosen by <paramref name="random"/>.</summary>
    /// <returns>
    /// The copy and the index-free path of what was changed; null where nothing could be: an empty answer, or types that JSON does not
    /// bring back.
    /// </returns>
    public static (T Copy, string Path)? In<T>(T answer, Random random)
    {
        if (Shown(answer) is not { } shown) return null;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var wrong = shown.DeepClone();
            if (Change(ref wrong, random) is { } path && Read<T>(wrong) is { Copy: { } copy }) return (copy, path);
        }

        return null;
    }

    /// <summary>
    /// Whether a difference found at a pattern is the one planted at a path: a key stands in brackets where JSON has a name.
    /// </summary>
    public static bool IsAt(string pattern, string path)
    {
        var (found, planted) = (Steps(pattern), Steps(path));
        return found.Length <= planted.Length && found.Zip(planted).All(pair => pair.First == pair.Second || pair.First == "*");

        static string[] Steps(string path) => path.Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal)
            .Split('.', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A copy of what a write left, in which one row that it touched is gone, or one column of it has another value.</summary>
    public static (WrittenRows Copy, string Path)? In(WrittenRows written, Random random)
    {
        if (written.Changes.Count == 0) return null;
        var (row, now) = written.Changes.ElementAt(random.Next(written.Changes.Count));
        var path = $"{RowComparison.Root}.{row.Table}[*]";
        var changes = written.Changes.ToDictionary();
        if (now is null || random.Next(4) == 0)
        {
            changes[row] = now is null ? "{}" : null;
            return (written with { Changes = changes }, path);
        }

        var columns = JsonNode.Parse(now)!.AsObject();
        // Another value in a column in which each run gives new rows another is no difference.
        var given = written.Before.Rows.ContainsKey(row) ? null : written.Before.Tables?.GetValueOrDefault(row.Table)?.Generated;
        string[] names = [.. columns.Select(column => column.Key).Where(column => given?.Contains(column) is not true)];
        if (names.Length == 0) return null;
        var name = names[random.Next(names.Length)];
        columns[name] = columns[name]?.GetValueKind() switch
        {
            JsonValueKind.Number => columns[name]!.GetValue<decimal>() + 1,
            JsonValueKind.True => false,
            _ => columns[name]?.ToString() + "\u2020",
        };
        changes[row] = columns.ToJsonString();
        return (written with { Changes = changes }, $"{path}.{name}");
    }

    /// <summary>What users get of it; null where that is nothing, or cannot be written.</summary>
    private static JsonNode? Shown<T>(T answer)
    {
        try
        {
            return JsonSerializer.SerializeToNode(answer, JsonSerializerOptions.Web);
        }
#pragma warning disable CA1031 // Getters are the application's code.
        catch (Exception)
        {
            return null;
        }
#pragma warning restore CA1031
    }

    /// <summary>Only a copy whose JSON is the one that it was read from: else more was changed, or nothing.</summary>
    private static (T? Copy, bool)? Read<T>(JsonNode? json)
    {
        if (json is null) return null;
        try
        {
            var copy = json.Deserialize<T>(JsonSerializerOptions.Web);
            return JsonSerializer.Serialize(copy, JsonSerializerOptions.Web) == json.ToJsonString(JsonSerializerOptions.Web)
                ? (copy, true) : null;
        }
#pragma warning disable CA1031 // Constructors and setters are the application's code, and may refuse what is wrong.
        catch (Exception)
        {
            return null;
        }
#pragma warning restore CA1031
    }

    /// <summary>Goes down at random, and changes what it comes to.</summary>
    /// <returns>The path of it; null where it came to nothing that could be changed.</returns>
    private static string? Change(ref JsonNode root, Random random)
    {
        var (at, path) = (root, "");
        while (true)
        {
            switch (at)
            {
                case JsonObject { Count: > 0 } members:
                    var (name, member) = members.GetAt(random.Next(members.Count));
                    path += path.Length == 0 ? name : "." + name;
                    if (member is JsonObject { Count: > 0 } or JsonArray { Count: > 0 }) at = member;
                    else return Put(other => members[name] = other, member, random) ? path : null;
                    break;
                case JsonArray { Count: > 0 } rows:
                    var index = random.Next(rows.Count);
                    path += "[*]";
                    if (random.Next(4) == 0) rows.RemoveAt(index);
                    else if (rows[index] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
                    {
                        at = rows[index]!;
                        break;
                    }
                    else if (!Put(other => rows[index] = other, rows[index], random)) return null;
                    return path;
                case JsonValue value when Other(value, random) is { } other:
                    root = other;
                    return path;
                default:
                    return null;
            }
        }
    }

    private static bool Put(Action<JsonNode> put, JsonNode? before, Random random)
    {
        if (Other(before, random) is not { } other) return false;
        put(other);
        return true;
    }

    private static JsonNode? Other(JsonNode? value, Random random) => value?.GetValueKind() switch
    {
        null => random.Next(4) switch { 0 => "planted", 1 => 7, 2 => false, _ => "2026-01-01T00:00:00" },
        JsonValueKind.True or JsonValueKind.False => value.GetValueKind() is JsonValueKind.False,
        JsonValueKind.Number => decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && Math.Abs(number) < decimal.MaxValue ? number + (random.Next(2) == 0 ? 1 : -1) : 0,
        JsonValueKind.String => OtherText(value.GetValue<string>(), random),
        _ => null,
    };

    /// <summary>
    /// A text that the member takes is not known beforehand: a time by a microsecond, anything else by a letter or a digit.
    /// </summary>
    private static string OtherText(string text, Random random)
    {
        if (random.Next(3) == 0) return text + "\u2020";
        if (random.Next(2) == 0 && JsonSerializer.SerializeToElement(text) is var written && written.TryGetDateTime(out var time)
            && time < DateTime.MaxValue.AddDays(-1))
            return JsonSerializer.Serialize(time.AddMicroseconds(1)).Trim('"');
        var digit = text.AsSpan().LastIndexOfAnyInRange('0', '9');
        return digit < 0 ? text + "\u2020"
            : string.Create(CultureInfo.InvariantCulture, $"{text[..digit]}{(text[digit] - '0' + 1) % 10}{text[(digit + 1)..]}");
    }
}
