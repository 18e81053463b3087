using System.Collections;
using System.Collections.Immutable;
using System.Net;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Tests.Comparison;

/// <summary>Of every kind of type: equal ones match, different ones differ where they do, and what cannot be told is never equal.</summary>
public sealed partial class ValueKindTests
{
    private static readonly Dictionary<string, Case> Cases = new Case[]
    {
        Case.Of("JsonElement", () => Json("""{"items": [{"price": 1}, {"price": 2}]}"""), () =>
            Json("""{"items": [{"price": 1}, {"price": 3}]}"""), "value.items[1].price"),
        Case.Of("JsonElement in another order", () => Json("""{"a": 1, "b": [true, null]}"""), () =>
            Json("""{"b": [false, null], "a": 1}"""), "value.b[0]"),
        Case.Of("JsonElement?", () => (JsonElement?)Json("1"), () => (JsonElement?)Json("2"), "value"),
        Case.Of("JsonElement null", () => Json("null"), () => Json("1"), "value", DifferenceKind.NullVsValue),
        Case.Of("JsonElement undefined", () => default(JsonElement), () => Json("1"), "value", DifferenceKind.NullVsValue),
        Case.Of("JsonElement undefined and null", () => default(JsonElement), () => Json("null"), "value", DifferenceKind.Type),
        Case.Of("JsonElement written otherwise", () => Json("[1.0]"), () => Json("[1.00]"), "value[0]", DifferenceKind.Type),
        Case.Of("JsonElement exponent", () => Json("[1.0]"), () => Json("[1e0]"), "value[0]", DifferenceKind.Type),
        Case.Of("JsonElement large", () => Json("100000000000000000000000000000000000001"), () =>
            Json("100000000000000000000000000000000000002"), "value"),
        Case.Of("JsonElement text and number", () => Json("\"1\""), () => Json("1"), "value", DifferenceKind.Type),
        Case.Of("JsonElement lost property", () => Json("""{"a": null}"""), () => Json("{}"), "value.a", DifferenceKind.MissingRow),
        Case.Of("JsonElement odd property", () => Json("""{"alice@example.com": 1}"""), () => Json("""{"alice@example.com": 2}"""),
            "value[alice@example.com]"),
        Case.Of("JsonElement shorter", () => Json("[1, 2]"), () => Json("[1]"), "value", DifferenceKind.Count),
        Case.Of("JsonDocument", () => JsonDocument.Parse("""{"a": [1]}"""), () => JsonDocument.Parse("""{"a": [2]}"""), "value.a[0]"),
        Case.Of<JsonNode>("JsonNode", () => JsonNode.Parse("""{"a": {"b": "x"}}""")!, () => JsonNode.Parse("""{"a": {"b": "y"}}""")!,
            "value.a.b"),
        Case.Of("JsonArray", () => new JsonArray(1, 2), () => new JsonArray(1, 3), "value[1]"),
        Case.Of<JsonNode>("JsonValue", () => JsonValue.Create(1.50m), () => JsonValue.Create(1.5m), "value", DifferenceKind.Type),
        Case.Of<object>("object that is JSON", () => JsonNode.Parse("7")!, () => JsonValue.Create(8), "value"),
        Case.Of("BigInteger", () => BigInteger.Pow(7, 99), () => BigInteger.Pow(7, 98), "value"),
        Case.Of("Complex", () => new Complex(1, 2), () => new Complex(1, 3), "value"),
        Case.Of("IPAddress", () => IPAddress.Parse("127.0.0.1"), () => IPAddress.IPv6Loopback, "value"),
        Case.Of<object>("object that is an IPAddress", () => IPAddress.Loopback, () => IPAddress.Parse("10.0.0.1"), "value"),
        Case.Of("nint", () => (nint)7, () => (nint)8, "value"),
        Case.Of("float sign", () => 0f, () => -0f, "value", DifferenceKind.Type),
        Case.Of("Uri fragment", () => new Uri("http://h/#a"), () => new Uri("http://h/#b"), "value", DifferenceKind.Type),
        Case.Of("byte[]", () => new byte[] { 1, 2 }, () => new byte[] { 1, 3 }, "value[1]"),
        Case.Of("ReadOnlyMemory", () => new ReadOnlyMemory<byte>([1, 2]), () => new ReadOnlyMemory<byte>([3, 2]), "value[0]"),
        Case.Of("Memory", () => new Memory<string>(["a"]), () => new Memory<string>(["b"]), "value[0]"),
        Case.Of("BitArray", () => new BitArray([true, false]), () => new BitArray([true, true]), "value[1]"),
        Case.Of("ArrayList", () => new ArrayList { 1, "a" }, () => new ArrayList { 1, "b" }, "value[1]"),
        Case.Of("Hashtable", () => new Hashtable { ["a"] = 1 }, () => new Hashtable { ["a"] = 2 }, "value[a]"),
        Case.Of("HashSet", () => new HashSet<string> { "a", "b" }, () => new HashSet<string> { "b", "c" }, "value[0]",
            DifferenceKind.MissingRow),
        Case.Of("HashSet ignoring case", () => new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "a" },
            () => new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "A" }, "value[0]", DifferenceKind.MissingRow),
        Case.Of<IReadOnlySet<Line>>("set of records with lists", () => new HashSet<Line> { new([1]), new([2]) }, () =>
            new HashSet<Line> { new([1]), new([3]) }, "value[1]",
            DifferenceKind.MissingRow),
        Case.Of("set of decimals", () => ImmutableHashSet.Create(1.5m), () => ImmutableHashSet.Create(1.50m), "value[0]",
            DifferenceKind.Type),
        Case.Of<IDictionary<string, int>>(
            "IDictionary", () => new SortedList<string, int> { ["a"] = 1 }, () => new SortedList<string, int> { ["a"] = 2 }, "value[a]"),
        Case.Of("Dictionary ignoring case", () => new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["a"] = 1 },
            () => new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["A"] = 1 }, "value[a]", DifferenceKind.MissingRow),
        Case.Of("tuple", () => (1, new List<int> { 2 }), () => (1, new List<int> { 3 }), "value.item2[0]"),
        Case.Of("Tuple", () => Tuple.Create(1, new[] { 2 }), () => Tuple.Create(1, new[] { 3 }), "value.item2[0]"),
        Case.Of("KeyValuePair", () => KeyValuePair.Create("a", new[] { 1 }), () => KeyValuePair.Create("a", new[] { 2 }), "value.value[0]"),
        Case.Of<object>("anonymous", () => new { A = new[] { 1 } }, () => new { A = new[] { 2 } }, "value.a[0]"),
        Case.Of("private state with Equals", () => new Opaque(1), () => new Opaque(2), "value"),
        Case.Of("members and Equals, in a member", () => new Half(1, 1), () => new Half(2, 1), "value.shown"),
        Case.Of("members and Equals, in neither", () => new Half(1, 1), () => new Half(1, 2), "value"),
        Case.Of("record with a private member", () => new Secretive(1, 1), () => new Secretive(1, 2), "value"),
        Case.Of("record with private members and lists", () => new Hoarder([1], [2]), () => new Hoarder([1], [3]), "value[0]"),
        Case.Of("struct with fields", () => new Point { X = 1 }, () => new Point { X = 2 }, "value.x"),
        Case.Of("class", () => new Plain { Name = "a" }, () => new Plain { Name = "b" }, "value.name"),
    }.ToDictionary(one => one.Name);

    private static readonly Dictionary<string, Func<object>> Unknowable = new()
    {
        ["object"] = () => new object(),
        ["stream"] = () => new MemoryStream([1]),
        ["delegate"] = () => (Func<int>)(() => 1),
        ["task"] = () => Task.FromResult(1),
        ["value task"] = () => new ValueTask<int>(1),
        ["lazy"] = () => new Lazy<int>(() => 1),
        ["exception"] = () => new InvalidOperationException("a"),
        ["own exception"] = () => new OwnException(),
        ["private state"] = () => new Closed(1),
        ["private struct"] = () => new ClosedStruct(1),
        ["query"] = () => new[] { 1 }.AsQueryable(),
        ["async rows"] = () => Rows(),
        ["two dimensions"] = () => new int[1, 2],
        ["cancellation"] = () => CancellationToken.None,
        ["text builder"] = () => new System.Text.StringBuilder("a"),
        ["regex"] = () => new System.Text.RegularExpressions.Regex("a"),
        ["record with a lock"] = () => new Guarded(1),
        ["nested"] = () => new List<object> { 1, new object() },
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    public static TheoryData<string> UnknowableNames => [.. Unknowable.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Equal_values_match_and_others_differ_where_they_do(string name)
    {
        var (equal, different) = Cases[name].Compare();
        Assert.Equal((true, null), (equal.IsSame, equal.Incomparable));
        Assert.Null(different.Incomparable);
        Assert.Contains((Cases[name].Path, Cases[name].Kind),
            different.Differences.Select(difference => (difference.Path, difference.Kind)));
    }

    [Theory]
    [MemberData(nameof(UnknowableNames))]
    public void What_cannot_be_told_is_never_equal(string name)
    {
        var comparer = new ResultComparer<Holder<object>>();
        var same = Unknowable[name]();
        foreach (var other in new[] { same, Unknowable[name]() })
        {
            var result = comparer.Compare(new(same), new(other));
            Assert.False(result.IsSame);
            Assert.Equal(IncomparableReason.NotComparable, result.Incomparable);
            Assert.StartsWith("value", Assert.Single(result.NotComparable).Path, StringComparison.Ordinal);
        }

        Assert.Single(comparer.SeenNotComparable);
    }

    [Fact]
    public void What_differs_beside_it_still_differs()
    {
        var result = new ResultComparer<(int, object)>().Compare((1, new object()), (2, new object()));
        Assert.Equal((null, "item1"), (result.Incomparable, Assert.Single(result.Differences).Path));
        Assert.Equal("item2", Assert.Single(result.NotComparable).Path);
    }

    [Fact]
    public void A_document_that_was_disposed_of_is_never_equal()
    {
        var document = JsonDocument.Parse("{}");
        document.Dispose();
        Assert.Equal(IncomparableReason.ComparerFailed,
            new ResultComparer<Holder<JsonDocument>>().Compare(new(document), new(document)).Incomparable);
    }

    [Fact]
    public void Of_two_properties_of_one_name_the_last_holds()
    {
        var comparer = new ResultComparer<JsonElement>();
        Assert.True(comparer.Compare(Json("""{"a": 1, "a": 2}"""), Json("""{"a": 3, "a": 2}""")).IsSame);
        Assert.False(comparer.Compare(Json("""{"a": 1, "a": 2}"""), Json("""{"a": 1, "a": 3}""")).IsSame);
        Assert.True(comparer.Compare(Json("\"\\u0041\""), Json("\"A\"")).IsSame);
    }

    [Fact]
    public void Json_is_bounded_as_all_else_is()
    {
        var deep = Json(string.Concat(Enumerable.Repeat("[", 40)) + "1" + string.Concat(Enumerable.Repeat("]", 40)));
        var deeper = Json(string.Concat(Enumerable.Repeat("[", 40)) + "2" + string.Concat(Enumerable.Repeat("]", 40)));
        Assert.Equal(IncomparableReason.TooLarge, new ResultComparer<JsonElement>().Compare(deep, deeper).Incomparable);
        var (wide, wider) = (Json($"[{string.Join(',', Enumerable.Range(0, 200))}, 1]"), Json($"[{string.Join(',', Enumerable.Range(0, 200))}, 2]"));
        Assert.Equal(IncomparableReason.TooLarge,
            new ResultComparer<JsonElement>(limits: new(Nodes: 100)).Compare(wide, wider).Incomparable);
    }

    [Fact]
    public void Declared_places_that_cannot_be_compared_are_named_unless_a_rule_decides_them()
    {
        Assert.Equal(
            [new("rows[*].data", typeof(Stream).FullName!), new("call", typeof(Action).FullName!)],
            MemberPaths.NotComparable(typeof(Declared), ComparisonRules.None));
        var ignored = new ComparisonRules().Ignore<Declared, Action>(one => one.Call, "code");
        Assert.Equal(["rows[*].data"], MemberPaths.NotComparable(typeof(Declared), ignored).Select(place => place.Path));
    }

    private static JsonElement Json(string text) => JsonElement.Parse(text);

    private static async IAsyncEnumerable<int> Rows()
    {
        await Task.CompletedTask;
        yield return 1;
    }

    private sealed record Case(
        string Name, Func<(ComparisonResult Equal, ComparisonResult Different)> Compare, string Path, DifferenceKind Kind)
    {
        public static Case Of<T>(string name, Func<T> one, Func<T> other, string path, DifferenceKind kind = DifferenceKind.Value)
        {
            var comparer = new ResultComparer<Holder<T>>();
            return new(name, () => (comparer.Compare(new(one()), new(one())), comparer.Compare(new(one()), new(other()))), path, kind);
        }
    }
}
