using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Shadowing.Model;

namespace Shadowing.Comparison;

/// <summary>
/// The state of one comparison: what it found, and how much of the limits is used. A path is put together on the way back from what is
/// found, so that equal values cost none. Reused, so that comparing equal answers allocates nothing.
/// </summary>
internal sealed partial class ComparisonWalk
{
    private const int MostSpare = 200;

    [ThreadStatic]
    private static ComparisonWalk? _spare;

    private readonly List<Found> _found = [];
    private readonly List<string> _tolerated = [];
    private readonly Dictionary<string, Exception> _failedRules = [];
    private int _count;
    private int _depthLeft;
    private int _nodesLeft;
    private int _total;
    private int _noted;
    private ComparerPlan _plan = null!;
    private ComparisonLimits _limits = null!;
    private object? _request;
    private PairedValues? _paired;

    /// <summary>How many differences have been found so far.</summary>
    public int Total => _total;

    public static ComparisonWalk Rent(ComparerPlan plan, ComparisonLimits limits, object? request, PairedValues? paired)
    {
        var walk = _spare ?? new();
        _spare = null;
        (walk._plan, walk._limits, walk._request, walk._paired) = (plan, limits, request, paired);
        (walk._depthLeft, walk._nodesLeft) = (limits.Depth, limits.Nodes);
        return walk;
    }

    public void Return()
    {
        if (_noted > 0 || _failedRules.Count > 0)
        {
            Forget(0);
            _tolerated.Clear();
            _failedRules.Clear();
        }

        // Many differences are rare; a thread does not keep the room that they took.
        if (_found.Count > MostSpare) _found.RemoveRange(MostSpare, _found.Count - MostSpare);
        (_total, _noted, _request, _paired) = (0, 0, null, null);
        _spare = this;
    }

    /// <remarks>
    /// A difference counts even if other values cannot be compared. Without a difference, such a value makes the result incomparable.
    /// </remarks>
    public ComparisonResult Result() => _noted == 0 && _failedRules.Count == 0 ? ComparisonResult.Equal : new()
    {
        Differences = Differences(),
        TotalDifferences = _total,
        Tolerated = [.. _tolerated],
        FailedRules = Failed(),
        Incomparable = _total == 0 && _count > 0 ? IncomparableReason.NotComparable : null,
        NotComparable = Unknown(),
    };

    /// <summary>Of a comparison that did not come to its end: where its differences are is known only there.</summary>
    public ComparisonResult Broken(IncomparableReason reason, Exception? failure) => new()
    {
        TotalDifferences = _total,
        FailedRules = Failed(),
        Incomparable = reason,
        Failure = failure,
    };

    public void NotComparable<T>(T control, T candidate, string name, Type type)
    {
        if (control is null != candidate is null) Report(name, DifferenceKind.NullVsValue, control, candidate);
        else if (control is not null)
        {
            _noted++;
            if (_count - Math.Min(_total, _limits.Differences) < _limits.Differences)
                Add(name).NotComparable = (control.GetType() == typeof(object) ? type : control.GetType()).FullName ?? type.Name;
        }
    }

    public void Leaf<T>(T control, T candidate, string name)
    {
        if (EqualityComparer<T>.Default.Equals(control, candidate) || (_paired is not null && _paired.AreSame(control, candidate)))
        {
            if (Representation<T>.Same is { } same && !same(control, candidate)) Report(name, DifferenceKind.Type, control, candidate);
            return;
        }

        Report(name, control is null != candidate is null ? DifferenceKind.NullVsValue : DifferenceKind.Value, control, candidate);
    }

    public void Near<T>(T control, T candidate, string name, ValueRule<T> rule)
    {
        if (EqualityComparer<T>.Default.Equals(control, candidate)) return;
        if (IsNear(control, candidate, name, rule)) Tolerate(rule.Because);
        else Leaf(control, candidate, name);
    }

    /// <summary>Two values of which one is null.</summary>
    public void Null(object? control, object? candidate, string name)
    {
        if (control is not null || candidate is not null) Report(name, DifferenceKind.NullVsValue, control, candidate);
    }

    public void Object<T>(T control, T candidate, string name, TypePlan<T> plan)
    {
        if (control is null || candidate is null) Null(control, candidate, name);
        else if (control.GetType() == typeof(T) && candidate.GetType() == typeof(T)) plan.Exact(control, candidate, name, this);
        else Derived(control, candidate, name);
    }

    /// <summary>Two objects of which at least one is not of the type that was declared.</summary>
    public void Derived(object control, object candidate, string name)
    {
        var (type, other) = (control.GetType(), candidate.GetType());
        if (ValueKind.Seen(type) is var seen && seen == ValueKind.Seen(other))
            _plan.OfRuntimeType(seen)(control, candidate, name, this);
        else Report(name, DifferenceKind.Type, type.Name, other.Name);
    }

