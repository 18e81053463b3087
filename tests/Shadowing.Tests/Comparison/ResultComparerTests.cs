using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Tests.Comparison;

public sealed class ResultComparerTests
{
    private static readonly Page Whole = new([new(1, "a", 30), new(2, "b", 20), new(3, "c", 20), new(4, "d", 20), new(5, "e", 10)], 5);

    private static readonly ComparisonRules ByRank = new ComparisonRules().Ties<int, Page, Row, int, int>(
        page => page.Rows, row => row.Id, row => row.Rank, "tie",
        cut: page => new(page.Number > 1, page.Rows.Count < page.Total), fits: (owner, row) => row.Owner == owner);

    [Fact]
    public void Equal_answers_cost_nothing()
    {
        var comparer = new ResultComparer<Page>(ByRank);
        var (left, right) = (Whole, Whole with { Rows = [.. Whole.Rows.Select(row => row with { })] });
        Assert.Same(ComparisonResult.Equal, comparer.Compare(left, right, 0));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) comparer.Compare(left, right, null);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_value_that_differs_is_named_by_path_and_by_the_key_of_its_row()
    {
        var difference = Assert.Single(Compare(Change(2, row => row with { Text = "B" })).Differences);
        Assert.Equal(new("rows[1].text", DifferenceKind.Value, "b", "B", 2), difference);
        Assert.Equal("rows[*].text", difference.Pattern);
    }

    [Fact]
    public void Null_against_a_value_is_its_own_kind() =>
        Assert.Equal(DifferenceKind.NullVsValue, Assert.Single(Compare(Change(2, row => row with { Text = null })).Differences).Kind);

    [Fact]
    public void Null_against_empty_is_a_difference() =>
        Assert.Equal(DifferenceKind.NullVsValue, Assert.Single(new ResultComparer<Row>().Compare(new(1, null), new(1, "")).Differences).Kind);

    [Fact]
    public void A_lost_row_is_one_difference_and_not_one_for_every_row_after_it() =>
        Assert.Equal(["rows[1] missing_row"], Described(Compare(Whole with { Rows = [.. Whole.Rows.Where(row => row.Id != 2)] })));

    [Fact]
    public void An_extra_row_is_one_difference() =>
        Assert.Equal(["rows[0] extra_row"], Described(Compare(Whole with { Rows = [new(9, "z", 99), .. Whole.Rows] })));

    [Fact]
    public void A_doubled_row_is_an_extra_row() =>
        Assert.Equal(["rows[1] extra_row"], Described(Compare(Whole with { Rows = [Whole.Rows[0], .. Whole.Rows] })));

    [Fact]
    public void Rows_that_tie_may_come_in_any_order_and_that_is_said()
    {
        var result = Compare(Whole with { Rows = [Whole.Rows[0], Whole.Rows[3], Whole.Rows[1], Whole.Rows[2], Whole.Rows[4]] });
        Assert.True(result.IsSame);
        Assert.Equal(["tie"], result.Tolerated);
    }

    [Fact]
    public void Rows_that_do_not_tie_may_not_change_places() =>
        Assert.Equal(["rows order"], Described(Compare(Whole with { Rows = [Whole.Rows[1], Whole.Rows[0], .. Whole.Rows.Skip(2)] })));

    [Fact]
    public void A_tie_hides_no_difference_beside_it() =>
        Assert.Equal(["rows[1].text value"], Described(Compare(
            Whole with { Rows = [Whole.Rows[0], Whole.Rows[2], Whole.Rows[1] with { Text = "B" }, .. Whole.Rows.Skip(3)] })));

    [Fact]
    public void A_page_that_cuts_through_a_tie_may_show_any_of_its_rows()
    {
        var cut = Whole with { Rows = [.. Whole.Rows.Take(3)] };
        var result = new ResultComparer<Page>(ByRank).Compare(cut, cut with { Rows = [Whole.Rows[0], Whole.Rows[3], Whole.Rows[1]] }, 0);
        Assert.True(result.IsSame, string.Join(", ", result.Differences));
        Assert.Equal(["tie"], result.Tolerated);
    }

    [Fact]
    public void A_row_that_was_not_asked_for_may_not_hide_behind_a_tie()
    {
        var cut = Whole with { Rows = [.. Whole.Rows.Take(3)] };
        var leaked = cut with { Rows = [Whole.Rows[0], Whole.Rows[1], Whole.Rows[3] with { Owner = 7 }] };
        Assert.Equal(["rows[2] missing_row", "rows[2] extra_row"], Described(new ResultComparer<Page>(ByRank).Compare(cut, leaked, 0)));
    }

    [Fact]
    public void A_cut_tie_excuses_no_row_lost_or_doubled_or_moved_elsewhere()
    {
        var comparer = new ResultComparer<Page>(ByRank);
        var cut = Whole with { Rows = [.. Whole.Rows.Take(3)] };
        Assert.Equal(["rows[0] missing_row"], Described(comparer.Compare(cut, cut with { Rows = [Whole.Rows[1], Whole.Rows[3]] }, 0)));
        Assert.Equal(["rows[3] extra_row"], Described(comparer.Compare(cut, cut with { Rows = [Whole.Rows[0], Whole.Rows[1], Whole.Rows[3], Whole.Rows[1]] }, 0)));
        Assert.Equal(["rows order"], Described(comparer.Compare(cut, cut with { Rows = [Whole.Rows[3], Whole.Rows[0], Whole.Rows[1]] }, 0)));
    }

