using Shadowing.Comparison;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Tests.Writing;

/// <summary>New rows have new keys in each run: they are told by what is in them, and nothing else is forgiven with the keys.</summary>
public sealed class WritePairingTests
{
    private const string A = "aaaaaaaa-0000-0000-0000-000000000000";
    private const string B = "bbbbbbbb-0000-0000-0000-000000000000";

    private static readonly IReadOnlyDictionary<string, TableShape> Tables = new Dictionary<string, TableShape>
    {
        ["orders"] = new(["id"], new HashSet<string> { "id" }, new Dictionary<string, string>()),
        ["lines"] = new(["order_id", "line_no"], new HashSet<string>(), new Dictionary<string, string> { ["order_id"] = "orders" }),
        ["people"] = new(["email"], new HashSet<string>(), new Dictionary<string, string>()),
    };

    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_new_row_with_another_key_is_the_same_in_rows_references_and_answers()
    {
        var (control, candidate) = (Written([], Order(A, "x"), Line(A, 1, 5)), Written([], Line(B, 1, 5), Order(B, "x")));
        Assert.Empty(Differences(control, candidate));
        var pairing = WritePairing.Create(control, candidate)!;
        Assert.True(pairing.AreSame(Guid.Parse(A), Guid.Parse(B)));
        Assert.False(pairing.AreSame(Guid.Parse(B), Guid.Parse(A)));
        Assert.Equal(Guid.Parse(A), pairing.ControlKey(Guid.Parse(B)));
    }

    [Theory]
    [InlineData(2, 5, "rows.lines[*].line_no")]
    [InlineData(1, 6, "rows.lines[*].quantity")]
    public void What_else_differs_in_a_new_row_is_found(int number, int quantity, string pattern)
    {
        var (control, candidate) = (Written([], Order(A, "x"), Line(A, 1, 5)), Written([], Order(B, "x"), Line(B, number, quantity)));
        Assert.Equal(pattern, Assert.Single(Differences(control, candidate)));
    }

    [Fact]
    public void A_line_of_another_order_is_a_difference()
    {
        var control = Written([], Order(A, "x"), Order("cccccccc-0000-0000-0000-000000000000", "y"), Line(A, 1, 5));
        var candidate = Written([], Order(B, "x"), Order("dddddddd-0000-0000-0000-000000000000", "y"), Line("dddddddd-0000-0000-0000-000000000000", 1, 5));
        Assert.Equal(["rows.lines[*].order_id"], Differences(control, candidate));
    }

    [Fact]
    public void A_key_that_the_request_gave_must_be_kept()
    {
        Assert.Equal(["rows.orders[*].id"], Differences(Written([A], Order(A, "x")), Written([A], Order(B, "x"))));
        Assert.Empty(Differences(Written([A], Order(A, "x")), Written([A], Order(A, "x"))));
    }

    [Fact]
    public void A_text_key_does_not_get_into_the_pattern_whatever_is_in_it()
    {
        var control = Written([], ("people", "a]b[c@example.org", """{"email": "a]b[c@example.org", "age": 1}"""));
        var candidate = Written([], ("people", "a]b[c@example.org", """{"email": "a]b[c@example.org", "age": 2}"""));
        Assert.Equal(["rows.people[*].age"], Differences(control, candidate));
    }

    [Theory]
    [InlineData("2026-01-01T12:00:00.5+00:00", "instant")]
    [InlineData("2026-01-01T14:00:00.5+02:00", "instant")]
    [InlineData("2026-01-01T14:00:00.5", "wall")]
    [InlineData("2026-01-01T12:00:00.5", "universal")]
    [InlineData("2026-01-01T13:00:00.5", null)]
    [InlineData("2026-01-01T12:00:02+00:00", null)]
    [InlineData("no time", null)]
    public void A_time_within_the_run_is_its_own_in_one_of_three_ways(string text, string? kind) => Assert.Equal(kind, Window(TimeSpan.FromHours(2)).KindOf(text));

    [Fact]
    public void The_wall_clock_of_the_session_does_not_stand_for_universal_time()
    {
        var control = Written([], ("orders", A, $$"""{"id": "{{A}}", "at": "2026-01-01T14:00:00.2"}""")) with { Window = Window(TimeSpan.FromHours(2)) };
        var candidate = Written([], ("orders", B, $$"""{"id": "{{B}}", "at": "2026-01-01T12:00:00.3"}""")) with { Window = Window(TimeSpan.FromHours(2)) };
        Assert.Equal(["rows.orders[*].at"], Differences(control, candidate));
    }

    private static string[] Differences(WrittenRows control, WrittenRows candidate) =>
        [.. RowComparison.Compare(control, candidate, ComparisonLimits.Default).Differences.Select(difference => difference.Pattern)];

    private static RunWindow Window(TimeSpan offset) => new(Noon, Noon.AddSeconds(1), offset, Noon, Noon.AddSeconds(1));

    private static (string, string, string) Order(string id, string what) => ("orders", id, $$"""{"id": "{{id}}", "what": "{{what}}", "at": "2026-01-01T12:00:00.1+00:00"}""");

    private static (string, string, string) Line(string order, int number, int quantity) =>
        ("lines", $"{order},{number}", $$"""{"order_id": "{{order}}", "line_no": {{number}}, "quantity": {{quantity}}}""");

    private static WrittenRows Written(string[] given, params (string Table, string Key, string Body)[] rows) => new(
        "", RowImage.Empty with { Tables = Tables, Given = given.ToHashSet() },
        rows.ToDictionary(row => new RowKey(row.Table, row.Key), row => (string?)row.Body))
    {
        Window = Window(TimeSpan.Zero),
    };
}
