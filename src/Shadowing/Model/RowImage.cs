namespace Shadowing.Model;

/// <summary>A row's place.</summary>
/// <param name="Table">Unqualified, lower case.</param>
/// <param name="Key">Its primary key.</param>
public readonly record struct RowKey(string Table, long Key);

/// <summary>The rows that a write may look at or touch, as they were at one moment; each a JSON object of its columns.</summary>
/// <param name="Rows">Texts as PostgreSQL writes JSON, so that equal columns are equal texts.</param>
public sealed record RowImage(IReadOnlyDictionary<RowKey, string> Rows)
{
    /// <summary>No rows.</summary>
    public static RowImage Empty { get; } = new(new Dictionary<RowKey, string>());

    /// <summary>
    /// Rows that the write has no business with: seeded to see whether a side touches them all the same. They decide nothing, and make no
    /// case differ from another.
    /// </summary>
    public IReadOnlySet<RowKey> Bystanders { get; init; } = new HashSet<RowKey>();

    /// <summary>Rows that were locked before they were read: until the write has ended nobody else changes them.</summary>
    public IReadOnlySet<RowKey> Locked { get; init; } = new HashSet<RowKey>();

    /// <summary>
    /// The zone of the session that writes for real, where times without one are made of the clock: a sandbox is put into it. Null leaves
    /// it in its own.
    /// </summary>
    public string? TimeZone { get; init; }

    /// <summary>How much memory the rows take up, about, in bytes.</summary>
    public long Size => Rows.Values.Sum(static row => (long)row.Length * sizeof(char));

    /// <summary>More rows than are read for a comparison: nothing can be said of the write.</summary>
    public bool IsTooLarge { get; init; }
}

/// <summary>What a write left of the rows.</summary>
/// <param name="Now">
/// The clock of its transaction, as JSON writes it in the rows' columns; empty where the write did not get that far.
/// </param>
/// <param name="Before">The rows before it.</param>
/// <param name="Changes">
/// Rows that were inserted or changed, as they are now; null for a row that is gone. What is not here is as before.
/// </param>
public sealed record WrittenRows(string Now, RowImage Before, IReadOnlyDictionary<RowKey, string?> Changes)
{
    /// <summary>Rows that nothing happened to, as after a write that was refused.</summary>
    public static WrittenRows Untouched(RowImage before) => new("", before, new Dictionary<RowKey, string?>());

    /// <summary>The keys that new rows got, the first of each table: whoever repeats the write is to get the same.</summary>
    public IReadOnlyDictionary<string, long> NewKeys { get; } = Changes.Keys.Where(row => !Before.Rows.ContainsKey(row))
        .GroupBy(row => row.Table).ToDictionary(rows => rows.Key, rows => rows.Min(row => row.Key));

    /// <summary>The rows, whether the write touched them or not; null for one that is not there.</summary>
    internal string? this[RowKey row] => Changes.TryGetValue(row, out var changed) ? changed : Before.Rows.GetValueOrDefault(row);
}
