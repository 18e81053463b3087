using Shadowing.Model;

namespace Shadowing.Postgres.Writes;

/// <summary>A row as one snapshot shows it.</summary>
/// <param name="Body">As JSON.</param>
/// <param name="Key">The parts of its key, as texts.</param>
/// <param name="From">The transaction that stored this version.</param>
/// <param name="Until">The transaction that replaced, deleted or locked it since; <c>0</c> for none.</param>
internal sealed record StoredRow(WriteTable Table, string Body, string[] Key, string From, string Until)
{
    private Dictionary<string, string>? _texts;

    /// <summary>Its columns that have numbers or texts.</summary>
    public Dictionary<string, string> Texts => _texts ??= RowJson.Texts(Body);

    public RowKey Id => new(Table.Name, string.Join(',', Key));
}

/// <summary>The rows of one snapshot.</summary>
internal sealed class StoredRows(int maxRows)
{
    /// <summary>In characters: rows that are longer than this on average are too much as well.</summary>
    private const long MostOfRow = 4_000;

    private long _length;

    public Dictionary<RowKey, StoredRow> All { get; } = [];

    /// <summary>Whether there are more than a comparison reads.</summary>
    public bool IsTooMuch => All.Count > maxRows || _length > maxRows * MostOfRow;

    /// <returns>Whether it was not there yet.</returns>
    public bool Add(StoredRow row)
    {
        if (IsTooMuch || !All.TryAdd(row.Id, row)) return false;
        _length += row.Body.Length;
        return true;
    }
}
