namespace ShadowTicketing.Shadowing.Comparison;

/// <summary>Which row of the candidate's list is which row of the control's, and whether their order is explained by ties.</summary>
internal sealed class RowAlignment<TRow>
{
    private static readonly object NullKey = new();

    private readonly IReadOnlyList<TRow> _control;
    private readonly IReadOnlyList<TRow> _candidate;
    private readonly RowRule<TRow> _rule;

    private RowAlignment(IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, RowRule<TRow> rule) =>
        (_control, _candidate, _rule) = (control, candidate, rule);

    /// <summary>Indexes of the same row in both lists, in the control's order.</summary>
    public List<(int Control, int Candidate)> Pairs { get; } = [];

    /// <summary>Rows that only the control has.</summary>
    public List<int> Missing { get; } = [];

    /// <summary>Rows that only the candidate has.</summary>
    public List<int> Extra { get; } = [];

    public bool IsReordered { get; private set; }

    public bool IsReorderedWithinTies { get; private set; }

    public object?[] ControlKeys => [.. _control.Select(KeyOf)];

    public object?[] CandidateKeys => [.. _candidate.Select(KeyOf)];

    public static RowAlignment<TRow> Of(IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, RowRule<TRow> rule)
    {
        var alignment = new RowAlignment<TRow>(control, candidate, rule);
        alignment.Pair();
        alignment.JudgeOrder();
        return alignment;
    }

    /// <summary>
    /// Forgets rows that one side shows in place of others tied with them where the page cuts through the tie, if both lists run
    /// through the same sort keys and the rows shown instead were asked for too.
    /// </summary>
    /// <returns>Whether there were such rows.</returns>
    public bool TakeExchanged(ListCut cut, object? request)
    {
        if (_rule.SortKey is not { } sortKey || Missing.Count == 0 || Missing.Count != Extra.Count || _control.Count == 0) return false;
        for (var i = 0; i < _control.Count; i++)
        {
            if (!Equals(SortKeyOf(_control[i]), SortKeyOf(_candidate[i]))) return false;
        }

        var before = Missing.Count;
        if (cut.Start) TakeTied(SortKeyOf(_control[0]), request);
        if (cut.End) TakeTied(SortKeyOf(_control[^1]), request);
        return Missing.Count != before;

        object? SortKeyOf(TRow row) => row is null ? NullKey : sortKey(row);

        void TakeTied(object? tie, object? asked)
        {
            var missing = Missing.Where(i => Equals(SortKeyOf(_control[i]), tie)).ToArray();
            var extra = Extra.Where(i => Equals(SortKeyOf(_candidate[i]), tie)).ToArray();
            if (missing.Length != extra.Length || !extra.All(i => _rule.Fits?.Invoke(asked, _candidate[i]) ?? true)) return;
            Missing.RemoveAll(missing.Contains);
            Extra.RemoveAll(extra.Contains);
        }
    }

    private void Pair()
    {
        var open = new Dictionary<object, Queue<int>>();
        for (var i = 0; i < _candidate.Count; i++)
        {
            if (!open.TryGetValue(KeyOf(_candidate[i]), out var same)) open.Add(KeyOf(_candidate[i]), same = new());
            same.Enqueue(i);
        }

        for (var i = 0; i < _control.Count; i++)
        {
            if (open.TryGetValue(KeyOf(_control[i]), out var same) && same.TryDequeue(out var match)) Pairs.Add((i, match));
            else Missing.Add(i);
        }

        Extra.AddRange(open.Values.SelectMany(rest => rest).Order());
    }

    private void JudgeOrder()
    {
        var moved = false;
        for (var i = 1; i < Pairs.Count && !moved; i++) moved = Pairs[i].Candidate < Pairs[i - 1].Candidate;
        if (!moved) return;

        IsReorderedWithinTies = _rule.AnyOrder || (_rule.SortKey is { } sortKey && OnlyTiesMoved(sortKey));
        IsReordered = !IsReorderedWithinTies;
    }

    /// <summary>In the candidate's order, the runs of equal sort keys must still come one after another.</summary>
    private bool OnlyTiesMoved(Func<TRow, object?> sortKey)
    {
        var run = new int[_control.Count];
        for (var i = 1; i < run.Length; i++)
            run[i] = run[i - 1] + (_control[i] is { } row && _control[i - 1] is { } above && Equals(sortKey(row), sortKey(above)) ? 0 : 1);

        var last = 0;
        foreach (var (control, _) in Pairs.OrderBy(pair => pair.Candidate))
        {
            if (run[control] < last) return false;
            last = run[control];
        }

        return true;
    }

    private object KeyOf(TRow row) => row is null ? NullKey : _rule.KeyOf(row) ?? NullKey;
}
