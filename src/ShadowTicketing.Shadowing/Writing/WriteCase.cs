using System.Globalization;
using System.Text.Json;

namespace ShadowTicketing.Shadowing.Writing;

/// <summary>
/// What makes two writes the same case, besides the command: the rows before it and what became of them. Bystanders decide nothing; the clock and
/// the keys of new rows, which are others every time, stand as what they are.
/// </summary>
internal static class WriteCase
{
    /// <summary>The rows before, as lines.</summary>
    public static string Before(RowImage before) => Lines(
        before.Rows.Where(row => !before.Bystanders.Contains(row.Key)).Select(row => (row.Key, Text: $"{row.Key.Table} {Number(row.Key.Key)} {row.Value}")));

    /// <summary>What became of them, as lines; empty where nothing did.</summary>
    public static string After(WrittenRows written) => Lines(written.Changes.Select(change => (change.Key, Text: Line(change.Key, change.Value, written))));

    /// <summary>The answer, which alone tells writes apart that left every row as it was.</summary>
    public static string Answer(object? answer, WrittenRows written) =>
        AtNow(JsonSerializer.Serialize(answer, answer?.GetType() ?? typeof(object)), written);

    private static string AtNow(string json, WrittenRows written) =>
        written.Now.Length == 0 ? json : json.Replace($"\"{written.Now}\"", "now()", StringComparison.Ordinal);

    private static string Line(RowKey row, string? now, WrittenRows written)
    {
        if (now is null) return $"{row.Table} {Number(row.Key)} gone";
        now = AtNow(now, written);
        return written.Before.Rows.ContainsKey(row)
            ? $"{row.Table} {Number(row.Key)} {now}"
            : $"{row.Table} new {now.Replace($"\"id\": {Number(row.Key)}", "\"id\": new", StringComparison.Ordinal)}";
    }

    private static string Lines(IEnumerable<(RowKey Row, string Text)> rows) => string.Join(
        '\n', rows.OrderBy(row => row.Row.Table, StringComparer.Ordinal).ThenBy(row => row.Row.Key).Select(row => row.Text));

    private static string Number(long key) => key.ToString(CultureInfo.InvariantCulture);
}
