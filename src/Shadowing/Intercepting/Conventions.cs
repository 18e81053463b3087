using System.Collections;
using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Shadowing.Comparison;

namespace Shadowing.Intercepting;

/// <summary>What is taken of an interface and its requests where the application says nothing.</summary>
internal static class Conventions
{
    private static readonly string[] Suffixes = ["Store", "Repository", "Service", "Queries", "Dao"];
    private static readonly string[] Users = ["UserId", "CallerId", "CustomerId", "AccountId", "TenantId"];
    private static readonly string[] Pages = ["Page", "PageNumber", "PageIndex"];
    private static readonly HashSet<string> Writing =
    [
        "accept", "activate", "add", "append", "apply", "approve", "archive", "assign", "attach", "book", "cancel", "change", "clear",
        "close", "complete", "confirm", "create", "deactivate", "decline", "delete", "detach", "disable", "enable", "expire",
        "finish", "import", "increment", "insert", "link", "lock", "log", "mark", "merge", "move", "open", "patch", "pay", "place", "post",
        "publish", "purge", "put", "record", "register", "reject", "release", "remove", "rename", "reopen", "reorder", "replace", "reserve",
        "reset", "resolve", "restore", "revoke", "save", "send", "set", "ship", "start", "stop", "store", "submit", "suspend", "touch",
        "transfer", "unlink", "unlock", "update", "upsert", "withdraw", "write",
    ];

    private static readonly string[] Offsets = ["Offset", "Skip"];

    /// <summary><c>order_line.find</c> of <c>IOrderLineStore.FindAsync</c>: words by underscores, small letters.</summary>
    public static string OperationName(Type compared, MethodInfo method)
    {
        var subject = compared.Name is ['I', >= 'A' and <= 'Z', ..] ? compared.Name[1..] : compared.Name;
        if (subject.IndexOf('`', StringComparison.Ordinal) is var arity and > 0) subject = subject[..arity];
        var end = Suffixes.FirstOrDefault(
            suffix => subject.Length > suffix.Length && subject.EndsWith(suffix, StringComparison.Ordinal)) ?? "";
        subject = subject[..^end.Length];
        var act = method.Name.EndsWith("Async", StringComparison.Ordinal) && method.Name.Length > 5 ? method.Name[..^5] : method.Name;
        return $"{Snake(subject)}.{Snake(act)}";
    }

    /// <summary>Whether a method changes data, by the first word of its name.</summary>
    public static bool IsWrite(MethodInfo method) => Writing.Contains(Snake(method.Name).Split('_')[0]);

    /// <summary>The class of a request, from its members: a closed set of texts, without values other than enums and booleans.</summary>
    public static Func<TRequest, string> ShapeOf<TRequest>()
    {
        var parts = Parts(typeof(TRequest), "", 0, request => request).ToArray();
        return parts.Length == 0 ? static _ => "any" : request =>
        {
            var shape = new StringBuilder();
            foreach (var part in parts)
            {
                if (part(request!) is not { } said) continue;
                if (shape.Length > 0) shape.Append(" / ");
                shape.Append(said);
            }

            return shape.Length == 0 ? "plain" : shape.ToString();
        };
    }

    /// <summary>The number that stands for the user; a text or a <see cref="Guid"/> by its hash.</summary>
    public static Func<TRequest, long> UserOf<TRequest>()
    {
        if (Find(typeof(TRequest), Users) is not { } path) return static _ => 0;
        var read = Reader(typeof(TRequest), path);
        return request => read(request!) switch
        {
            null => 0,
            long number => number,
            int number => number,
            var other => Hash(RowKeyText.Create(other)),
        };
    }

    /// <summary>The row that the request's <c>Id</c> names, where that is a whole number.</summary>
    public static Func<TRequest, long?> SubjectOf<TRequest>()
    {
        if (IdOf(typeof(TRequest)) is not { } id) return static _ => null;
        var read = Reader(typeof(TRequest), [id]);
        return request => read(request!) switch { long number => number, int number => number, _ => null };
    }

    /// <summary>The keys of the rows that differ, and of what is in no row the request's <c>Id</c>; null where neither is known.</summary>
    public static Func<TRequest, IReadOnlyList<Difference>, IReadOnlyCollection<string>?> Touches<TRequest>()
    {
        var read = IdOf(typeof(TRequest)) is { } id ? Reader(typeof(TRequest), [id]) : null;
        return (request, differences) =>
        {
            var keys = new HashSet<string>();
            foreach (var difference in differences)
            {
                if ((difference.RowKey ?? read?.Invoke(request!)) is not { } key) return null;
                keys.Add(RowKeyText.Create(key));
            }

            return keys;
        };
    }

    /// <summary>Whether a request names a page of a list.</summary>
    public static bool NamesPage(Type request) =>
        Properties(request).Any(member => Pages.Contains(member.Name) || Offsets.Contains(member.Name));

