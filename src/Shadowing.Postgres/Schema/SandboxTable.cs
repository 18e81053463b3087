namespace Shadowing.Postgres.Schema;

/// <summary>A table that writes touch, as the sandbox copies it and as images show it.</summary>
/// <param name="Name">Unqualified, lower case; in schema <c>public</c>.</param>
/// <param name="Key">Its primary key: one column.</param>
/// <param name="Columns">The columns that the sandbox's role may read; null where it may read them all.</param>
/// <param name="ForeignKeys">As clauses of <c>alter table … add</c>, to other tables of the sandbox.</param>
/// <param name="Generated">Whether the key comes from a sequence.</param>
public sealed record SandboxTable(
    string Name, string Key, IReadOnlyList<string>? Columns, IReadOnlyList<string> ForeignKeys, bool Generated = true);
