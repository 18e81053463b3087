namespace Shadowing.Model;

/// <summary>The identity of a row.</summary>
/// <param name="Table">Unqualified, lower case.</param>
/// <param name="Key">Its primary key.</param>
public readonly record struct RowKey(string Table, long Key);

/// <summary>The rows that a write may read or change, as they were at one moment; each is a JSON object of its columns.</summary>
/// <param name="Rows">JSON texts as PostgreSQL writes them, so that equal columns are equal texts.</param>
public sealed record RowImage(IReadOnlyDictionary<RowKey, string> Rows)
{
    /// <summary>No rows.</summary>
    public static RowImage Empty { get; } = new(new Dictionary<RowKey, string>());

    /// <summary>
    /// Rows that the write should not change. They are copied into the sandbox to find a side that changes them. They decide nothing else,
    /// and do not make one case differ from another.
    /// </summary>
    public IReadOnlySet<RowKey> Bystanders { get; init; } = new HashSet<RowKey>();

    /// <summary>Rows that were locked before they were read: no other transaction changes them until the write has ended.</summary>
    public IReadOnlySet<RowKey> Locked { get; init; } = new HashSet<RowKey>();

    /// <summary>
    /// The time zone of the session of the real write, in which times without a zone are made from the clock. The sandbox uses it too. Null
    /// leaves the sandbox's own.
    /// </summary>
    public string? TimeZone { get; init; }

    /// <summary>About how much memory the rows take up, in bytes.</summary>
    public long Size => Rows.Values.Sum(static row => (long)row.Length * sizeof(char));

    /// <summary>Whether there are more rows than a comparison reads: then the write is incomparable.</summary>
    public bool IsTooLarge { get; init; }
}

/// <summary>The rows after a write.</summary>
/// <param name="Now">
/// The clock of the write's transaction, in the JSON form of a column; empty where the write did not get that far.
/// </param>
/// <param name="Before">The rows before the write.</param>
/// <param name="Changes">
/// Rows that were inserted or changed, as they are now; null for a row that is deleted. All other rows are as before.
/// </param>
public sealed record WrittenRows(string Now, RowImage Before, IReadOnlyDictionary<RowKey, string?> Changes)
{
    /// <summary>Unchanged rows, as after a write that was refused.</summary>
    public static WrittenRows Untouched(RowImage before) => new("", before, new Dictionary<RowKey, string?>());

    /// <summary>The key of the first new row of each table. A repetition of the write gets the same keys.</summary>
    public IReadOnlyDictionary<string, long> NewKeys { get; } = Changes.Keys.Where(row => !Before.Rows.ContainsKey(row))
        .GroupBy(row => row.Table).ToDictionary(rows => rows.Key, rows => rows.Min(row => row.Key));

    /// <summary>A row after the write, changed or not; null for one that does not exist.</summary>
    internal string? this[RowKey row] => Changes.TryGetValue(row, out var changed) ? changed : Before.Rows.GetValueOrDefault(row);
}
