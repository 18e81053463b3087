using Shadowing.Model;

namespace Shadowing.Postgres.Writes;

/// <summary>A table that writes may change, as the catalogue describes it. Names in SQL are quoted where they need it.</summary>
/// <param name="Name">As <see cref="RowKey.Table"/> has it.</param>
/// <param name="Schema">Of the real table, for SQL.</param>
/// <param name="Relation">Its name without the schema, for SQL.</param>
/// <param name="Keys">The columns of its primary key, in that key's order.</param>
/// <param name="Lookups">Columns by which one of its rows is found fast: the first of each unique index.</param>
internal sealed record WriteTable(
    string Name, string Schema, string Relation, IReadOnlyList<WriteColumn> Columns, IReadOnlyList<WriteColumn> Keys,
    IReadOnlyList<WriteColumn> Lookups)
{
    /// <summary>The references to others of the tables; none that would close a circle.</summary>
    public IReadOnlyList<WriteReference> References { get; init; } = [];

    /// <summary>Whether the role may read all of its columns; else only those can be copied, without constraints.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Whether the role may read which transaction has deleted a row; else that is not told from others.</summary>
    public bool ShowsDeleter { get; init; }

    /// <summary>The real table, for SQL.</summary>
    public string Real => $"{Schema}.{Relation}";

    /// <summary>Its copy, for SQL.</summary>
    public string Copy => $"pg_temp.{Relation}";

    /// <summary>What comparing its rows needs to know of it.</summary>
    public TableShape Shape => new(
        [.. Keys.Select(key => key.Name)],
        Columns.Where(column => column.IsGivenAnew || (column.Kind is KeyKind.Uuid && Keys.Contains(column) && !Refers(column)))
            .Select(column => column.Name).ToHashSet(),
        References.SelectMany(reference => reference.From.Zip(Enumerable.Repeat(reference.To, reference.From.Count)))
            .DistinctBy(column => column.First.Name).ToDictionary(column => column.First.Name, column => column.Second));

    /// <summary>A row as JSON, for the row <c>t</c>.</summary>
    public string Body => IsWhole ? "to_jsonb(t)::text"
        : $"to_jsonb((select c from (select {string.Join(", ", Columns.Select(column => "t." + column.Quoted))}) c))::text";

    private bool Refers(WriteColumn column) => References.Any(reference => reference.From.Contains(column));
}

/// <summary>A column that the role may read.</summary>
/// <param name="Type">As a cast to it is written.</param>
/// <param name="Kind">How a text is told to be a value of it; null where that cannot be told.</param>
/// <param name="IsComputed">Whether the server computes it from others, so that it cannot be given.</param>
/// <param name="Sequence">Where new values come from a sequence; null where they do not.</param>
/// <param name="IsRandom">Whether its default is another value each time, as a new <c>uuid</c> is.</param>
internal sealed record WriteColumn(
    string Name, string Quoted, string Type, KeyKind? Kind, bool IsComputed, SequenceKind? Sequence, bool IsRandom)
{
    /// <summary>Whether a new row is given another value each time.</summary>
    public bool IsGivenAnew => Sequence is not null || IsRandom;
}

/// <summary>A foreign key between two of the tables.</summary>
/// <param name="To">The name of the table that it refers to.</param>
/// <param name="Actions">What follows the reference in its definition, as <c>on delete cascade</c>.</param>
/// <param name="IsCheap">Whether the rows that refer to one are found fast.</param>
internal sealed record WriteReference(
    IReadOnlyList<WriteColumn> From, string To, IReadOnlyList<string> ToColumns, string ToQuoted, string Actions, bool IsCheap);

/// <summary>What values of a key are.</summary>
internal enum KeyKind
{
    /// <summary>Whole numbers.</summary>
    Number,

    /// <summary>uuid.</summary>
    Uuid,

    /// <summary>Text of any length.</summary>
    Text,
}

/// <summary>How a column takes its values from a sequence.</summary>
internal enum SequenceKind
{
    /// <summary>By its default, as <c>serial</c> does.</summary>
    Default,

    /// <summary>As an identity column.</summary>
    Identity,
}
