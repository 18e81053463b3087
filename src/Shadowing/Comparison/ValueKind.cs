using System.Collections;
using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Shadowing.Comparison;

/// <summary>
/// How values of a type are compared. A closed set: a type that fits no other kind is <see cref="Nothing"/>.
/// </summary>
internal enum ComparedAs
{
    /// <summary>By its own <c>Equals</c> and by its text.</summary>
    Leaf,

    /// <summary>By value, as the JSON document that users get.</summary>
    Json,

    /// <summary>A value type or null.</summary>
    Nullable,

    /// <summary>By key, in any order.</summary>
    Dictionary,

    /// <summary>In any order.</summary>
    Set,

    /// <summary>Row by row, with its length known.</summary>
    List,

    /// <summary>Row by row.</summary>
    Sequence,

    /// <summary>A piece of memory: row by row.</summary>
    Memory,

    /// <summary>By the type that the value has at run time: the declared one is <c>object</c>, an interface or abstract.</summary>
    RuntimeType,

    /// <summary>Member by member.</summary>
    Members,

    /// <summary>Not comparable: it neither shows all of its state nor defines equality, such as a stream, a task or a delegate.</summary>
    Nothing,
}

/// <summary>How a type is compared; decided once for each type.</summary>
/// <param name="Arguments">The types of keys and values, of rows, or the type inside a nullable.</param>
internal sealed record ValueKind(ComparedAs As, params Type[] Arguments)
{
    private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    private static readonly ConcurrentDictionary<Type, ValueKind> Known = [];

    /// <summary>
    /// For members: whether the type has a hand-written <c>Equals</c>, which is called too where the members are equal.
    /// </summary>
    public bool OwnEquals { get; private init; }

    /// <summary>
    /// For members with a compiler-generated <c>Equals</c>: the fields that no public member shows. They are compared too.
    /// </summary>
    public IReadOnlyList<FieldInfo> Hidden { get; private init; } = [];

    public static ValueKind ForType(Type type) => Known.GetOrAdd(type, Decide);

    /// <summary>The compared members of a type: its public properties and fields, and those that its JSON includes besides.</summary>
    public static IEnumerable<MemberInfo> MembersOf(Type type) => type.GetProperties(Instance)
        .Where(property => property.GetMethod is { } getter && (getter.IsPublic || property.IsDefined(typeof(JsonIncludeAttribute)))
            && property.GetIndexParameters().Length == 0 && IsReadable(property.PropertyType))
        .Concat<MemberInfo>(type.GetFields(Instance)
            .Where(field => (field.IsPublic || field.IsDefined(typeof(JsonIncludeAttribute))) && IsReadable(field.FieldType)));

    public static Type TypeOf(MemberInfo member) => member is PropertyInfo property ? property.PropertyType : ((FieldInfo)member).FieldType;

    /// <summary>The public type that stands for a value's private framework type, because users see several such types as one.</summary>
    public static Type Seen(Type type)
    {
        if (typeof(JsonNode).IsAssignableFrom(type)) return typeof(JsonNode);
        while (!type.IsVisible && IsFramework(type) && ForType(type).As is ComparedAs.Leaf && type.BaseType is { } visible
            && visible != typeof(object))
            type = visible;
        return type;
    }

    private static ValueKind Decide(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying) return new(ComparedAs.Nullable, underlying);
        if (!IsReadable(type)) return new(ComparedAs.Nothing);
        if (IsLeaf(type)) return new(ComparedAs.Leaf);
        if (type == typeof(JsonElement) || type == typeof(JsonDocument) || typeof(JsonNode).IsAssignableFrom(type))
            return new(ComparedAs.Json);
        if (IsMechanism(type)) return new(ComparedAs.Nothing);
        if (Rows(type) is { } rows) return rows;
        if (type.IsInterface || type == typeof(object) || type == typeof(ValueType) || type == typeof(Enum)
            || (type.IsAbstract && !IsFramework(type)))
            return new(ComparedAs.RuntimeType);
        var equals = EqualsOf(type);
        var isStateless = !FieldsOf(type).Any();
        if (IsFramework(type))
        {
            return typeof(ITuple).IsAssignableFrom(type) || IsA(type, typeof(KeyValuePair<,>)) || isStateless ? new(ComparedAs.Members)
                : equals is null ? new(ComparedAs.Nothing) : new(ComparedAs.Leaf);
        }

