namespace ShadowTicketing.Shadowing.Postgres.Sandbox;

/// <summary>A table that writes touch, as the sandbox copies it.</summary>
/// <param name="Name">Unqualified, lower case; in schema <c>public</c>.</param>
/// <param name="Key">Its primary key: one column.</param>
/// <param name="Columns">The columns that the sandbox's role may read; null where it may read them all.</param>
/// <param name="ForeignKeys">As clauses of <c>alter table … add</c>, to other tables of the sandbox.</param>
/// <param name="Generated">Whether the key comes from a sequence.</param>
public sealed record SandboxTable(
    string Name, string Key, IReadOnlyList<string>? Columns, IReadOnlyList<string> ForeignKeys, bool Generated = true);

/// <summary>Rows as they stand in the tables, by table and key; each a JSON object of its columns, times to the microsecond.</summary>
/// <param name="Now">The transaction's own clock, as its columns have it.</param>
public sealed record RowImage(string Now, IReadOnlyDictionary<(string Table, long Key), string> Rows)
{
    /// <summary>No rows.</summary>
    public static RowImage Empty { get; } = new("", new Dictionary<(string, long), string>());
}

/// <summary>The sandbox is not what it must be; nothing was run in it.</summary>
public sealed class SandboxUnsafeException(string message) : Exception(message);
