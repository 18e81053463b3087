using Shadowing.Comparison;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Diagnosing;

/// <summary>A column in which the two sides left different values, with its value before.</summary>
/// <param name="IsNew">Whether the write added the row.</param>
internal sealed record ColumnSymptom(
    Difference Of, string Column, bool IsNew, object? Before, WrittenRows ControlRows, WrittenRows CandidateRows)
{
    public object? Control => Of.Control;

    public object? Candidate => Of.Candidate;

    public bool ControlHasClock => OwnClock.KindOf(ControlRows, Control) is not null;

    public bool CandidateHasClock => OwnClock.KindOf(CandidateRows, Candidate) is not null;

    /// <summary>Whether another column of the candidate's row has the time of its write.</summary>
    public bool CandidateTouchedRow { get; init; }

    public bool IsKeptByControl => !IsNew && Equals(Control, Before);

    public bool IsKeptByCandidate => !IsNew && Equals(Candidate, Before);
}

/// <summary>What two writes left of the rows, as the diagnosis gets it.</summary>
internal sealed class WriteSymptoms
{
    private readonly WrittenRows _control;
    private readonly WrittenRows _candidate;

    private WriteSymptoms(Symptoms symptoms, WrittenRows control, WrittenRows candidate)
    {
        (_control, _candidate) = (control, candidate);
        Stored = [.. symptoms.Differences.Where(RowComparison.IsStored)];
        Columns =
            [.. Stored.Where(difference => difference.Kind is not (DifferenceKind.MissingRow or DifferenceKind.ExtraRow)).Select(Column)];
    }

    public IReadOnlyList<Difference> Stored { get; }

    public IReadOnlyList<ColumnSymptom> Columns { get; }

    /// <summary>Bystander rows that the candidate changed and the control did not.</summary>
    public IEnumerable<RowKey> Elsewhere =>
        _candidate.Changes.Keys.Where(row => _candidate.Before.Bystanders.Contains(row) && !_control.Changes.ContainsKey(row));

    /// <summary>Rows that the control deleted and the candidate did not.</summary>
    public IEnumerable<RowKey> Undeleted =>
        _control.Changes.Where(change => change.Value is null && _candidate[change.Key] is not null).Select(change => change.Key);

    /// <summary>Rows that the candidate deleted and the control did not.</summary>
    public IEnumerable<RowKey> Deleted =>
        _candidate.Changes.Where(change => change.Value is null && _control[change.Key] is not null).Select(change => change.Key);

    public IEnumerable<RowKey> MadeByCandidate => New(_candidate).Except(New(_control));

    public IEnumerable<RowKey> MadeByControl => New(_control).Except(New(_candidate));

    public bool CandidateWroteNothing => _candidate.Changes.Count == 0 && _control.Changes.Count > 0;

    /// <summary>Whether the candidate added one more row to a table in which both sides added one.</summary>
    public bool IsRepeated => MadeByCandidate.Select(row => row.Table).Distinct().Any(table =>
        New(_control).Count(row => row.Table == table) is > 0 and var made && New(_candidate).Count(row => row.Table == table) > made);

    /// <summary>Whether both sides made as many rows of one table, and not under the same keys.</summary>
    public bool IsUnderAnotherKey => MadeByCandidate.Any(row =>
        MadeByControl.Any(other => other.Table == row.Table)
        && New(_control).Count(other => other.Table == row.Table) == New(_candidate).Count(other => other.Table == row.Table));

    public static WriteSymptoms? FromSymptoms(Symptoms symptoms) =>
        symptoms.Pair?.Rows is var (control, candidate) ? new(symptoms, control, candidate) : null;

    private static IEnumerable<RowKey> New(WrittenRows written) =>
        written.Changes.Where(change => change.Value is not null && !written.Before.Rows.ContainsKey(change.Key))
            .Select(change => change.Key);

    private ColumnSymptom Column(Difference difference)
    {
        var (open, close) =
            (difference.Path.IndexOf('[', StringComparison.Ordinal), difference.Path.IndexOf(']', StringComparison.Ordinal));
        var (table, column) = (difference.Path[(RowComparison.Root.Length + 1)..open], difference.Path[(close + 2)..]);
        var row = new RowKey(table, RowKeyText.Create(difference.RowKey!));
        var before = _control.Before.Rows.TryGetValue(row, out var known) ? RowComparison.Parse(known).Columns.GetValueOrDefault(column)
            : null;
        var isTouched = _candidate.Changes.GetValueOrDefault(row) is { } now && RowComparison.Parse(now).Columns.Any(
            other => other.Key != column && OwnClock.KindOf(_candidate, other.Value) is not null);
        return new(difference, column, IsNew: known is null, before, _control, _candidate) { CandidateTouchedRow = isTouched };
    }
}