        var isGenerated = equals?.IsDefined(typeof(CompilerGeneratedAttribute)) is true
            || type.IsDefined(typeof(CompilerGeneratedAttribute));
        if (isGenerated) return new(ComparedAs.Members) { Hidden = [.. FieldsOf(type).Where(field => !IsShown(field, type))] };
        var hasMembers = MembersOf(type).Any();
        if (equals is not null) return hasMembers ? new(ComparedAs.Members) { OwnEquals = true } : new(ComparedAs.Leaf);
        return isStateless || (hasMembers && !InheritsStateOfTheFramework(type)) ? new(ComparedAs.Members) : new(ComparedAs.Nothing);
    }

    private static ValueKind? Rows(Type type)
    {
        if (type.IsArray && type.GetArrayRank() > 1) return new(ComparedAs.Nothing);
        if (IsA(type, typeof(Memory<>)) || IsA(type, typeof(ReadOnlyMemory<>))) return new(ComparedAs.Memory, type.GetGenericArguments());
        if ((Closed(type, typeof(IReadOnlyDictionary<,>)) ?? Closed(type, typeof(IDictionary<,>))) is { } pairs)
            return new(ComparedAs.Dictionary, pairs);
        if (typeof(IDictionary).IsAssignableFrom(type)) return new(ComparedAs.Dictionary, typeof(object), typeof(object));
        if ((Closed(type, typeof(IReadOnlySet<>)) ?? Closed(type, typeof(ISet<>))) is { } set) return new(ComparedAs.Set, set);
        if (Closed(type, typeof(IReadOnlyList<>)) is { } list) return new(ComparedAs.List, list);
        if (Closed(type, typeof(IEnumerable<>)) is { } sequence) return new(ComparedAs.Sequence, sequence);
        return typeof(IEnumerable).IsAssignableFrom(type) ? new(ComparedAs.Sequence, typeof(object)) : null;
    }

    private static bool IsLeaf(Type type) =>
        type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(decimal) || typeof(Type).IsAssignableFrom(type)
        || typeof(IPAddress).IsAssignableFrom(type) || type == typeof(Uri) || type == typeof(Version);

    /// <summary>Types that do something rather than hold a value. Enumerating a query would run it.</summary>
    private static bool IsMechanism(Type type) =>
        typeof(Delegate).IsAssignableFrom(type) || typeof(IQueryable).IsAssignableFrom(type) || typeof(IEnumerator).IsAssignableFrom(type)
        || Closed(type, typeof(IAsyncEnumerable<>)) is not null || type == typeof(ValueTask) || IsA(type, typeof(ValueTask<>))
        || type == typeof(CancellationToken) || type == typeof(void);

    /// <summary>Types that can be generic arguments and can be boxed.</summary>
    private static bool IsReadable(Type type) => !type.IsPointer && !type.IsByRef && !type.IsByRefLike && !type.IsFunctionPointer;

    /// <summary>
    /// The <c>Equals</c> that decides for two values of the type; null where only the default of objects or value types exists.
    /// </summary>
    private static MethodInfo? EqualsOf(Type type)
    {
        var ofAny = type.GetMethod(nameof(Equals), BindingFlags.Instance | BindingFlags.Public, [typeof(object)])!;
        if (ofAny.DeclaringType is not { } declaring || declaring == typeof(object) || declaring == typeof(ValueType))
            return typeof(IEquatable<>).MakeGenericType(type).IsAssignableFrom(type) ? OfOwn(type) ?? ofAny : null;
        return OfOwn(declaring) ?? ofAny;

        static MethodInfo? OfOwn(Type declaring) =>
            declaring.GetMethod(nameof(Equals), BindingFlags.Instance | BindingFlags.Public, [declaring]);
    }

    private static IEnumerable<FieldInfo> FieldsOf(Type type)
    {
        for (var at = type; at is not null && at != typeof(object) && at != typeof(ValueType); at = at.BaseType)
        {
            foreach (var field in at.GetFields(Instance | BindingFlags.DeclaredOnly)) yield return field;
        }
    }

    /// <summary>Whether the field is public, or behind a compared property.</summary>
    private static bool IsShown(FieldInfo field, Type type) => field.IsPublic
        || MembersOf(type).Any(member => member.Name == field.Name
            || (field.Name == $"<{member.Name}>k__BackingField" || field.Name == $"<{member.Name}>i__Field"));

    private static bool InheritsStateOfTheFramework(Type type)
    {
        for (var at = type.BaseType; at is not null && at != typeof(object) && at != typeof(ValueType); at = at.BaseType)
        {
            if (IsFramework(at) && FieldsOf(at).Any()) return true;
        }

        return false;
    }

    private static bool IsFramework(Type type) => type.Assembly.GetName().Name is "mscorlib" or ['S', 'y', 's', 't', 'e', 'm', '.', ..];

    private static bool IsA(Type type, Type open) => type.IsGenericType && type.GetGenericTypeDefinition() == open;

    private static Type[]? Closed(Type type, Type open) =>
        type.GetInterfaces().Prepend(type).FirstOrDefault(one => IsA(one, open))?.GetGenericArguments();
}
