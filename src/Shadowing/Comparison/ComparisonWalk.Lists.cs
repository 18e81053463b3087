using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shadowing.Comparison;

/// <summary>Lists: rows are compared by key where a rule names one, and by position otherwise.</summary>
internal sealed partial class ComparisonWalk
{
    /// <param name="owner">Whose member the list is; null where that is not known.</param>
    /// <remarks>
    /// Lists are mostly equal as they stand, and equal rows have equal keys. So keys are asked only once something has been noted.
    /// </remarks>
    public void List<TRow>(
        IReadOnlyList<TRow>? control, IReadOnlyList<TRow>? candidate, string name, object? owner, RowRule<TRow>? rule, TypePlan<TRow> plan)
    {
        if (NullsDecide(control, candidate, name)) return;
        var (marks, count) = (Mark(), control!.Count);
        if (count == candidate!.Count)
        {
            var done = Positions(control, candidate, name, 0, rule is not null, plan);
            if (rule is null || _noted == marks.Noted) return;
            var isAligned = IsAligned(control, candidate, name, rule);
            if (isAligned is true)
            {
                NameRows(marks.Count, control, name, rule);
                for (var i = done; i < count; i++) Row(control[i], candidate[i], name, i, rule, plan);
                return;
            }

            if (isAligned is null)
            {
                // Without keys, rows are compared by position, and all differences there are reported.
                Positions(control, candidate, name, done, untilNoted: false, plan);
                return;
            }

            Forget(marks);
        }

        if (rule is not null && TryAlign(control, candidate, name, owner, rule) is { } alignment)
        {
            Report(alignment, control, candidate, name, rule, plan);
            return;
        }

        if (count != candidate.Count) Report(name, DifferenceKind.Count, count, candidate.Count);
        Positions(control, candidate, name, 0, untilNoted: false, plan);
    }

    /// <summary>Compares rows by position.</summary>
    /// <param name="untilNoted">Whether to stop after the first row in which something is noted.</param>
    /// <returns>How many rows have been compared.</returns>
    private int Positions<TRow>(
        IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, string name, int from, bool untilNoted, TypePlan<TRow> plan)
    {
        var left = Span(control);
        var right = Span(candidate);
        var count = Math.Min(control.Count, candidate.Count);
        if (from >= count) return count;
        var isSpan = left.Length >= count && right.Length >= count;
        Enter(count - from);
        var (visit, noted) = (plan.Visit, _noted);
        var done = from;
        while (done < count)
        {
            var before = _count;
            if (isSpan) visit(left[done], right[done], "", this);
            else visit(control[done], candidate[done], "", this);
            if (_count != before) Within(before, name, done);
            done++;
            if (untilNoted && _noted != noted) break;
        }

        _nodesLeft += count - done;
        _depthLeft++;
        return done;
    }

    /// <summary>The rows of an array or a list; empty for any other collection.</summary>
    private static ReadOnlySpan<TRow> Span<TRow>(IReadOnlyList<TRow> rows) =>
        rows.GetType() == typeof(TRow[]) ? Unsafe.As<TRow[]>(rows)
        : rows.GetType() == typeof(List<TRow>) ? CollectionsMarshal.AsSpan(Unsafe.As<List<TRow>>(rows)) : [];

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
        var before = Enter();
        plan.Visit(control, candidate, "", this);
        _depthLeft++;
        if (_count == before) return;
        // The key of an equal row is not read: that would box it.
        Within(before, list, index, rule is null || control is null ? null : KeyOf(control, list, rule));
    }

    /// <summary>Sets the key of their row on what was found when the keys had not been asked yet.</summary>
    private void NameRows<TRow>(int before, IReadOnlyList<TRow> control, string list, RowRule<TRow> rule)
    {
        for (var i = before; i < _count; i++)
        {
            if (control[_found[i].Row] is { } row) _found[i].Within("", -1, KeyOf(row, list, rule));
        }
    }

    /// <returns>Null where a row's key throws.</returns>
    private RowAlignment<TRow>? TryAlign<TRow>(
        IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, string name, object? owner, RowRule<TRow> rule)
    {
        var cut = rule.Cut is { } cutOf && owner is not null
            ? Try($"{name} cut", () => cutOf(owner), default) : default;
        // A sort key that throws is replaced by a new object, which ties with no other row.
        Func<TRow, object?>? sortKey = rule.SortKey is { } keyOf ? row => Try($"{name} sortedBy", () => keyOf(row), new object()) : null;
        Func<TRow, bool>? fits = rule.Fits is { } fitsIn ? row => Try($"{name} fits", () => fitsIn(_request, row), otherwise: false) : null;
        return Try($"{name} key", () => RowAlignment<TRow>.Align(control, candidate, rule, new(cut, _paired), sortKey, fits), null);
    }

    private void Report<TRow>(
        RowAlignment<TRow> alignment, IReadOnlyList<TRow> control, IReadOnlyList<TRow> candidate, string name, RowRule<TRow> rule,
        TypePlan<TRow> plan)
    {
        foreach (var (left, right) in alignment.Pairs) Row(control[left], candidate[right], name, left, rule, plan);
        if (alignment.IsExchanged || alignment.IsReorderedWithinTies) Tolerate(rule.Because);
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
        var before = Enter();
        Report("", kind, control, candidate);
        _depthLeft++;
        Within(before, list, index, key);
    }
}
