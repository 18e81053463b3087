using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Shadowing.Comparison;

internal delegate void ValueVisitor<in T>(T control, T candidate, string name, ComparisonWalk walk);

/// <summary>What each type compiles to under one set of rules. Compiled on first use, then kept.</summary>
internal sealed class ComparerPlan(ComparisonRules rules)
{
    private readonly ConcurrentDictionary<Type, object> _types = [];
    private readonly ConcurrentDictionary<Type, ValueVisitor<object>> _runtimeTypes = [];

    public TypePlan<T> PlanFor<T>() =>
        (TypePlan<T>)(_types.TryGetValue(typeof(T), out var known) ? known : _types.GetOrAdd(typeof(T), new TypePlan<T>(this)));

    /// <summary>For values whose declared type does not say what they are.</summary>
    public ValueVisitor<object> OfRuntimeType(Type type) =>
        _runtimeTypes.GetOrAdd(type, static (type, plan) => (ValueVisitor<object>)Invoke(plan, nameof(Boxed), [type], []), this);

    public ValueVisitor<T> VisitorFor<T>()
    {
        var kind = ValueKind.ForType(typeof(T));
        return kind.As switch
        {
            ComparedAs.Leaf => static (control, candidate, name, walk) => walk.Leaf(control, candidate, name),
            ComparedAs.Json => JsonOf<T>(),
            ComparedAs.Nullable => (ValueVisitor<T>)Invoke(this, nameof(NullableOf), kind.Arguments, []),
            ComparedAs.Dictionary when !IsRowsOf<T>(typeof(KeyValuePair<,>).MakeGenericType(kind.Arguments)) => Untyped<T>(),
            ComparedAs.Dictionary => Make<T>(nameof(Dictionary), kind),
            ComparedAs.Set => Make<T>(nameof(Set), kind),
            ComparedAs.List => Make<T>(nameof(List), kind, rules.ForRows(kind.Arguments[0])),
            ComparedAs.Sequence when !IsRowsOf<T>(kind.Arguments[0]) => UntypedRows<T>(),
            ComparedAs.Sequence => Make<T>(nameof(Sequence), kind),
            ComparedAs.Memory => Make<T>(nameof(Memory), kind),
            ComparedAs.Nothing => static (control, candidate, name, walk) => walk.NotComparable(control, candidate, name, typeof(T)),
            ComparedAs.Members => MemberCompiler.Compile(PlanFor<T>(), this),
            _ => OfObject<T>(),
        };
    }

    /// <summary>For two values that are exactly of the type and not null.</summary>
    public ValueVisitor<T> ExactFor<T>() => ValueKind.ForType(typeof(T)).As is ComparedAs.RuntimeType
        ? static (control, candidate, name, walk) => walk.NotComparable(control, candidate, name, typeof(T)) : PlanFor<T>().Visit;

    /// <summary>Compares the fields that no member shows, at the path of their owner; null where there are none.</summary>
    public Action<T, T, ComparisonWalk>? CompileHidden<T>() => MemberCompiler.CompileHidden<T>(this);

    /// <summary>The plan of a type that is known at run time.</summary>
    public object PlanFor(Type type) => Invoke(this, nameof(PlanFor), [type], []);

    /// <summary>The rule for a member: its own, or of a list that for rows of their type; null where there is none.</summary>
    public object? RuleFor(MemberInfo member) => rules.For(member)
        ?? (ValueKind.ForType(ValueKind.TypeOf(member)) is { As: ComparedAs.List } list ? rules.ForRows(list.Arguments[0]) : null);

    private static bool IsRowsOf<T>(Type row) => typeof(IEnumerable<>).MakeGenericType(row).IsAssignableFrom(typeof(T));

    private ValueVisitor<T> Make<T>(string method, ValueKind kind, params object?[] arguments) =>
        (ValueVisitor<T>)Invoke(this, method, [typeof(T), .. kind.Arguments], arguments);