    /// <summary>A request's own key: <c>Id</c>, or the only member whose name ends so.</summary>
    private static PropertyInfo? IdOf(Type request)
    {
        PropertyInfo[] ids = [.. Properties(request)
            .Where(member => member.Name.EndsWith("Id", StringComparison.Ordinal) && IsScalar(member.PropertyType))];
        return ids.FirstOrDefault(member => member.Name == "Id")
            ?? (ids.Where(member => !Users.Contains(member.Name)).ToArray() is [var only] ? only : null);
    }

    private static IEnumerable<Func<object, string?>> Parts(Type type, string prefix, int depth, Func<object, object?> owner)
    {
        foreach (var member in Properties(type))
        {
            var name = prefix + JsonNamingPolicy.CamelCase.ConvertName(member.Name);
            var own = Reader(type, [member]);
            object? Read(object request) => owner(request) is { } at ? own(at) : null;
            var plain = Nullable.GetUnderlyingType(member.PropertyType);
            var bare = plain ?? member.PropertyType;
            if (!bare.IsValueType && depth == 0 && !typeof(IEnumerable).IsAssignableFrom(bare)
                && bare.Namespace?.StartsWith("System", StringComparison.Ordinal) is not true)
            {
                foreach (var inner in Parts(bare, name + ".", depth + 1, Read)) yield return inner;
            }
            else if (Part(member, name, bare, isOptional: plain is not null) is { } part)
            {
                yield return request => part(Read(request));
            }
        }
    }

    /// <summary>What a member's value says; null where it never says anything.</summary>
    private static Func<object?, string?>? Part(PropertyInfo member, string name, Type bare, bool isOptional) => member switch
    {
        _ when bare == typeof(bool) => value => value switch
        {
            true => $"{name}=true",
            false when isOptional => $"{name}=false",
            _ => null,
        },
        _ when bare.IsEnum => value => value is not null && Enum.IsDefined(bare, value) ? $"{name}={value}" : null,
        _ when Pages.Contains(member.Name) => static value => Depth(value, 1),
        _ when Offsets.Contains(member.Name) => static value => Depth(value, 0),
        _ when bare == typeof(string) => value => value is string { Length: > 0 } ? $"with {name}" : null,
        _ when isOptional => value => value is null ? null : $"with {name}",
        _ when typeof(IEnumerable).IsAssignableFrom(bare) => value => Amount(name, value),
        _ => null,
    };

    private static string? Depth(object? number, int first) => number is null ? null
        : (Convert.ToInt64(number, CultureInfo.InvariantCulture) - first) switch
        {
            <= 0 => "first page",
            < 10 => "page to 10",
            _ => "deep page",
        };

    private static string? Amount(string name, object? rows) => rows is not IEnumerable some ? null
        : some.Cast<object?>().Take(2).Count() switch { 0 => $"no {name}", 1 => $"one of {name}", _ => $"many {name}" };

    private static PropertyInfo[]? Find(Type type, string[] names)
    {
        foreach (var name in names)
        {
            if (Properties(type).FirstOrDefault(member => member.Name == name && IsScalar(member.PropertyType)) is { } own) return [own];
        }

        foreach (var member in Properties(type).Where(member => !IsScalar(member.PropertyType)))
        {
            var inner = Properties(member.PropertyType).FirstOrDefault(one => names.Contains(one.Name) && IsScalar(one.PropertyType));
            if (inner is not null) return [member, inner];
        }

        return null;
    }

    private static IEnumerable<PropertyInfo> Properties(Type type) => type.IsPrimitive || type == typeof(string) ? [] : type
        .GetProperties(BindingFlags.Instance | BindingFlags.Public)
        .Where(member => member.GetMethod is { IsPublic: true } && member.GetIndexParameters().Length == 0);

    private static bool IsScalar(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var bare
        && (bare == typeof(string) || bare == typeof(Guid) || bare == typeof(int) || bare == typeof(long) || bare == typeof(short));

    /// <summary>A compiled reader of a path of members; null where an object on the way is.</summary>
    private static Func<object, object?> Reader(Type type, PropertyInfo[] path)
    {
        var parameter = Expression.Parameter(typeof(object));
        Expression at = Expression.Convert(parameter, type);
        for (var i = 0; i < path.Length; i++)
        {
            var value = Expression.Property(at, path[i]);
            at = i == 0 || at.Type.IsValueType ? value
                : Expression.Condition(
                    Expression.ReferenceEqual(at, Expression.Constant(null)), Expression.Default(typeof(object)),
                    Expression.Convert(value, typeof(object)), typeof(object));
        }

        return Expression.Lambda<Func<object, object?>>(Expression.Convert(at, typeof(object)), parameter).Compile();
    }

    private static string Snake(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            var isStart = i > 0 && char.IsUpper(name[i])
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (isStart) text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }

    /// <summary>FNV-1a of the text: the same on every replica.</summary>
    private static long Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var letter in text) hash = unchecked((hash ^ letter) * 1099511628211UL);
        return unchecked((long)(hash >> 1));
    }
}
