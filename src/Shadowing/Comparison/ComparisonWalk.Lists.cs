namespace Shadowing.Comparison;

/// <summary>Lists: rows are compared by key where a rule names one, and by position otherwise.</summary>
internal sealed partial class ComparisonWalk
{
    public void List<TRow>(
        IReadOnlyList<TRow>? control, IReadOnlyList<TRow>? candidate, string name, RowRule<TRow>? rule, TypePlan<TRow> plan)
    {
        if (NullsDecide(control, candidate, name)) return;
        if (rule is not null && IsAligned(control!, candidate!, name, rule) is var isAligned && isAligned != true)
        {
            if (isAligned is false && TryAlign(control!, candidate!, name, rule) is { } alignment)
            {
                Report(alignment, control!, candidate!, name, rule, plan);
                return;
            }

            // Without keys, rows are compared by position, and all differences there are reported.
            rule = null;
        }

        if (control!.Count != candidate!.Count) Report(name, DifferenceKind.Count, control.Count, candidate.Count);
        for (var i = 0; i < Math.Min(control.Count, candidate.Count); i++) Row(control[i], candidate[i], name, i, rule, plan);
    }

    /// <returns>Null where a row's key throws.</returns>
    /// <remarks>Without a closure, so that comparing equal answers allocates nothing.</remarks>
    private bool? IsAligned<TRow>(IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, string name, RowRule<TRow> rule)
    {
        try
        {
            return RowsAreAligned(control, candidate, rule);
        }
#pragma warning disable CA1031 // A rule is the application's code, and may throw anything.
        catch (Exception fault)
        {
            _failedRules[$"{name} key"] = fault;
            return null;
        }
#pragma warning restore CA1031
    }

    private static bool RowsAreAligned<TRow>(IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, RowRule<TRow> rule)
    {
        if (control.Count != candidate.Count) return false;
        for (var i = 0; i < control.Count; i++)
        {
            var (left, right) = (control[i], candidate[i]);
            if (left is null != right is null || (left is not null && !rule.SameKey(left, right))) return false;
        }

        return true;
    }

    private void Row<TRow>(TRow control, TRow candidate, string list, int index, RowRule<TRow>? rule, TypePlan<TRow> plan)
    {
        var before = _total;
        Enter(new(list, index));
        plan.Visit(control, candidate, "", this);
        _depth--;
        if (_total != before && rule is not null && control is not null) NameRow(before, KeyOf(control, list, rule));
    }

    /// <summary>
    /// Sets the row's key on the differences found in it. Done afterwards, because reading the key of an equal row would box it.
    /// </summary>
    private void NameRow(int before, object? key)
    {
        for (var i = before; i < _differences.Count; i++) _differences[i] = _differences[i] with { RowKey = OutermostRowKey() ?? key };
    }

    /// <returns>Null where a row's key throws.</returns>
    private RowAlignment<TRow>? TryAlign<TRow>(
        IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, string name, RowRule<TRow> rule)
    {
        var cut = rule.Cut is { } cutOf && _depth > 0 && _path[_depth - 1].Owner is { } owner
            ? Try($"{name} cut", () => cutOf(owner), default) : default;
        // A sort key that throws is replaced by a new object, which ties with no other row.
        Func<TRow, object?>? sortKey = rule.SortKey is { } keyOf ? row => Try($"{name} sortedBy", () => keyOf(row), new object()) : null;
        Func<TRow, bool>? fits = rule.Fits is { } fitsIn ? row => Try($"{name} fits", () => fitsIn(_request, row), otherwise: false) : null;
        return Try($"{name} key", () => RowAlignment<TRow>.Align(control, candidate, rule, cut, sortKey, fits), null);
    }

    private void Report<TRow>(
        RowAlignment<TRow> alignment, IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, string name, RowRule<TRow> rule,
        TypePlan<TRow> plan)
    {
        foreach (var (left, right) in alignment.Pairs) Row(control[left], candidate[right], name, left, rule, plan);
        if (alignment.IsExchanged || alignment.IsReorderedWithinTies) _tolerated.Add(rule.Because);
        foreach (var index in alignment.Missing) RowOfOneSide(
            name, index, DifferenceKind.MissingRow, KeyOf(control[index], name, rule), control[index], default);
        foreach (var index in alignment.Extra) RowOfOneSide(
            name, index, DifferenceKind.ExtraRow, KeyOf(candidate[index], name, rule), default, candidate[index]);
        if (!alignment.IsReordered) return;
        var keys = Try<(object?[] Control, object?[] Candidate)>(
            $"{name} key", () => (alignment.ControlKeys, alignment.CandidateKeys), ([], []));
        Report(name, DifferenceKind.Order, keys.Control, keys.Candidate);
    }

    private object? KeyOf<TRow>(TRow row, string list, RowRule<TRow> rule) => Try($"{list} key", () => rule.KeyOf(row), null);

    private void RowOfOneSide<TRow>(string list, int index, DifferenceKind kind, object? key, TRow? control, TRow? candidate)
    {
        Enter(new(list, index, Key: key));
        Report("", kind, control, candidate);
        _depth--;
    }
}