    private static object Invoke(ComparerPlan plan, string method, Type[] types, object?[] arguments) =>
        typeof(ComparerPlan).GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
            .Single(one => one.IsGenericMethodDefinition && one.Name == method)
            .MakeGenericMethod(types).Invoke(plan, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;

    private ValueVisitor<T> OfObject<T>()
    {
        var plan = PlanFor<T>();
        return (control, candidate, name, walk) => walk.Object(control, candidate, name, plan);
    }

    private static ValueVisitor<T> JsonOf<T>() => typeof(T) == typeof(JsonElement)
        ? (ValueVisitor<T>)(object)(ValueVisitor<JsonElement>)(static (control, candidate, name, walk) =>
            walk.Json(control, candidate, name))
        : static (control, candidate, name, walk) =>
        {
            if (control is null != candidate is null) walk.Report(name, DifferenceKind.NullVsValue, control, candidate);
            else if (control is not null) walk.Json(Document(control), Document(candidate!), name);
        };

    private static JsonElement Document(object value) =>
        value is JsonDocument document ? document.RootElement : JsonSerializer.SerializeToElement((JsonNode)value);

    private ValueVisitor<TList> List<TList, TRow>(object? rule) where TList : IReadOnlyList<TRow>
    {
        var (rows, plan) = (rule as RowRule<TRow>, PlanFor<TRow>());
        return (control, candidate, name, walk) => walk.List(control, candidate, name, owner: null, rows, plan);
    }

    private ValueVisitor<TSequence> Sequence<TSequence, TRow>() where TSequence : IEnumerable<TRow>
    {
        var plan = PlanFor<TRow>();
        return (control, candidate, name, walk) =>
            walk.List(walk.Bounded<TRow>(control), walk.Bounded<TRow>(candidate), name, owner: null, rule: null, plan);
    }

    private ValueVisitor<TMemory> Memory<TMemory, TRow>()
    {
        var plan = PlanFor<TRow>();
        return (control, candidate, name, walk) => walk.List(Rows(control), Rows(candidate), name, owner: null, rule: null, plan);

        static TRow[] Rows(TMemory memory) =>
            memory is Memory<TRow> writable ? writable.ToArray() : ((ReadOnlyMemory<TRow>)(object)memory!).ToArray();
    }

    private ValueVisitor<TSet> Set<TSet, TRow>() where TSet : IEnumerable<TRow>
    {
        var plan = PlanFor<TRow>();
        return (control, candidate, name, walk) => walk.Set(control, candidate, name, plan);
    }

    private ValueVisitor<TDictionary> Dictionary<TDictionary, TKey, TValue>() where TDictionary : IEnumerable<KeyValuePair<TKey, TValue>>
    {
        var (keys, values) = (PlanFor<TKey>(), PlanFor<TValue>());
        return (control, candidate, name, walk) => walk.Dictionary(control, candidate, name, keys, values);
    }

    private ValueVisitor<T> Untyped<T>()
    {
        var values = PlanFor<object?>();
        return (control, candidate, name, walk) => walk.Dictionary(Pairs(control), Pairs(candidate), name, values, values);

        static IEnumerable<KeyValuePair<object?, object?>>? Pairs(T dictionary)
        {
            if (dictionary is null) return null;
            var pairs = new List<KeyValuePair<object?, object?>>();
            foreach (DictionaryEntry entry in (IDictionary)dictionary) pairs.Add(new(entry.Key, entry.Value));
            return pairs;
        }
    }

    private ValueVisitor<T> UntypedRows<T>()
    {
        var plan = PlanFor<object?>();
        return (control, candidate, name, walk) => walk.List(
            walk.Bounded(((IEnumerable?)control)?.Cast<object?>()), walk.Bounded(((IEnumerable?)candidate)?.Cast<object?>()),
            name, owner: null, rule: null, plan);
    }

    private ValueVisitor<TValue?> NullableOf<TValue>() where TValue : struct
    {
        if (ValueKind.ForType(typeof(TValue)).As is ComparedAs.Leaf)
            return static (control, candidate, name, walk) => walk.Leaf(control, candidate, name);
        var plan = PlanFor<TValue>();
        return (control, candidate, name, walk) =>
        {
            if (control is { } left && candidate is { } right) plan.Visit(left, right, name, walk);
            else if (control.HasValue != candidate.HasValue) walk.Report(name, DifferenceKind.NullVsValue, control, candidate);
        };
    }

    private ValueVisitor<object> Boxed<T>()
    {
        var exact = PlanFor<T>().Exact;
        return (control, candidate, name, walk) => exact((T)control, (T)candidate, name, walk);
    }
}

/// <summary>One type under one plan.</summary>
internal sealed class TypePlan<T>(ComparerPlan plan)
{
    private bool _isHiddenCompiled;

    /// <summary>Compares two values of this type, null included.</summary>
    public ValueVisitor<T> Visit => field ??= plan.VisitorFor<T>();

    /// <summary>Compares two values that are exactly of this type and not null.</summary>
    public ValueVisitor<T> Exact => field ??= plan.ExactFor<T>();

    /// <summary>Whether more than the members decides: fields that none of them shows, or the type's own <c>Equals</c>.</summary>
    public bool HasMore => OwnEquals || ValueKind.ForType(typeof(T)).Hidden.Count > 0;

    /// <summary>Whether the type's own <c>Equals</c> has a say where its members are equal.</summary>
    public bool OwnEquals { get; } = ValueKind.ForType(typeof(T)).OwnEquals;

    /// <summary>Whether values of the type find each other by <c>Equals</c>.</summary>
    public bool IsLeaf { get; } = ValueKind.ForType(Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T)).As is ComparedAs.Leaf;

    /// <summary>Compares the fields that no member shows, where the type counts them as its value.</summary>
    public Action<T, T, ComparisonWalk>? Hidden
    {
        get
        {
            if (_isHiddenCompiled) return field;
            field = plan.CompileHidden<T>();
            _isHiddenCompiled = true;
            return field;
        }
    }
}