    [Fact]
    public void A_whole_list_may_not_exchange_rows_at_its_end()
    {
        var other = Whole with { Rows = [.. Whole.Rows.Take(4), new(6, "f", 10)] };
        Assert.Equal(["rows[4] missing_row", "rows[4] extra_row"], Described(Compare(other)));
    }

    [Fact]
    public void A_list_without_a_key_is_compared_by_position_and_count() =>
        Assert.Equal(["rows count", "rows[1].id value", "rows[1].text value"], Described(
            new ResultComparer<Page>().Compare(Whole with { Rows = [Whole.Rows[0], Whole.Rows[1]] }, Whole with { Rows = [Whole.Rows[0], new(8, "x", 20), Whole.Rows[4]] })));

    [Fact]
    public void A_tolerance_speaks_for_its_member_only()
    {
        var comparer = new ResultComparer<Row>(new ComparisonRules().Within<Row, int>(row => row.Rank, (a, b) => Math.Abs(a - b) <= 1, "rounding"));
        Assert.Equal(["rounding"], comparer.Compare(new(1, "a", 5), new(1, "a", 6)).Tolerated);
        Assert.Equal(["text value"], Described(comparer.Compare(new(1, "a", 5), new(1, "b", 6))));
        Assert.Equal(["rank value"], Described(comparer.Compare(new(1, "a", 5), new(1, "a", 7))));
    }

    [Fact]
    public void An_ignored_member_that_differs_is_tolerated_and_not_a_match()
    {
        var comparer = new ResultComparer<Row>(new ComparisonRules().Ignore<Row, string?>(row => row.Text, "generated"));
        Assert.Equal(["generated"], comparer.Compare(new(1, "a"), new(1, "b")).Tolerated);
        Assert.Empty(comparer.Compare(new(1, "a"), new(1, "a")).Tolerated);
    }

    [Fact]
    public void Dictionaries_are_compared_by_key() =>
        Assert.Equal(["[a] value", "[b] missing_row", "[c] extra_row"], Described(new ResultComparer<Dictionary<string, int>>().Compare(
            new() { ["a"] = 1, ["b"] = 2 }, new() { ["a"] = 9, ["c"] = 2 })));

    [Fact]
    public void Runtime_types_that_differ_are_a_difference_of_type() =>
        Assert.Equal([" type"], Described(new ResultComparer<object>().Compare("1", 1)));

    [Fact]
    public void What_a_base_type_hides_is_compared_too() =>
        Assert.Equal(["bark value"], Described(new ResultComparer<Animal>().Compare(new Dog("a", "woof"), new Dog("a", "wuff"))));

    [Fact]
    public void A_cycle_is_incomparable_and_never_a_match()
    {
        Assert.Equal(IncomparableReason.TooLarge, new ResultComparer<Ring>().Compare(Ring.Of("a"), Ring.Of("a")).Incomparable);
        Assert.False(new ResultComparer<Ring>().Compare(Ring.Of("a"), Ring.Of("a")).IsSame);
    }

    [Fact]
    public void A_getter_that_throws_is_incomparable_and_never_a_match()
    {
        var result = new ResultComparer<Trap>().Compare(new(), new());
        Assert.Equal(IncomparableReason.ComparerFailed, result.Incomparable);
        Assert.False(result.IsSame);
    }

    [Fact]
    public void Size_and_number_of_differences_are_bounded()
    {
        var many = Enumerable.Range(0, 1_000).Select(i => new Row(i, "a")).ToArray();
        var other = many.Select(row => row with { Text = "b" }).ToArray();
        var result = new ResultComparer<Row[]>(limits: new(Differences: 10)).Compare(many, other);
        Assert.Equal((10, 1_000), (result.Differences.Count, result.TotalDifferences));
        Assert.Equal(IncomparableReason.TooLarge, new ResultComparer<Row[]>(limits: new(Nodes: 100)).Compare(many, many.ToArray()).Incomparable);
        Assert.Equal(IncomparableReason.TooLarge, new ResultComparer<IEnumerable<int>>().Compare(Endless(), Endless()).Incomparable);
    }

    [Fact]
    public void A_microsecond_and_a_sign_of_zero_are_told_apart_as_their_types_tell_them()
    {
        var at = new DateTime(2026, 1, 1);
        Assert.False(new ResultComparer<DateTime>().Compare(at, at.AddMicroseconds(1)).IsSame);
        Assert.True(new ResultComparer<double>().Compare(double.NaN, double.NaN).IsSame);
    }

    private static ComparisonResult Compare(Page candidate) => new ResultComparer<Page>(ByRank).Compare(Whole, candidate, 0);

    private static Page Change(int id, Func<Row, Row> change) => Whole with { Rows = [.. Whole.Rows.Select(row => row.Id == id ? change(row) : row)] };

    private static IEnumerable<string> Described(ComparisonResult result) => result.Differences.Select(difference => $"{difference.Path} {difference.Kind.Wire()}");

    private static IEnumerable<int> Endless()
    {
        while (true) yield return 1;
    }

    public sealed record Page(IReadOnlyList<Row> Rows, int Total, int Number = 1);

    public sealed record Row(int Id, string? Text, int Rank = 0, int Owner = 0);

    public abstract record Animal(string Name);

    public sealed record Dog(string Name, string Bark) : Animal(Name);

    public sealed class Ring(string name)
    {
        public string Name => name;

        public Ring? Next { get; private set; }

        public static Ring Of(string name)
        {
            var ring = new Ring(name);
            ring.Next = ring;
            return ring;
        }
    }

    public sealed class Trap
    {
        public int Value { get; } = 1;

        public int Thrown => Value > 0 ? throw new InvalidOperationException("trap") : Value;
    }
}
