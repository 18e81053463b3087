using System.Text.Json;
using System.Text.RegularExpressions;
using Shadowing.Model;

namespace Shadowing.Writing;

/// <summary>
/// What makes two writes the same case, besides the command: the rows before it and what became of them. Bystanders decide nothing. Of a
/// time it counts only whether it is the write's own: the same change to the same row is one case, however often it is made.
/// </summary>
internal static partial class WriteCase
{
    /// <summary>The rows before, as lines.</summary>
    public static string Before(RowImage before)
    {
        var unwritten = WrittenRows.Untouched(before);
        return Lines(before.Rows.Where(row => !before.Bystanders.Contains(row.Key))
            .Select(row => (row.Key, Text: $"{row.Key.Table} {row.Key.Key} {Timeless(row.Value, unwritten)}")));
    }

    /// <summary>What became of them, as lines; empty where nothing did.</summary>
    public static string After(WrittenRows written)
    {
        var keys = written.Before.Tables is null ? [] : GivenAnew(written).ToHashSet();
        // New rows have new keys each time, which decide neither what is new nor the order.
        var changes = written.Changes.Select(change => (change.Key, Text: Line(change.Key, change.Value, written, keys)));
        return keys.Count == 0 ? Lines(changes) : string.Join('\n', changes.Select(change => change.Text).Order(StringComparer.Ordinal));
    }

    /// <summary>The answer, which alone tells writes apart that left every row as it was.</summary>
    public static string Answer(object? answer, WrittenRows written) =>
        Timeless(JsonSerializer.Serialize(answer, answer?.GetType() ?? typeof(object)), written);

    private static string Line(RowKey row, string? changed, WrittenRows written, HashSet<string> keys)
    {
        if (changed is null) return $"{row.Table} {row.Key} gone";
        var text = Timeless(changed, written);
        if (written.Before.Rows.ContainsKey(row)) return $"{row.Table} {row.Key} {text}";
        if (written.Before.Tables is null)
            return $"{row.Table} new {text.Replace($"\"id\": {row.Key}", "\"id\": new", StringComparison.Ordinal)}";
        var columns = RowComparison.Columns(changed)
            .Select(column => (column.Key, Text: WritePairing.Raw(column.Value)))
            .Select(column => $"{column.Key}: {(keys.Contains(column.Text) ? "new" : Timeless(column.Text, written))}");
        return $"{row.Table} new {string.Join(", ", columns)}";
    }

    /// <summary>The values, as JSON, of the columns in which new rows are given new values.</summary>
    private static IEnumerable<string> GivenAnew(WrittenRows written) =>
        from change in written.Changes
        where change.Value is not null && !written.Before.Rows.ContainsKey(change.Key)
        let shape = written.Before.Tables!.GetValueOrDefault(change.Key.Table)
        where shape is not null
        from column in RowComparison.Columns(change.Value)
        where shape.Generated.Contains(column.Key) && !written.Before.Given.Contains(column.Value.ToString())
        select WritePairing.Raw(column.Value);

    /// <summary>Every time in a JSON text reduced to whether it is the write's own.</summary>
    private static string Timeless(string json, WrittenRows written) => Times().Replace(json, time =>
    {
        var text = time.ValueSpan[1..^1];
        var isOwn = written.Window is { } window ? window.KindOf(text.ToString()) is not null : text.SequenceEqual(written.Now);
        return isOwn ? "now()" : "then()";
    });

    private static string Lines(IEnumerable<(RowKey Row, string Text)> rows) =>
        string.Join('\n', rows.OrderBy(row => row.Row, RowKey.Order).Select(row => row.Text));

    [GeneratedRegex("\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[^\"]*\"", RegexOptions.CultureInvariant)]
    private static partial Regex Times();
}
