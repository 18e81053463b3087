using System.Text.RegularExpressions;

namespace Shadowing.Comparison;

/// <summary>In what way two answers, or the rows that two writes left, differ at a path.</summary>
public enum DifferenceKind
{
    /// <summary>Two values that are not equal.</summary>
    Value,

    /// <summary>Null on one side only.</summary>
    NullVsValue,

    /// <summary>A row that only the control has.</summary>
    MissingRow,

    /// <summary>A row that only the candidate has.</summary>
    ExtraRow,

    /// <summary>The same rows in an order that no tie explains.</summary>
    Order,

    /// <summary>Values of different types, or equal values that are written differently: a time's kind, a decimal's scale.</summary>
    Type,

    /// <summary>Lists without a row key that differ in length.</summary>
    Count,

    /// <summary>Both sides failed, but not alike; or one failed.</summary>
    Error,

    /// <summary>The candidate needs more SQL statements.</summary>
    Statements,

    /// <summary>
    /// Seen only while both sides ran at once, or of a write only once; on one snapshot, or in the sandbox, the sides agree.
    /// </summary>
    Concurrency,
}

/// <summary>One difference between the control's answer and the candidate's, or between the rows that their writes left.</summary>
/// <param name="Path">
/// Where: member names in camelCase, rows by their index in the control's list (in the candidate's for an extra row):
/// <c>orders[3].total</c>. A stored row by its key: <c>rows.orders[4711].status</c>. The empty path is the answer itself.
/// </param>
/// <param name="Control">The control's value; null where it has none.</param>
/// <param name="Candidate">The candidate's value; null where it has none.</param>
/// <param name="RowKey">
/// The key of the outermost row that the path goes through; null where it goes through none or rows have no key.
/// </param>
public sealed partial record Difference(string Path, DifferenceKind Kind, object? Control, object? Candidate, object? RowKey = null)
{
    /// <summary>How it was first seen, where <see cref="Kind"/> says only that it is seen under concurrency.</summary>
    internal DifferenceKind? SeenAs { get; init; }

    /// <summary>The difference as it was first seen: what is decided about it is decided on this.</summary>
    internal Difference Original => SeenAs is { } kind ? this with { Kind = kind, SeenAs = null } : this;

    /// <summary>The same difference, of which only the kind has become another.</summary>
    internal Difference AsConcurrency() => this with { Kind = DifferenceKind.Concurrency, SeenAs = SeenAs ?? Kind };

    /// <summary>The path without indexes, <c>orders[*].total</c>: equal for the same fault in different rows.</summary>
    public string Pattern => PatternOf(Path);

    internal static string PatternOf(string path) => Index().Replace(path, "[*]");

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Index();
}
