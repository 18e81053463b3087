namespace Shadowing.Comparison;

/// <summary>Lists: rows by position where that is what they are, by key where a rule names one.</summary>
internal sealed partial class ComparisonWalk
{
    public void List<TRow>(
        IReadOnlyList<TRow>? control, IReadOnlyList<TRow>? candidate, string name, RowRule<TRow>? rule, TypePlan<TRow> plan)
    {
        if (NullsDecide(control, candidate, name)) return;
        if (rule is not null && !RowsAreAligned(control!, candidate!, rule))
        {
            Align(control!, candidate!, name, rule, plan);
            return;
        }

        if (control!.Count != candidate!.Count) Report(name, DifferenceKind.Count, control.Count, candidate.Count);
        for (var i = 0; i < Math.Min(control.Count, candidate.Count); i++) Row(control[i], candidate[i], name, i, rule, plan);
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
        if (_total != before && rule is not null && control is not null) NameRow(before, rule.KeyOf(control));
    }

    /// <summary>Gives the differences found in a row its key: afterwards, because taking the key of an equal row would box it.</summary>
    private void NameRow(int before, object? key)
    {
        for (var i = before; i < _differences.Count; i++) _differences[i] = _differences[i] with { RowKey = OutermostRowKey() ?? key };
    }

    private void Align<TRow>(
        IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, string name, RowRule<TRow> rule, TypePlan<TRow> plan)
    {
        var cut = rule.Cut is { } cutOf && _depth > 0 && _path[_depth - 1].Owner is { } owner ? cutOf(owner) : default;
        var alignment = RowAlignment<TRow>.Of(control, candidate, rule, cut, _request);
        foreach (var (left, right) in alignment.Pairs) Row(control[left], candidate[right], name, left, rule, plan);
        if (alignment.IsExchanged || alignment.IsReorderedWithinTies) _tolerated.Add(rule.Because);
        foreach (var index in alignment.Missing) RowOfOneSide(
            name, index, DifferenceKind.MissingRow, rule.KeyOf(control[index]), control[index], default);
        foreach (var index in alignment.Extra) RowOfOneSide(
            name, index, DifferenceKind.ExtraRow, rule.KeyOf(candidate[index]), default, candidate[index]);
        if (alignment.IsReordered) Report(name, DifferenceKind.Order, alignment.ControlKeys, alignment.CandidateKeys);
    }

    private void RowOfOneSide<TRow>(string list, int index, DifferenceKind kind, object? key, TRow? control, TRow? candidate)
    {
        Enter(new(list, index, Key: key));
        Report("", kind, control, candidate);
        _depth--;
    }
}
