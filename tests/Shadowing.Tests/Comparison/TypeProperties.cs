using System.Collections;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using CsCheck;
using Shadowing.Comparison;

namespace Shadowing.Tests.Comparison;

/// <summary>For types drawn at random, and values of them: the comparer agrees with an oracle that writes down everything.</summary>
public sealed class TypeProperties
{
    private static readonly Type[] Leaves =
    [
        typeof(int), typeof(string), typeof(decimal), typeof(double), typeof(bool), typeof(DateTime), typeof(Guid), typeof(DayOfWeek),
        typeof(JsonElement),
        typeof(IPAddress), typeof(System.Numerics.BigInteger), typeof(byte[]),
    ];

    private static readonly Type[] Keys = [typeof(int), typeof(string), typeof(decimal), typeof((int, string))];

    private static readonly Type[] Wrappers =
    [
        typeof(List<>), typeof(HashSet<>), typeof(Box<>), typeof(Shy<>), typeof(Hidden<>), typeof(Any<>), typeof(IReadOnlyList<>),
        typeof(Nullable<>),
    ];

    private static readonly string[] Addresses = ["127.0.0.1", "::1", "10.0.0.1"];

    private static readonly string[] Documents =
    [
        """{"a": 1, "b": [1.0, {"c": null}]}""", """{"b": [1.0, {"c": null}], "a": 1}""", """{"a": 1, "b": [1.00, {"c": null}]}""",
        """{"a": 1}""",
        """{"a": 1, "b": []}""", "[]", "null", "\"x\"", "\"\\u0078\"", "true", "1", "1e0",
    ];

    private static readonly ResultComparer<object> Comparer = new();

    [Fact]
    public void A_deep_copy_of_anything_is_the_same() => Gen.Select(Gen.Int, Gen.Int).Sample((types, values) =>
    {
        var type = Draw(new(types), 3);
        var result = Comparer.Compare(new Maker(values, -1).Make(type), new Maker(values, -1).Make(type));
        return result.IsSame ? true
            : throw new InvalidOperationException($"{type}: {string.Join(", ", result.Differences)} {result.Failure}");
    }, iter: 500);

    [Fact]
    public void Answers_of_any_type_are_the_same_exactly_when_all_that_they_say_is() =>
        Gen.Select(Gen.Int, Gen.Int, Gen.Int[0, 12]).Sample((types, values, at) =>
    {
        var type = Draw(new(types), 3);
        var (one, other) = (new Maker(values, -1).Make(type), new Maker(values, at).Make(type));
        var result = Comparer.Compare(one, other);
        return result.Incomparable is null && result.IsSame == (Written(one) == Written(other))
            ? true
            : throw new InvalidOperationException(
                $"{type}: {Written(one)} against {Written(other)}: {result.IsSame} {result.Incomparable} {result.Failure}");
    }, iter: 1_500);

    private static Type Draw(Random random, int depth)
    {
        var choice = depth == 0 ? 0 : random.Next(6);
        if (choice == 0) return Leaves[random.Next(Leaves.Length)];
        var inner = Draw(random, depth - 1);
        if (choice == 1) return typeof(Dictionary<,>).MakeGenericType(Keys[random.Next(Keys.Length)], inner);
        if (choice == 2) return typeof(ValueTuple<,>).MakeGenericType(inner, Draw(random, depth - 1));
        var wrapper = Wrappers[random.Next(Wrappers.Length)];
        return wrapper != typeof(Nullable<>) ? wrapper.MakeGenericType(inner)
            : inner.IsValueType && Nullable.GetUnderlyingType(inner) is null ? wrapper.MakeGenericType(inner) : inner;
    }

    /// <summary>Everything that a value says, hidden state too; sets and dictionaries in one order.</summary>
    private static string Written(object? value) => value switch
    {
        null => "null",
        JsonElement json => Written(json),
        string or decimal or double or DateTime or Guid or bool or int or byte or DayOfWeek => JsonSerializer.Serialize(value),
        IPAddress or System.Numerics.BigInteger => value.ToString()!,
        ITuple tuple => $"({string.Join(',', Enumerable.Range(0, tuple.Length).Select(i => Written(tuple[i])))})",
        IDictionary pairs => Sorted(pairs.Keys.Cast<object>().Select(key => Written(key) + ":" + Written(pairs[key]))),
        IHidden hidden => $"{value.GetType().Name}({string.Join(',', hidden.Parts.Select(Written))})",
        IEnumerable rows when rows.GetType().GetGenericTypeDefinitionOrSelf() == typeof(HashSet<>) =>
            Sorted(rows.Cast<object?>().Select(Written)),
        IEnumerable rows => $"[{string.Join(',', rows.Cast<object?>().Select(Written))}]",
        _ => throw new NotSupportedException(value.GetType().ToString()),
    };