    /// <summary>What decides where all members of two objects are equal.</summary>
    /// <param name="before">The differences found before their members.</param>
    public void Rest<T>(T control, T candidate, int before, TypePlan<T> plan)
    {
        if (_total == before) plan.Hidden?.Invoke(control, candidate, this);
        // Where two writes ran, such an Equals cannot know which keys and clocks stand for each other.
        if (_total == before && plan.OwnEquals && _paired is null && !EqualityComparer<T>.Default.Equals(control, candidate))
            Report("", DifferenceKind.Value, control, candidate);
    }

    /// <summary>A sequence as a list; one that is longer than the limit, or endless, is too large to compare.</summary>
    public IReadOnlyList<TRow>? Bounded<TRow>(IEnumerable<TRow>? rows)
    {
        if (rows is null) return null;
        var list = rows.Take((int)Math.Min(_nodesLeft + 1L, int.MaxValue)).ToArray();
        return list.Length > _nodesLeft ? throw new ComparisonTooLargeException() : list;
    }

    public void Report(string name, DifferenceKind kind, object? control, object? candidate)
    {
        _noted++;
        if (++_total > _limits.Differences) return;
        var found = Add(name);
        (found.Kind, found.Control, found.Candidate) = (kind, control, candidate);
    }

    /// <summary>Steps into objects or rows.</summary>
    /// <returns>How many things have been found so far, for <see cref="Leave(int, string)"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Enter(int nodes = 1)
    {
        if (_depthLeft == 0 || nodes > _nodesLeft) TooLarge();
        _nodesLeft -= nodes;
        _depthLeft--;
        return _count;
    }

    /// <summary>Steps out of a member: what has been found since is within it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave(int before, string name)
    {
        _depthLeft++;
        if (_count != before) Within(before, name);
    }

    [DoesNotReturn]
    private static void TooLarge() => throw new ComparisonTooLargeException();

    private void Within(int before, string name, int index = -1, object? key = null)
    {
        for (var i = before; i < _count; i++) _found[i].Within(name, index, key);
    }

    private void Tolerate(string because)
    {
        _noted++;
        if (!_tolerated.Contains(because)) _tolerated.Add(because);
    }

    // In a method of its own, so that the closure is allocated only where values differ.
    private bool IsNear<T>(T control, T candidate, string name, ValueRule<T> rule) =>
        Try($"{name} near", () => rule.Near(control, candidate), otherwise: false);

    /// <summary>Calls a rule. A rule is the application's code; where it throws, <paramref name="otherwise"/> is its answer.</summary>
    private T Try<T>(string rule, Func<T> ask, T otherwise)
    {
        try
        {
            return ask();
        }
#pragma warning disable CA1031 // A rule may throw anything.
        catch (Exception fault)
        {
            _failedRules[rule] = fault;
            return otherwise;
        }
#pragma warning restore CA1031
    }

    private bool NullsDecide(object? control, object? candidate, string name)
    {
        if (control is not null && candidate is not null) return false;
        Null(control, candidate, name);
        return true;
    }

    private Found Add(string name)
    {
        if (_count == _found.Count) _found.Add(new());
        var found = _found[_count++];
        found.Within(name, -1, null);
        return found;
    }

    /// <summary>Forgets what has been found since, but not what finding it has cost.</summary>
    private void Forget(int before)
    {
        for (var i = before; i < _count; i++) _found[i].Clear();
        _count = before;
    }

    private void Forget(in Marks marks)
    {
        Forget(marks.Count);
        _tolerated.RemoveRange(marks.Tolerated, _tolerated.Count - marks.Tolerated);
        (_total, _noted) = (marks.Total, marks.Noted);
    }

    private Marks Mark() => new(_count, _total, _noted, _tolerated.Count);

    private Difference[] Differences()
    {
        if (_total == 0) return [];
        var differences = new Difference[Math.Min(_total, _limits.Differences)];
        var next = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_found[i].NotComparable is null) differences[next++] = _found[i].Difference();
        }

        return differences;
    }

    private NotComparablePath[] Unknown() => _count == Math.Min(_total, _limits.Differences) ? []
        : [.. _found.Take(_count).Where(found => found.NotComparable is not null).Select(found => found.Path())];

    private Dictionary<string, Exception> Failed() =>
        _failedRules.Count == 0 ? ComparisonResult.NoFailures : new(_failedRules);

    /// <summary>How much had been found at a moment.</summary>
    private readonly record struct Marks(int Count, int Total, int Noted, int Tolerated);
}
