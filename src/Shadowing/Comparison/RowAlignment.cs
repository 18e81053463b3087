namespace Shadowing.Comparison;

/// <summary>What of one comparison decides how rows are aligned.</summary>
/// <param name="Paired">Which keys of the candidate's stand for keys of the control's; null for reads.</param>
internal readonly record struct AlignmentTerms(ListCut Cut, PairedValues? Paired);

/// <summary>Which row of the candidate's list is which row of the control's, and whether their order is explained by ties.</summary>
internal sealed class RowAlignment<TRow>
{
    private static readonly object NullKey = new();

    private readonly IReadOnlyList<TRow> _control;
    private readonly IReadOnlyList<TRow> _candidate;
    private readonly RowRule<TRow> _rule;
    private readonly Func<TRow, object?>? _sortKey;
    private readonly Func<TRow, bool>? _fits;
    private readonly PairedValues? _paired;
    private readonly List<(int Control, int Candidate)> _exchanged = [];

    private RowAlignment(
        IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, RowRule<TRow> rule, Func<TRow, object?>? sortKey,
        Func<TRow, bool>? fits, PairedValues? paired) =>
        (_control, _candidate, _rule, _sortKey, _fits, _paired) = (control, candidate, rule, sortKey, fits, paired);

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

    /// <summary>Whether rows were forgotten because the page cuts through a tie: see <see cref="Exchange"/>.</summary>
    public bool IsExchanged { get; private set; }

    /// <param name="sortKey">The rule's; it does not throw.</param>
    /// <param name="fits">The rule's, for the request that is compared; it does not throw.</param>
    public static RowAlignment<TRow> Align(
        IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, RowRule<TRow> rule, AlignmentTerms terms,
        Func<TRow, object?>? sortKey, Func<TRow, bool>? fits)
    {
        var cut = terms.Cut;
        var alignment = new RowAlignment<TRow>(control, candidate, rule, sortKey, fits, terms.Paired);
        alignment.Pair();
        if (sortKey is not null && control.Count > 0)
        {
            if (cut.Start && control[0] is { } first) alignment.Exchange(sortKey, sortKey(first));
            if (cut.End && control[^1] is { } last) alignment.Exchange(sortKey, sortKey(last));
        }

        alignment.JudgeOrder();
        return alignment;
    }

    private void Pair()
    {
        var open = new Dictionary<object, Queue<int>>();
        for (var i = 0; i < _candidate.Count; i++)
        {
            var key = KeyOf(_candidate[i]);
            if (_paired is not null && key != NullKey) key = _paired.ControlKey(key);
            if (!open.TryGetValue(key, out var same)) open.Add(key, same = new());
            same.Enqueue(i);
        }

        for (var i = 0; i < _control.Count; i++)
        {
            if (open.TryGetValue(KeyOf(_control[i]), out var same) && same.TryDequeue(out var match)) Pairs.Add((i, match));
            else Missing.Add(i);
        }

        Extra.AddRange(open.Values.SelectMany(rest => rest).Order());
    }

    /// <summary>
    /// Where the page cuts through rows that tie, either side may show any of them: as many as one side lacks the other may have instead,
    /// if they were asked for. Their places count in the order, so that a row cannot be excused anywhere else on the page.
    /// </summary>
    private void Exchange(Func<TRow, object?> sortKey, object? tie)
    {
        // A row that the control shows too is doubled, and a doubled row stands in for none.
        var shown = _control.Select(KeyOf).ToHashSet();
        var missing = Missing.Where(i => _control[i] is { } row && Equals(sortKey(row), tie));
        var extra = Extra.Where(i => _candidate[i] is { } row && Equals(sortKey(row), tie) && !shown.Contains(KeyOf(row))
            && (_fits?.Invoke(row) ?? true));
        var pairs = missing.Zip(extra).ToArray();
        _exchanged.AddRange(pairs);
        Missing.RemoveAll(i => pairs.Any(pair => pair.First == i));
        Extra.RemoveAll(i => pairs.Any(pair => pair.Second == i));
        IsExchanged |= pairs.Length > 0;
    }

    private void JudgeOrder()
    {
        (int Control, int Candidate)[] places = [.. Pairs.Concat(_exchanged).OrderBy(pair => pair.Control)];
        var moved = false;
        for (var i = 1; i < places.Length && !moved; i++) moved = places[i].Candidate < places[i - 1].Candidate;
        if (!moved) return;

        IsReorderedWithinTies = _rule.AnyOrder || (_sortKey is { } sortKey && OnlyTiesMoved(places, sortKey));
        IsReordered = !IsReorderedWithinTies;
    }

    /// <summary>In the candidate's order, the runs of equal sort keys must still come one after another.</summary>
    private bool OnlyTiesMoved((int Control, int Candidate)[] places, Func<TRow, object?> sortKey)
    {
        var run = new int[_control.Count];
        for (var i = 1; i < run.Length; i++)
            run[i] = run[i - 1] + (_control[i] is { } row && _control[i - 1] is { } above && Equals(sortKey(row), sortKey(above)) ? 0 : 1);

        var last = 0;
        foreach (var (control, _) in places.OrderBy(pair => pair.Candidate))
        {
            if (run[control] < last) return false;
            last = run[control];
        }

        return true;
    }

    private object KeyOf(TRow row) => row is null ? NullKey : _rule.KeyOf(row) ?? NullKey;
}
