using System.Globalization;

namespace Shadowing.Model;

/// <summary>The identity of a row.</summary>
/// <param name="Table">Its name without quotes; with its schema only where another schema of the search path has one of that name.</param>
/// <param name="Key">Its primary key as text; the parts of one of several columns are joined with commas.</param>
public readonly record struct RowKey(string Table, string Key)
{
    /// <summary>A row with a number for its key.</summary>
    public RowKey(string table, long key) : this(table, key.ToString(CultureInfo.InvariantCulture))
    {
    }

    /// <summary>The key as a difference names it: a whole number where it is one, else the text.</summary>
    internal object Value => Number is { } number ? number : Key;

    /// <summary>The key where it is a whole number.</summary>
    public long? Number => long.TryParse(Key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Tables by name, and the rows of one in the order of their keys: numbers by size, then texts.</summary>
    internal static Comparer<RowKey> Order { get; } = Comparer<RowKey>.Create(static (one, other) =>
        string.CompareOrdinal(one.Table, other.Table) is var tables and not 0 ? tables
        : (one.Number, other.Number) switch
        {
            ({ } left, { } right) => left.CompareTo(right),
            ({ }, null) => -1,
            (null, { }) => 1,
            _ => string.CompareOrdinal(one.Key, other.Key),
        });
}

/// <summary>What comparing the rows of a table needs to know of it.</summary>
/// <param name="Keys">The columns of its primary key.</param>
/// <param name="Generated">Columns that a new row is given a new value for: by a sequence, a default, or the code that adds it.</param>
/// <param name="References">The columns that hold a key of another of the tables, with that table.</param>
public sealed record TableShape(
    IReadOnlyList<string> Keys, IReadOnlySet<string> Generated, IReadOnlyDictionary<string, string> References);

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

    /// <summary>
    /// The tables, sorted by their references: a table comes after those that it refers to. Null where both sides give new rows the same
    /// keys.
    /// </summary>
    public IReadOnlyDictionary<string, TableShape>? Tables { get; init; }

    /// <summary>Texts that the request names: a key among them was given, not generated.</summary>
    public IReadOnlySet<string> Given { get; init; } = new HashSet<string>();

    /// <summary>Why the write cannot be compared with these rows; null where it can.</summary>
    public IncomparableReason? Unusable { get; init; }

    /// <summary>Whether there are more rows than a comparison reads: then the write is incomparable.</summary>
    public bool IsTooLarge
    {
        get => Unusable is IncomparableReason.TooLarge;
        init => Unusable = value ? IncomparableReason.TooLarge : null;
    }
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

    /// <summary>
    /// The key of the first new row of each table, where keys are numbers. A repetition of the write gets the same keys.
    /// </summary>
    public IReadOnlyDictionary<string, long> NewKeys { get; } = Changes.Keys.Where(row => !Before.Rows.ContainsKey(row))
        .Select(row => (row.Table, row.Number)).Where(row => row.Number is not null)
        .GroupBy(row => row.Table).ToDictionary(rows => rows.Key, rows => rows.Min(row => row.Number!.Value));

    /// <summary>
    /// When the write ran, where the clock of its transaction is not known: a time within is the write's own. Null where
    /// the transaction's clock is known.
    /// </summary>
    public RunWindow? Window { get; init; }

    /// <summary>What each of its commands did, as <c>UPDATE 1</c>, in the order in which they ended; empty where it is not known.</summary>
    public IReadOnlyList<string> Effects { get; init; } = [];

    /// <summary>
    /// Whether it is known that the write changed no other row. Otherwise the control must have the same effects in the sandbox, or rows
    /// beyond the image were changed.
    /// </summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>A row after the write, changed or not; null for one that does not exist.</summary>
    internal string? this[RowKey row] => Changes.TryGetValue(row, out var changed) ? changed : Before.Rows.GetValueOrDefault(row);
}
