using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Shadowing.Comparison;

/// <summary>
/// Whether an answer shows any row. Answers without rows are equal for any two sides that find nothing, so that a caller who asks for what
/// does not exist could make as many as it likes: together they are one case of their shape.
/// </summary>
internal static class AnswerRows
{
    private static readonly ConcurrentDictionary<Type, Members> Known = [];

    /// <summary>
    /// An answer has no rows if it is null, a default value or an empty list. An object without a key has none if the objects and lists in
    /// it have none and, where it has numbers but no lists, these are zero, else it has no text or time. An experiment may say otherwise.
    /// </summary>
    public static bool Any(object? answer) => answer switch
    {
        null => false,
        string text => text.Length > 0,
        JsonElement json => Any(json),
        JsonDocument json => Any(json.RootElement),
        JsonNode json => Any(JsonSerializer.SerializeToElement(json)),
        IEnumerable list => HasItems(list),
        _ => Known.GetOrAdd(answer.GetType(), static type => new(type)).HaveRows(answer),
    };

    private static bool Any(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => json.GetArrayLength() > 0,
        JsonValueKind.Object => json.EnumerateObject().Any(),
        JsonValueKind.Undefined or JsonValueKind.Null => false,
        _ => true,
    };

    private static bool HasItems(IEnumerable list)
    {
        var items = list.GetEnumerator();
        try
        {
            return items.MoveNext();
        }
        finally
        {
            (items as IDisposable)?.Dispose();
        }
    }

    /// <summary>What of a type shows rows.</summary>
    private sealed class Members
    {
        private readonly bool _isLeaf;
        private readonly bool _isRow;
        private readonly PropertyInfo[] _objects;
        private readonly PropertyInfo[] _texts;
        private readonly PropertyInfo[] _lists;
        private readonly PropertyInfo[] _numbers;

        public Members(Type type)
        {
            PropertyInfo[] members = [.. type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
                .Where(member => member is { GetMethod.IsPublic: true } && member.GetIndexParameters().Length == 0)];
            _isLeaf = ValueKind.ForType(type).As is ComparedAs.Leaf;
            _isRow = ConventionalKey.MemberOf(type) is not null;
            _lists = [.. members.Where(member =>
                member.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(member.PropertyType))];
            _numbers = [.. members.Where(member => IsNumber(Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType))];
            PropertyInfo[] others = [.. members.Except(_lists).Except(_numbers).Where(member => !IsFlag(member.PropertyType))];
            _texts = [.. others.Where(member => ValueKind.ForType(member.PropertyType).As is ComparedAs.Leaf)];
            _objects = [.. others.Except(_texts)];
        }

        public bool HaveRows(object answer)
        {
            if (_isLeaf) return !answer.GetType().IsValueType || !answer.Equals(Activator.CreateInstance(answer.GetType()));
            if (_isRow || _lists.Concat(_objects).Any(member => Any(member.GetValue(answer)))) return true;
            return _lists.Length == 0 && _numbers.Length > 0
                ? _numbers.Any(number => number.GetValue(answer) is { } value && !value.Equals(Activator.CreateInstance(value.GetType())))
                : _texts.Any(text => Any(text.GetValue(answer)));
        }

        private static bool IsFlag(Type type) =>
            (Nullable.GetUnderlyingType(type) ?? type) is var known && (known == typeof(bool) || known.IsEnum);

        private static bool IsNumber(Type type) =>
            type.IsPrimitive ? type != typeof(bool) && type != typeof(char) : type == typeof(decimal);
    }
}