    private static string Written(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Undefined => "undefined",
        JsonValueKind.Object => Sorted(json.EnumerateObject().Select(one => one.Name + ":" + Written(one.Value))),
        JsonValueKind.Array => $"[{string.Join(',', json.EnumerateArray().Select(Written))}]",
        JsonValueKind.String => JsonSerializer.Serialize(json.GetString()),
        _ => json.GetRawText(),
    };

    private static string Sorted(IEnumerable<string> texts) => $"{{{string.Join(',', texts.Order(StringComparer.Ordinal))}}}";

    internal interface IHidden
    {
        IEnumerable<object?> Parts { get; }
    }

    /// <summary>Values from a seed; the leaf of one number is drawn anew.</summary>
    private sealed class Maker(int seed, int changeAt)
    {
        private readonly Random _random = new(seed);
        private readonly Random _other = new(seed ^ 0x5bd1e995);
        private int _leaves;

        public object? Make(Type type)
        {
            if (Nullable.GetUnderlyingType(type) is { } underlying) return _random.Next(3) == 0 ? null : Make(underlying);
            if (Leaves.Contains(type) || !type.IsGenericType) return Leaf(type, Own());
            var open = type.GetGenericTypeDefinition();
            var arguments = type.GetGenericArguments();
            if (open == typeof(Dictionary<,>))
            {
                var pairs = (IDictionary)Activator.CreateInstance(type)!;
                for (var count = _random.Next(3); count > 0; count--) pairs[Make(arguments[0])!] = Make(arguments[1]);
                return pairs;
            }

            if (open == typeof(List<>) || open == typeof(HashSet<>) || open == typeof(IReadOnlyList<>))
            {
                var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(arguments))!;
                for (var count = _random.Next(4); count > 0; count--) list.Add(Make(arguments[0]));
                return open == typeof(HashSet<>) ? Activator.CreateInstance(type, list) : list;
            }

            return Activator.CreateInstance(type, [.. arguments.Select(Make)]);
        }

        private Random Own()
        {
            var drawn = new Random(_random.Next());
            return _leaves++ == changeAt ? _other : drawn;
        }

        private static object Leaf(Type type, Random random) => type switch
        {
            _ when type == typeof(int) => random.Next(3),
            _ when type == typeof(string) => new string("abA"[random.Next(3)], random.Next(1, 3)),
            _ when type == typeof(decimal) => random.Next(3) switch { 0 => 1.0m, 1 => 1.00m, _ => 2m },
            _ when type == typeof(double) => random.Next(3) switch { 0 => 0.0, 1 => -0.0, _ => 0.1 },
            _ when type == typeof(bool) => random.Next(2) == 0,
            _ when type == typeof(DateTime) => new DateTime(
                random.Next(2), random.Next(2) == 0 ? DateTimeKind.Utc : DateTimeKind.Unspecified),
            _ when type == typeof(Guid) => new Guid(random.Next(3), 0, 0, new byte[8]),
            _ when type == typeof(DayOfWeek) => (DayOfWeek)random.Next(3),
            _ when type == typeof(IPAddress) => IPAddress.Parse(Addresses[random.Next(3)]),
            _ when type == typeof(System.Numerics.BigInteger) => System.Numerics.BigInteger.Pow(10, random.Next(40)),
            _ when type == typeof(byte[]) => new byte[random.Next(3)],
            _ => JsonElement.Parse(Documents[random.Next(Documents.Length)]),
        };
    }

    internal sealed record Box<T>(T Value) : IHidden
    {
        IEnumerable<object?> IHidden.Parts => [Value];
    }

    /// <summary>Shows nothing, and says when it is equal.</summary>
    internal sealed class Shy<T>(T state) : IHidden
    {
        private readonly string _state = Written(state);

        IEnumerable<object?> IHidden.Parts => [_state];

        public override bool Equals(object? obj) => obj is Shy<T> other && other._state == _state;

        public override int GetHashCode() => _state.GetHashCode(StringComparison.Ordinal);
    }

    /// <summary>A record that does not show all of it.</summary>
    internal sealed record Hidden<T> : IHidden
    {
        private readonly T _hidden;

        public Hidden(T value) => (_hidden, Shown) = (value, Written(value).Length);

        public int Shown { get; }

        IEnumerable<object?> IHidden.Parts => [_hidden];
    }

    /// <summary>Declared as anything.</summary>
    internal sealed class Any<T>(T value) : IHidden
    {
        public object? Value { get; } = value;

        IEnumerable<object?> IHidden.Parts => [Value];
    }
}

internal static class TypeNames
{
    public static Type GetGenericTypeDefinitionOrSelf(this Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
