using System.Globalization;
using System.Text.Json;
using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Writing;

/// <summary>A stored row, for a difference of whole rows.</summary>
internal sealed record StoredRow(IReadOnlyDictionary<string, object?> Columns);

/// <summary>
/// Compares the rows that two writes left: every column of every row that either of them changed. Two values count as equal if each is the
/// clock of its own transaction. Otherwise they must be the same. No column is left out.
/// </summary>
internal static class RowComparison
{
    /// <summary>The first part of every path to a stored row.</summary>
    public const string Root = "rows";

    public static ComparisonResult Compare(WrittenRows control, WrittenRows candidate, ComparisonLimits limits)
    {
        if (control.Changes.Count == 0 && candidate.Changes.Count == 0) return ComparisonResult.Equal;
        var (kept, total) = (new List<Difference>(), 0);
        foreach (var row in control.Changes.Keys.Union(candidate.Changes.Keys).OrderBy(row => row.Table, StringComparer.Ordinal)
            .ThenBy(row => row.Key))
        {
            foreach (var difference in Differences(row, control, candidate))
            {
                if (++total <= limits.Differences) kept.Add(difference);
            }
        }

        return total == 0 ? ComparisonResult.Equal : new() { Differences = kept, TotalDifferences = total };
    }

    /// <summary>Whether a difference is in what was stored.</summary>
    public static bool IsStored(Difference difference) => difference.Path.StartsWith(Root + ".", StringComparison.Ordinal);

    /// <summary>
    /// Whether a difference is in a row that only the write itself could have changed: a row that was locked before it was read, or one
    /// that the write added.
    /// </summary>
    public static bool IsOwn(Difference difference, WrittenRows? written) =>
        written is not null && written.Before.Locked.Concat(written.Changes.Keys.Where(row => !written.Before.Rows.ContainsKey(row)))
            .Select(PathOf).Any(row => difference.Path == row || difference.Path.StartsWith(row + ".", StringComparison.Ordinal));

    private static string PathOf(RowKey row) => string.Create(CultureInfo.InvariantCulture, $"{Root}.{row.Table}[{row.Key}]");

    private static IEnumerable<Difference> Differences(RowKey row, WrittenRows control, WrittenRows candidate)
    {
        var (left, right) = (control[row], candidate[row]);
        if (left is null && right is null) yield break;
        var path = PathOf(row);
        if (left is null || right is null)
        {
            var kind = right is null ? DifferenceKind.MissingRow : DifferenceKind.ExtraRow;
            yield return new(path, kind, left is null ? null : Parse(left), right is null ? null : Parse(right), row.Key);
            yield break;
        }

        var (one, other) = (Columns(left), Columns(right));
        foreach (var name in one.Keys.Union(other.Keys))
        {
            var (a, b) = (one.GetValueOrDefault(name), other.GetValueOrDefault(name));
            if (Raw(a) == Raw(b) || (IsClock(a, control) && IsClock(b, candidate))) continue;
            var (x, y) = (Scalar(a), Scalar(b));
            yield return new($"{path}.{name}", x is null != y is null ? DifferenceKind.NullVsValue : DifferenceKind.Value, x, y, row.Key);
        }
    }

    /// <summary>Whether a column has the time of the transaction that wrote it.</summary>
    public static bool IsClock(object? value, WrittenRows written) =>
        written.Now.Length > 0 && value is DateTime time && time == Time(written.Now);

    /// <summary>A transaction's clock from the JSON form of a column, without time zone; null where the text is no such time.</summary>
    public static DateTime? Time(string text) =>
        text.Length >= "2000-01-01T00:00:00".Length && text[10] == 'T'
        && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    public static StoredRow Parse(string row) => new(Columns(row).ToDictionary(column => column.Key, column => Scalar(column.Value)));

    private static Dictionary<string, JsonElement> Columns(string row)
    {
        using var json = JsonDocument.Parse(row);
        return json.RootElement.EnumerateObject().ToDictionary(column => column.Name, column => column.Value.Clone());
    }

    private static bool IsClock(JsonElement column, WrittenRows written) =>
        written.Now.Length > 0 && column.ValueKind is JsonValueKind.String && column.ValueEquals(written.Now);

    private static string Raw(JsonElement column) => column.ValueKind is JsonValueKind.Undefined ? "" : column.GetRawText();

    private static object? Scalar(JsonElement column) => column.ValueKind switch
    {
        JsonValueKind.String when Time(column.GetString()!) is { } time => time,
        JsonValueKind.String => column.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number when column.TryGetInt64(out var whole) => whole,
        JsonValueKind.Number when column.TryGetDecimal(out var exact) => exact,
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        _ => column.GetRawText(),
    };
}
