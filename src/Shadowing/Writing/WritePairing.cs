using System.Globalization;
using System.Text.Json;
using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Writing;

/// <summary>
/// Which new row of the candidate's write is which of the control's, and so which keys and clocks stand for each other. New rows are told
/// by what is in them: their keys are given anew in each run.
/// </summary>
internal sealed class WritePairing : PairedValues
{
    private readonly WrittenRows _control;
    private readonly WrittenRows _candidate;
    private readonly Dictionary<RowKey, RowKey> _rows = [];
    private readonly Dictionary<RowKey, RowKey> _controlRows = [];
    private readonly Dictionary<string, string> _keys = [];

    private WritePairing(WrittenRows control, WrittenRows candidate) => (_control, _candidate) = (control, candidate);

    /// <summary>Pairs two writes; null where one of them is not known.</summary>
    public static WritePairing? Create(WrittenRows? control, WrittenRows? candidate)
    {
        if (control is null || candidate is null) return null;
        var pairing = new WritePairing(control, candidate);
        if (control.Before.Tables is { } tables)
        {
            foreach (var (table, shape) in tables) pairing.Pair(table, shape);
        }

        return pairing;
    }

    /// <summary>The rows to compare: those that either write changed, the control's keys with the candidate's.</summary>
    public IEnumerable<(RowKey Control, RowKey Candidate)> Rows() =>
        _control.Changes.Keys.Select(row => (row, _rows.GetValueOrDefault(row, row)))
            .Concat(_candidate.Changes.Keys.Where(row => !_controlRows.ContainsKey(row) && !IsTaken(row)).Select(row => (row, row)))
            .DistinctBy(pair => pair.Item1).OrderBy(pair => pair.Item1, RowKey.Order);

    /// <summary>Whether the candidate's row of that key is none of the control's although a new row of the control has that key.</summary>
    public bool IsTaken(RowKey candidate) => _rows.TryGetValue(candidate, out var other) && other != candidate;

    /// <inheritdoc/>
    public override bool AreSame(object? control, object? candidate)
    {
        if (control is null || candidate is null) return false;
        if (OwnClock.KindOf(_control, control) is { } clock && clock == OwnClock.KindOf(_candidate, candidate)) return true;
        return _keys.Count > 0 && control is Guid or long or int or short or string
            && _keys.TryGetValue(RowKeyText.Create(candidate), out var key) && key == RowKeyText.Create(control);
    }

    /// <inheritdoc/>
    public override object ControlKey(object candidateKey)
    {
        if (!_keys.TryGetValue(RowKeyText.Create(candidateKey), out var text)) return candidateKey;
        return candidateKey switch
        {
            Guid when Guid.TryParse(text, out var key) => key,
            long when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key) => key,
            int when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key) => key,
            short when short.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key) => key,
            string => text,
            _ => candidateKey,
        };
    }

    /// <summary>Whether a column of a row is the same in both, its value told by its JSON.</summary>
    public bool IsSame(RowKey row, string column, JsonElement control, JsonElement candidate)
    {
        if (Raw(control) == Raw(candidate)) return true;
        if (OwnClock.KindOf(_control, control) is { } clock && clock == OwnClock.KindOf(_candidate, candidate)) return true;
        if (_control.Before.Tables?.GetValueOrDefault(row.Table) is not { } shape || Text(control) is not { } left
            || Text(candidate) is not { } right) return false;
        var isNew = !_control.Before.Rows.ContainsKey(row);
        if (isNew && shape.Generated.Contains(column)) return !IsGiven(left) && !IsGiven(right);
        return shape.References.ContainsKey(column) && _keys.GetValueOrDefault(right) == left;
    }

    public static string Raw(JsonElement column) => column.ValueKind is JsonValueKind.Undefined ? "" : column.GetRawText();

    /// <summary>A key in a column; null for what can be no key.</summary>
    private static string? Text(JsonElement column) => column.ValueKind switch
    {
        JsonValueKind.String => column.GetString(),
        JsonValueKind.Number => column.GetRawText(),
        _ => null,
    };

    private bool IsGiven(string text) => _control.Before.Given.Contains(text);

    /// <summary>First the rows with the same content, in the order of their keys, then what is left in that order.</summary>
    private void Pair(string table, TableShape shape)
    {
        var (left, right) = (New(table, shape, _control), New(table, shape, _candidate));
        var open = right.GroupBy(row => row.Content).ToDictionary(same => same.Key, same => new Queue<NewRow>(same));
        var rest = new List<NewRow>();
        foreach (var row in left)
        {
            if (open.TryGetValue(row.Content, out var same) && same.TryDequeue(out var match)) Note(shape, row, match);
            else rest.Add(row);
        }

        var others = right.Where(row => !_controlRows.ContainsKey(row.Key)).ToArray();
        foreach (var (row, match) in rest.Zip(others)) Note(shape, row, match);
    }

    private void Note(TableShape shape, NewRow control, NewRow candidate)
    {
        (_rows[control.Key], _controlRows[candidate.Key]) = (candidate.Key, control.Key);
        foreach (var column in shape.Generated)
        {
            if (control.Columns.TryGetValue(column, out var one) && candidate.Columns.TryGetValue(column, out var other)
                && Text(one) is { } left && Text(other) is { } right && left != right && !IsGiven(left)) _keys[right] = left;
        }
    }

    private NewRow[] New(string table, TableShape shape, WrittenRows written) =>
    [
        .. from change in written.Changes
           where change.Value is not null && change.Key.Table == table && !written.Before.Rows.ContainsKey(change.Key)
           orderby change.Key.Number ?? long.MaxValue, change.Key.Key
           select Describe(change.Key, change.Value, shape, written),
    ];

    private NewRow Describe(RowKey key, string body, TableShape shape, WrittenRows written)
    {
        var columns = RowComparison.Columns(body);
        var content = string.Join('\n', columns.OrderBy(column => column.Key, StringComparer.Ordinal).Select(column =>
            $"{column.Key}={Content(column.Key, column.Value)}"));
        return new(key, columns, content);

        string Content(string column, JsonElement value)
        {
            if (OwnClock.KindOf(written, value) is { } clock) return $"<{clock}>";
            if (Text(value) is not { } text || IsGiven(text)) return Raw(value);
            if (shape.References.ContainsKey(column)) return _keys.GetValueOrDefault(text, text);
            return shape.Generated.Contains(column) ? "<new>" : Raw(value);
        }
    }

    private sealed record NewRow(RowKey Key, Dictionary<string, JsonElement> Columns, string Content);
}
