using System.Globalization;
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
    public static string Before(RowImage before) => Lines(
        before.Rows.Where(row => !before.Bystanders.Contains(row.Key))
            .Select(row => (row.Key, Text: $"{row.Key.Table} {Number(row.Key.Key)} {Timeless(row.Value, "")}")));

    /// <summary>What became of them, as lines; empty where nothing did.</summary>
    public static string After(WrittenRows written) =>
        Lines(written.Changes.Select(change => (change.Key, Text: Line(change.Key, change.Value, written))));

    /// <summary>The answer, which alone tells writes apart that left every row as it was.</summary>
    public static string Answer(object? answer, WrittenRows written) =>
        Timeless(JsonSerializer.Serialize(answer, answer?.GetType() ?? typeof(object)), written.Now);

    private static string Line(RowKey row, string? changed, WrittenRows written)
    {
        if (changed is null) return $"{row.Table} {Number(row.Key)} gone";
        var text = Timeless(changed, written.Now);
        return written.Before.Rows.ContainsKey(row)
            ? $"{row.Table} {Number(row.Key)} {text}"
            : $"{row.Table} new {text.Replace($"\"id\": {Number(row.Key)}", "\"id\": new", StringComparison.Ordinal)}";
    }

    /// <summary>Every time in a JSON text reduced to whether it is the transaction's own.</summary>
    private static string Timeless(string json, string now) =>
        Times().Replace(json, time => time.ValueSpan[1..^1].SequenceEqual(now) ? "now()" : "then()");

    private static string Lines(IEnumerable<(RowKey Row, string Text)> rows) => string.Join(
        '\n', rows.OrderBy(row => row.Row.Table, StringComparer.Ordinal).ThenBy(row => row.Row.Key).Select(row => row.Text));

    private static string Number(long key) => key.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[^\"]*\"", RegexOptions.CultureInvariant)]
    private static partial Regex Times();
}
