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

    /// <param name="pairing">Of the same two writes, where it is known already.</param>
    public static ComparisonResult Compare(
        WrittenRows control, WrittenRows candidate, ComparisonLimits limits, WritePairing? pairing = null)
    {
        if (control.Changes.Count == 0 && candidate.Changes.Count == 0) return ComparisonResult.Equal;
        pairing ??= WritePairing.Create(control, candidate)!;
        var (kept, total) = (new List<Difference>(), 0);
        foreach (var (row, other) in pairing.Rows())
        {
            foreach (var difference in Differences(row, control[row], pairing.IsTaken(other) ? null : candidate[other], pairing))
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

    /// <summary>What stood, before the write, at the place of a difference in what was stored.</summary>
    /// <returns>Null where the row did not exist; else its column, or all of it for a difference of whole rows.</returns>
    public static (object? Value, bool IsRow)? FindBefore(Difference difference, RowImage before)
    {
        foreach (var (row, columns) in before.Rows)
        {
            var path = PathOf(row);
            if (difference.Path == path) return (Parse(columns), true);
            if (difference.Path.StartsWith(path + ".", StringComparison.Ordinal))
                return (Scalar(Columns(columns).GetValueOrDefault(difference.Path[(path.Length + 1)..])), false);
        }

        return null;
    }

    /// <summary>A key that is a text may hold what ends it in a path; then what follows would pass for the path's own.</summary>
    private static string PathOf(RowKey row) =>
        $"{Root}.{row.Table}[{row.Key.Replace('[', '_').Replace(']', '_')}]";

    private static IEnumerable<Difference> Differences(RowKey row, string? left, string? right, WritePairing pairing)
    {
        if (left is null && right is null) yield break;
        var path = PathOf(row);
        if (left is null || right is null)
        {
            var kind = right is null ? DifferenceKind.MissingRow : DifferenceKind.ExtraRow;
            yield return new(path, kind, left is null ? null : Parse(left), right is null ? null : Parse(right), row.Value);
            yield break;
        }

        var (one, other) = (Columns(left), Columns(right));
        foreach (var name in one.Keys.Union(other.Keys))
        {
            var (a, b) = (one.GetValueOrDefault(name), other.GetValueOrDefault(name));
            if (pairing.IsSame(row, name, a, b)) continue;
            var (x, y) = (Scalar(a), Scalar(b));
            yield return new($"{path}.{name}", x is null != y is null ? DifferenceKind.NullVsValue : DifferenceKind.Value, x, y, row.Value);
        }
    }

    public static StoredRow Parse(string row) => new(Columns(row).ToDictionary(column => column.Key, column => Scalar(column.Value)));

    /// <summary>The columns of a row from its JSON.</summary>
    public static Dictionary<string, JsonElement> Columns(string row)
    {
        using var json = JsonDocument.Parse(row);
        return json.RootElement.EnumerateObject().ToDictionary(column => column.Name, column => column.Value.Clone());
    }

    private static object? Scalar(JsonElement column) => column.ValueKind switch
    {
        JsonValueKind.String when OwnClock.Time(column.GetString()!) is { } time => time,
        JsonValueKind.String => column.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number when column.TryGetInt64(out var whole) => whole,
        JsonValueKind.Number when column.TryGetDecimal(out var exact) => exact,
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        _ => column.GetRawText(),
    };
}
