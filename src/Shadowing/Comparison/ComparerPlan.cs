using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;

namespace Shadowing.Comparison;

internal delegate void ValueVisitor<in T>(T control, T candidate, string name, ComparisonWalk walk);

/// <summary>What each type compiles to under one set of rules. Compiled on first use, then kept.</summary>
internal sealed class ComparerPlan(ComparisonRules rules)
{
    private readonly ConcurrentDictionary<Type, object> _types = [];
    private readonly ConcurrentDictionary<Type, ValueVisitor<object>> _runtimeTypes = [];

    public TypePlan<T> Of<T>() =>
        (TypePlan<T>)(_types.TryGetValue(typeof(T), out var known) ? known : _types.GetOrAdd(typeof(T), new TypePlan<T>(this)));

    /// <summary>For values whose declared type does not say what they are.</summary>
    public ValueVisitor<object> OfRuntimeType(Type type) =>
        _runtimeTypes.GetOrAdd(type, static (type, plan) => (ValueVisitor<object>)Invoke(plan, nameof(Boxed), [type], []), this);

    public ValueVisitor<T> VisitorFor<T>(MemberInfo? member)
    {
        var rule = member is null ? null : rules.For(member);
        if (rule is ValueRule<T> near) return (control, candidate, name, walk) => walk.Near(control, candidate, name, near);
        var type = typeof(T);
        if (IsLeaf(type)) return static (control, candidate, name, walk) => walk.Leaf(control, candidate, name);
        if (Closed(type, typeof(IReadOnlyDictionary<,>)) is { } dictionary) return Make<T>(nameof(Dictionary), dictionary);
        if (Closed(type, typeof(IReadOnlyList<>)) is { } list) return Make<T>(nameof(List), list, rule);
        if (Closed(type, typeof(IEnumerable<>)) is { } sequence) return Make<T>(nameof(Sequence), sequence);
        if (Nullable.GetUnderlyingType(type) is { } underlying) return (ValueVisitor<T>)Invoke(this, nameof(NullableOf), [underlying], []);
        var plan = Of<T>();
        return type.IsValueType
            ? (control, candidate, name, walk) => walk.Members(control, candidate, name, plan)
            : (control, candidate, name, walk) => walk.Object(control, candidate, name, plan);
    }

    /// <summary>One block that reads each member of both values and visits the pair.</summary>
    public Action<T, T, ComparisonWalk> CompileMembers<T>()
    {
        var (control, candidate) = (Expression.Parameter(typeof(T)), Expression.Parameter(typeof(T)));
        var walk = Expression.Parameter(typeof(ComparisonWalk));
        var visits = MembersOf(typeof(T)).Select(member => Expression.Invoke(
            Expression.Constant(Invoke(this, nameof(VisitorFor), [TypeOf(member)], [member])),
            Expression.MakeMemberAccess(control, member),
            Expression.MakeMemberAccess(candidate, member),
            Expression.Constant(JsonNamingPolicy.CamelCase.ConvertName(member.Name)),
            walk));
        return Expression.Lambda<Action<T, T, ComparisonWalk>>(Expression.Block([.. visits, Expression.Empty()]), control, candidate, walk)
            .Compile();
    }

    /// <summary>What is compared of a type: its public properties and fields.</summary>
    public static IEnumerable<MemberInfo> MembersOf(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.GetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
        .Concat<MemberInfo>(type.GetFields(BindingFlags.Public | BindingFlags.Instance));

    public static Type TypeOf(MemberInfo member) => member is PropertyInfo property ? property.PropertyType : ((FieldInfo)member).FieldType;

    /// <summary>The type of a list's rows or a dictionary's values; null where the type is neither.</summary>
    public static Type? RowType(Type type) =>
        (Closed(type, typeof(IReadOnlyDictionary<,>)) ?? Closed(type, typeof(IEnumerable<>)))?.GetGenericArguments()[^1];

    public static bool IsLeaf(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var plain
        && (plain.IsPrimitive || plain.IsEnum || plain == typeof(string) || plain == typeof(decimal) || plain == typeof(DateTime)
            || plain == typeof(DateTimeOffset) || plain == typeof(DateOnly) || plain == typeof(TimeOnly) || plain == typeof(TimeSpan)
            || plain == typeof(Guid) || plain == typeof(Int128) || plain == typeof(UInt128) || plain == typeof(Half)
            || plain == typeof(Uri) || plain == typeof(Version) || typeof(Type).IsAssignableFrom(plain));

    private static Type? Closed(Type type, Type open) =>
        type.GetInterfaces().Prepend(type).FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == open);

    private ValueVisitor<T> Make<T>(string method, Type closed, params object?[] arguments) =>
        (ValueVisitor<T>)Invoke(this, method, [typeof(T), .. closed.GetGenericArguments()], arguments);

    private static object Invoke(ComparerPlan plan, string method, Type[] types, object?[] arguments) =>
        typeof(ComparerPlan).GetMethod(method, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)!
            .MakeGenericMethod(types).Invoke(plan, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;

    private ValueVisitor<TList> List<TList, TRow>(object? rule) where TList : IReadOnlyList<TRow>
    {
        var (rows, plan) = (rule as RowRule<TRow>, Of<TRow>());
        return (control, candidate, name, walk) => walk.List(control, candidate, name, rows, plan);
    }

    private ValueVisitor<TSequence> Sequence<TSequence, TRow>() where TSequence : IEnumerable<TRow>
    {
        var plan = Of<TRow>();
        return (control, candidate, name, walk) =>
            walk.List(walk.Bounded<TRow>(control), walk.Bounded<TRow>(candidate), name, rule: null, plan);
    }

    private ValueVisitor<TDictionary> Dictionary<TDictionary, TKey, TValue>() where TDictionary : IReadOnlyDictionary<TKey, TValue>
    {
        var plan = Of<TValue>();
        return (control, candidate, name, walk) => walk.Dictionary<TKey, TValue>(control, candidate, name, plan);
    }

    private ValueVisitor<TValue?> NullableOf<TValue>() where TValue : struct
    {
        var plan = Of<TValue>();
        return (control, candidate, name, walk) =>
        {
            if (control is { } left && candidate is { } right) walk.Members(left, right, name, plan);
            else if (control.HasValue != candidate.HasValue) walk.Report(name, DifferenceKind.NullVsValue, control, candidate);
        };
    }

    private ValueVisitor<object> Boxed<T>()
    {
        var plan = Of<T>();
        return IsLeaf(typeof(T)) || typeof(T).GetInterfaces().Any(i => i == typeof(System.Collections.IEnumerable))
            ? (control, candidate, name, walk) => plan.Visit((T)control, (T)candidate, name, walk)
            : (control, candidate, name, walk) => walk.Members((T)control, (T)candidate, name, plan);
    }
}

/// <summary>One type under one plan.</summary>
internal sealed class TypePlan<T>(ComparerPlan plan)
{
    /// <summary>Compares two values of this type, null included.</summary>
    public ValueVisitor<T> Visit => field ??= plan.VisitorFor<T>(member: null);

    /// <summary>Compares the members of two values that are exactly of this type and not null.</summary>
    public Action<T, T, ComparisonWalk> Members => field ??= plan.CompileMembers<T>();
}
