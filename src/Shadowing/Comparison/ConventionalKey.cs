using System.Linq.Expressions;
using System.Reflection;

namespace Shadowing.Comparison;

/// <summary>Which member of a row names it, where the application has not said so.</summary>
internal static class ConventionalKey
{
    private static readonly string[] Suffixes = ["Dto", "Row", "Item", "Model", "Answer", "View"];

    /// <summary>
    /// The property <c>Id</c>, else that of the type's own name (<c>OrderId</c> of an <c>Order</c> or <c>OrderRow</c>), else <c>Key</c>.
    /// </summary>
    /// <returns>Null where there is none, or where its type is not a number, a text, a <see cref="Guid"/> or an enum.</returns>
    public static PropertyInfo? MemberOf(Type row)
    {
        var name = Suffixes.FirstOrDefault(suffix => row.Name.Length > suffix.Length && row.Name.EndsWith(suffix, StringComparison.Ordinal))
            is { } found ? row.Name[..^found.Length] : row.Name;
        return ((string[])["Id", $"{name}Id", "Key"])
            .Select(candidate => row.GetProperty(candidate, BindingFlags.Instance | BindingFlags.Public))
            .FirstOrDefault(property => property is { GetMethod.IsPublic: true } && property.GetIndexParameters().Length == 0
                && IsKey(property.PropertyType));
    }

    /// <summary>A compiled getter, as the delegate type that a row rule takes.</summary>
    public static Delegate ReaderOf(Type row, PropertyInfo key)
    {
        var parameter = Expression.Parameter(row);
        return Expression.Lambda(
            typeof(Func<,>).MakeGenericType(row, key.PropertyType), Expression.Property(parameter, key), parameter).Compile();
    }

    private static bool IsKey(Type type) =>
        type.IsEnum || type == typeof(string) || type == typeof(Guid) || type == typeof(int) || type == typeof(long)
        || type == typeof(short) || type == typeof(uint) || type == typeof(ulong);
}
