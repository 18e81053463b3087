using System.Globalization;
using System.Text;
using Shadowing.Model;

namespace Shadowing.Comparison;

/// <summary>
/// The state of one comparison: the path it is at, what it found, and how much of the limits is used. Reused, so that comparing equal
/// answers allocates nothing.
/// </summary>
internal sealed partial class ComparisonWalk
{
    [ThreadStatic]
    private static ComparisonWalk? _spare;

    private readonly List<Difference> _differences = [];
    private readonly HashSet<string> _tolerated = [];
    private readonly List<NotComparablePath> _unknown = [];
    private readonly Dictionary<string, Exception> _failedRules = [];
    private Segment[] _path = new Segment[8];
    private int _depth;
    private int _nodes;
    private int _total;
    private ComparerPlan _plan = null!;
    private ComparisonLimits _limits = null!;
    private object? _request;
    private (DateTime Control, DateTime Candidate)? _clocks;

    public static ComparisonWalk Rent(
        ComparerPlan plan, ComparisonLimits limits, object? request, (DateTime Control, DateTime Candidate)? clocks)
    {
        var walk = _spare ?? new();
        _spare = null;
        (walk._plan, walk._limits, walk._request, walk._clocks) = (plan, limits, request, clocks);
        return walk;
    }

    public void Return()
    {
        _differences.Clear();
        _tolerated.Clear();
        _unknown.Clear();
        _failedRules.Clear();
        Array.Clear(_path);
        (_depth, _nodes, _total, _request, _clocks) = (0, 0, 0, null, null);
        _spare = this;
    }

    /// <remarks>
    /// A difference counts even if other values cannot be compared. Without a difference, such a value makes the result incomparable.
    /// </remarks>
    public ComparisonResult Result(IncomparableReason? incomparable, Exception? failure) =>
        incomparable is null && _total == 0 && _tolerated.Count == 0 && _unknown.Count == 0 && _failedRules.Count == 0
            ? ComparisonResult.Equal
            : new()
            {
                Differences = [.. _differences],
                TotalDifferences = _total,
                Tolerated = [.. _tolerated],
                FailedRules = _failedRules.ToDictionary(),
                Incomparable = incomparable ?? (_total == 0 && _unknown.Count > 0 ? IncomparableReason.NotComparable : null),
                NotComparable = [.. _unknown],
                Failure = failure,
            };

    public void NotComparable<T>(T control, T candidate, string name, Type type)
    {
        if (control is null != candidate is null) Report(name, DifferenceKind.NullVsValue, control, candidate);
        else if (control is not null && _unknown.Count < _limits.Differences)
            _unknown.Add(new(Difference.PatternOf(PathTo(name)),
                (control.GetType() == typeof(object) ? type : control.GetType()).FullName ?? type.Name));
    }

    public void Leaf<T>(T control, T candidate, string name)
    {
        if (EqualityComparer<T>.Default.Equals(control, candidate) || AreClocks(control, candidate))
        {
            if (Representation<T>.Same is { } same && !same(control, candidate)) Report(name, DifferenceKind.Type, control, candidate);
            return;
        }

        Report(name, control is null != candidate is null ? DifferenceKind.NullVsValue : DifferenceKind.Value, control, candidate);
    }

    public void Near<T>(T control, T candidate, string name, ValueRule<T> rule)
    {
        if (EqualityComparer<T>.Default.Equals(control, candidate)) return;
        if (IsNear(control, candidate, name, rule)) _tolerated.Add(rule.Because);
        else Leaf(control, candidate, name);
    }

    public void Object<T>(T control, T candidate, string name, TypePlan<T> plan)
    {
        if (control is null || candidate is null)
        {
            if (control is not null || candidate is not null) Report(name, DifferenceKind.NullVsValue, control, candidate);
            return;
        }

        var (type, other) = (control.GetType(), candidate.GetType());
        if (type == typeof(T) && other == typeof(T)) plan.Exact(control, candidate, name, this);
        else if (ValueKind.Seen(type) is var seen && seen == ValueKind.Seen(other))
            _plan.OfRuntimeType(seen)(control, candidate, name, this);
        else Report(name, DifferenceKind.Type, type.Name, other.Name);
    }

    public void Members<T>(T control, T candidate, string name, TypePlan<T> plan)
    {
        var before = _total;
        Enter(new(name, Owner: typeof(T).IsValueType ? null : control));
        plan.Members(control, candidate, this);
        if (_total == before) plan.Hidden?.Invoke(control, candidate, this);
        _depth--;
        if (_total == before && plan.OwnEquals && !EqualityComparer<T>.Default.Equals(control, candidate))
            Report(name, DifferenceKind.Value, control, candidate);
    }

    /// <summary>A sequence as a list; one that is longer than the limit, or endless, is too large to compare.</summary>
    public IReadOnlyList<TRow>? Bounded<TRow>(IEnumerable<TRow>? rows)
    {
        if (rows is null) return null;
        var list = rows.Take(_limits.Nodes - _nodes + 1).ToArray();
        return list.Length > _limits.Nodes - _nodes ? throw new ComparisonTooLargeException() : list;
    }

    public void Report(string name, DifferenceKind kind, object? control, object? candidate)
    {
        if (++_total > _limits.Differences) return;
        _differences.Add(new(PathTo(name), kind, control, candidate, OutermostRowKey()));
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

    private bool AreClocks<T>(T control, T candidate) =>
        _clocks is { } clocks && control is DateTime left && candidate is DateTime right && left == clocks.Control
            && right == clocks.Candidate;

    private bool NullsDecide(object? control, object? candidate, string name)
    {
        if (control is not null && candidate is not null) return false;
        if (control is not null || candidate is not null) Report(name, DifferenceKind.NullVsValue, control, candidate);
        return true;
    }

    private void Enter(in Segment segment)
    {
        if (_depth == _limits.Depth || ++_nodes > _limits.Nodes) throw new ComparisonTooLargeException();
        if (_depth == _path.Length) Array.Resize(ref _path, _depth * 2);
        _path[_depth++] = segment;
    }

    private string PathTo(string name)
    {
        var path = new StringBuilder();
        for (var i = 0; i < _depth; i++)
        {
            Append(path, _path[i].Name);
            if (_path[i].Index >= 0) path.Append(CultureInfo.InvariantCulture, $"[{_path[i].Index}]");
        }

        return Append(path, name).ToString();
    }

    private static StringBuilder Append(StringBuilder path, string name) =>
        path.Length == 0 || name.Length == 0 || name[0] == '[' ? path.Append(name) : path.Append('.').Append(name);

    private object? OutermostRowKey()
    {
        for (var i = 0; i < _depth; i++)
        {
            if (_path[i].Key is { } key) return key;
        }

        return null;
    }

    /// <summary>A step of the path: a member, or a row of one.</summary>
    private readonly record struct Segment(string Name, int Index = -1, object? Owner = null, object? Key = null);
}
