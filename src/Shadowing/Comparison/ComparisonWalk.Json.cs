using System.Runtime.InteropServices;
using System.Text.Json;

namespace Shadowing.Comparison;

/// <summary>JSON: compared by value. The order of properties does not count; of two properties with one name the last counts.</summary>
internal sealed partial class ComparisonWalk
{
    private const int LongestName = 40;

    public void Json(JsonElement control, JsonElement candidate, string name)
    {
        var (left, right) = (control.ValueKind, candidate.ValueKind);
        if (left != right)
        {
            Report(name, KindOf(left, right), Shown(control), Shown(candidate));
            return;
        }

        // Most pairs are equal byte by byte; nothing is allocated for them.
        if (left is JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.True or JsonValueKind.False
            || JsonMarshal.GetRawUtf8Value(control).SequenceEqual(JsonMarshal.GetRawUtf8Value(candidate))) return;
        switch (left)
        {
            case JsonValueKind.String:
                Leaf(control.GetString(), candidate.GetString(), name);
                break;
            case JsonValueKind.Number:
                var isEqual = JsonNumber.ParseExact(control.GetRawText()) == JsonNumber.ParseExact(candidate.GetRawText());
                Report(name, isEqual ? DifferenceKind.Type : DifferenceKind.Value, Shown(control), Shown(candidate));
                break;
            case JsonValueKind.Array:
                Items(control, candidate, name);
                break;
            default:
                Properties(control, candidate, name);
                break;
        }
    }

    private static DifferenceKind KindOf(JsonValueKind control, JsonValueKind candidate) =>
        control is JsonValueKind.True or JsonValueKind.False && candidate is JsonValueKind.True or JsonValueKind.False
            ? DifferenceKind.Value
            : IsNothing(control) != IsNothing(candidate) ? DifferenceKind.NullVsValue : DifferenceKind.Type;

    private static bool IsNothing(JsonValueKind kind) => kind is JsonValueKind.Null or JsonValueKind.Undefined;

    private void Items(JsonElement control, JsonElement candidate, string name)
    {
        var (left, right) = (control.GetArrayLength(), candidate.GetArrayLength());
        if (left != right) Report(name, DifferenceKind.Count, left, right);
        var (one, other) = (control.EnumerateArray(), candidate.EnumerateArray());
        for (var i = 0; one.MoveNext() && other.MoveNext(); i++)
        {
            var before = Enter();
            Json(one.Current, other.Current, "");
            _depthLeft++;
            Within(before, name, i);
        }
    }

    private void Properties(JsonElement control, JsonElement candidate, string name)
    {
        var (left, right) = (Last(control), Last(candidate));
        var before = Enter();
        foreach (var (property, value) in left)
        {
            if (right.TryGetValue(property, out var other)) Json(value, other, Step(property));
            else Report(Step(property), DifferenceKind.MissingRow, Shown(value), null);
        }

        foreach (var (property, value) in right)
        {
            if (!left.ContainsKey(property)) Report(Step(property), DifferenceKind.ExtraRow, null, Shown(value));
        }

        Leave(before, name);
    }

    private Dictionary<string, JsonElement> Last(JsonElement owner)
    {
        var properties = new Dictionary<string, JsonElement>();
        foreach (var property in owner.EnumerateObject())
        {
            if (properties.Count > _nodesLeft) throw new ComparisonTooLargeException();
            properties[property.Name] = property.Value;
        }

        return properties;
    }

    /// <summary>
    /// A property's name as a step of the path. A name that does not look like a member's may be a value, as a dictionary's key can be. It
    /// stands in brackets, as such keys do.
    /// </summary>
    private static string Step(string property) =>
        property.Length is > 0 and <= LongestName && char.IsAsciiLetter(property[0])
            && property.All(unit => char.IsAsciiLetterOrDigit(unit) || unit == '_')
            ? property : $"[{property}]";

    /// <summary>A copy of the value, because the document may be disposed of before the copy is read.</summary>
    private static object? Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.TryGetDecimal(out var number) ? number : value.GetRawText(),
        _ => value.Clone(),
    };
}
