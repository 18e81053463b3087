using System.Globalization;

namespace Shadowing.Comparison;

/// <summary>
/// Sets and dictionaries: in any order, each element or key found by what it is. What a collection's own comparer calls equal is not asked:
/// users are sent the elements, and two that differ only in case are two texts to them.
/// </summary>
internal sealed partial class ComparisonWalk
{
    public void Set<TRow>(IEnumerable<TRow>? control, IEnumerable<TRow>? candidate, string name, TypePlan<TRow> plan)
    {
        if (NullsDecide(control, candidate, name)) return;
        var (left, right) = (Bounded(control)!, Bounded(candidate)!);
        var pairs = Pair(left, right, plan, out var missing, out var extra);
        foreach (var (one, other) in pairs) Row(left[one], right[other], name, one, rule: null, plan);
        foreach (var index in missing) RowOfOneSide(name, index, DifferenceKind.MissingRow, key: null, left[index], default);
        foreach (var index in extra) RowOfOneSide(name, index, DifferenceKind.ExtraRow, key: null, default, right[index]);
    }

    public void Dictionary<TKey, TValue>(
        IEnumerable<KeyValuePair<TKey, TValue>>? control, IEnumerable<KeyValuePair<TKey, TValue>>? candidate, string name,
        TypePlan<TKey> keys, TypePlan<TValue> values)
    {
        if (NullsDecide(control, candidate, name)) return;
        var (left, right) = (Bounded(control)!, Bounded(candidate)!);
        var before = Enter();
        var pairs = Pair([.. left.Select(entry => entry.Key)], [.. right.Select(entry => entry.Key)], keys, out var missing, out var extra);
        foreach (var (one, other) in pairs)
        {
            var step = Step(left[one].Key);
            keys.Visit(left[one].Key, right[other].Key, step, this);
            values.Visit(left[one].Value, right[other].Value, step, this);
        }

        foreach (var index in missing) Report(Step(left[index].Key), DifferenceKind.MissingRow, left[index].Value, null);
        foreach (var index in extra) Report(Step(right[index].Key), DifferenceKind.ExtraRow, null, right[index].Value);
        Leave(before, name);
    }

    private static string Step<TKey>(TKey key) => string.Create(CultureInfo.InvariantCulture, $"[{key}]");

    /// <summary>Which element is which: by <c>Equals</c> where that decides, else by comparing each with each.</summary>
    private List<(int Control, int Candidate)> Pair<T>(
        IReadOnlyList<T> control, IReadOnlyList<T> candidate, TypePlan<T> plan, out List<int> missing, out List<int> extra)
    {
        var (pairs, open) = (new List<(int, int)>(), new HashSet<int>(Enumerable.Range(0, candidate.Count)));
        missing = [];
        var byValue = plan.IsLeaf ? ByValue(candidate) : null;
        for (var i = 0; i < control.Count; i++)
        {
            var found = byValue is null ? Find(control[i], i, candidate, open, plan)
                : byValue.TryGetValue(new(control[i]), out var same) && same.TryDequeue(out var first) ? first : -1;
            if (found < 0) missing.Add(i);
            else
            {
                open.Remove(found);
                pairs.Add((i, found));
            }
        }

        extra = [.. open.Order()];
        return pairs;
    }

    private static Dictionary<ValueTuple<T>, Queue<int>> ByValue<T>(IReadOnlyList<T> all)
    {
        var byValue = new Dictionary<ValueTuple<T>, Queue<int>>();
        for (var i = 0; i < all.Count; i++)
        {
            if (!byValue.TryGetValue(new(all[i]), out var same)) byValue.Add(new(all[i]), same = new());
            same.Enqueue(i);
        }

        return byValue;
    }

    private int Find<T>(T one, int at, IReadOnlyList<T> candidate, HashSet<int> open, TypePlan<T> plan)
    {
        if (open.Contains(at) && IsSame(one, candidate[at], plan)) return at;
        foreach (var index in open)
        {
            if (index != at && IsSame(one, candidate[index], plan)) return index;
        }

        return -1;
    }

    /// <summary>Compares, and forgets what it found; what it cost counts.</summary>
    private bool IsSame<T>(T control, T candidate, TypePlan<T> plan)
    {
        var marks = Mark();
        Enter();
        plan.Visit(control, candidate, "", this);
        _depthLeft++;
        var isSame = _total == marks.Total;
        Forget(marks);
        return isSame;
    }
}
