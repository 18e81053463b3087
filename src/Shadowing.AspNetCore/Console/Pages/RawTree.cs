using System.Text.Json;
using System.Text.Json.Nodes;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Journal;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Both answers with all their values, while raw samples are unlocked: aligned member by member, rows by their key.</summary>
internal static class RawTree
{
    private const int Deepest = 24;
    private static readonly string[] Keys = ["id", "key", "number"];

    /// <param name="id">Tells its parts from those of another sample.</param>
    public static Html Draw(RawSample sample, string id) => Html.From(
        $"""
        <h3>Request</h3><pre>{sample.Request}</pre><h3>Answers</h3>
        {(Parse(sample.Control) is var (control, isControl) && Parse(sample.Candidate) is var (candidate, isCandidate)
            && isControl && isCandidate ? DiffTree.Draw([Align("the answer", control, candidate, 0)], isWrite: false, id)
            : Html.From($"<pre>{sample.Control}</pre><pre>{sample.Candidate}</pre>"))}
        """);

    private static DiffNode Align(string name, JsonNode? control, JsonNode? candidate, int depth) => (control, candidate) switch
    {
        _ when depth > Deepest => Leaf(name, control, candidate),
        (JsonObject left, JsonObject right) => new(name, null, default, default, default, [.. left.Select(member => member.Key)
            .Union(right.Select(member => member.Key)).Select(member => Align(member, left[member], right[member], depth + 1))]),
        (JsonArray left, JsonArray right) => new(name, null, default, default, default, [.. Rows(left, right, depth)]),
        _ => Leaf(name, control, candidate),
    };

    private static IEnumerable<DiffNode> Rows(JsonArray control, JsonArray candidate, int depth)
    {
        var (left, right) = (Keyed(control), Keyed(candidate));
        if (left is null || right is null)
        {
            for (var index = 0; index < Math.Max(control.Count, candidate.Count); index++)
                yield return index < control.Count && index < candidate.Count
                    ? Align($"[{index}]", control[index], candidate[index], depth + 1)
                    : Only($"[{index}]", index < control.Count ? control[index] : null, index < candidate.Count ? candidate[index] : null);
            yield break;
        }

        foreach (var key in left.Keys.Union(right.Keys))
        {
            var (one, other) = (left.GetValueOrDefault(key), right.GetValueOrDefault(key));
            yield return one is not null && other is not null ? Align($"key {key}", one, other, depth + 1) : Only($"key {key}", one, other);
        }
    }

    private static Dictionary<string, JsonNode?>? Keyed(JsonArray rows)
    {
        var keyed = new Dictionary<string, JsonNode?>();
        foreach (var row in rows)
        {
            var key = (row as JsonObject)?.FirstOrDefault(member => Keys.Contains(member.Key.ToLowerInvariant())).Value;
            if (key is not JsonValue || !keyed.TryAdd(key.ToJsonString(), row)) return null;
        }

        return keyed;
    }

    private static DiffNode Only(string name, JsonNode? control, JsonNode? candidate) =>
        new(name, control is null ? "extra_row" : "missing_row", Text(control), Text(candidate), default, []);

    private static DiffNode Leaf(string name, JsonNode? control, JsonNode? candidate) =>
        new(name, JsonNode.DeepEquals(control, candidate) ? null : "value", Text(control), Text(candidate), default, []);

    private static Html Text(JsonNode? value) => value switch
    {
        null => Html.From($"""<span class="none">null</span>"""),
        JsonValue single when single.GetValueKind() is JsonValueKind.String => Html.From($"<bdi>{single.GetValue<string>()}</bdi>"),
        _ => Html.From($"<bdi>{value.ToJsonString()}</bdi>"),
    };

    private static (JsonNode? Node, bool IsJson) Parse(string text)
    {
        try
        {
            return (JsonNode.Parse(text), true);
        }
        catch (JsonException)
        {
            // A long sample is cut.
            return (null, false);
        }
    }
}
