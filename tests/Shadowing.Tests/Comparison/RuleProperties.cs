using CsCheck;
using Shadowing.Comparison;

namespace Shadowing.Tests.Comparison;

/// <summary>For any page of rows at all: a rule excuses what it declares, and never what stands beside it.</summary>
public sealed class RuleProperties
{
    private static readonly ResultComparer<Page> ByKey = new(new ComparisonRules().Rows<Page, Row, int>(page => page.Rows, row => row.Id));

    private static readonly ResultComparer<Page> Tied = new(new ComparisonRules().Ties<object, Page, Row, int, int>(
        page => page.Rows, row => row.Id, row => row.Rank, "tie", cut: page => new(Start: false, End: page.IsCut)));

    /// <summary>Rows of distinct ids, sorted by a rank that often ties.</summary>
    private static readonly Gen<Page> Pages = Gen.Select(Gen.Int[0, 3].List[1, 8], Gen.Int[0, 1000], Gen.Bool, (ranks, first, isCut) =>
        new Page([.. ranks.Order().Select((rank, index) => new Row(first + index, rank, $"text {index}", index % 3 == 0 ? null : index))], isCut));

    private static readonly Gen<int> Seeds = Gen.Int[0, int.MaxValue - 1];

    [Fact]
    public void Rows_that_tie_may_come_in_any_order() => Gen.Select(Pages, Seeds).Sample((page, seed) =>
        Tied.Compare(page, ShuffledWithinTies(page, seed)).IsSame);

    [Fact]
    public void A_shuffle_beyond_ties_is_an_order_and_nothing_else() => Gen.Select(Pages, Seeds).Sample((page, seed) =>
    {
        var rows = page.Rows.ToArray();
        new Random(seed).Shuffle(rows);
        var found = Tied.Compare(page, page with { Rows = rows });
        var isSorted = rows.Zip(rows.Skip(1)).All(pair => pair.First.Rank <= pair.Second.Rank);
        return isSorted ? found.IsSame : found.Differences is [{ Kind: DifferenceKind.Order, Path: "rows" }];
    });

    [Fact]
    public void A_value_that_differs_is_found_in_its_row_however_the_ties_fell() => Gen.Select(Pages, Seeds, Seeds).Sample((page, seed, where) =>
    {
        var index = where % page.Rows.Count;
        var wrong = page with { Rows = [.. page.Rows.Select((row, i) => i == index ? row with { Text = row.Text + "!" } : row)] };
        var found = Tied.Compare(page, ShuffledWithinTies(wrong, seed));
        return found.Differences is [{ Kind: DifferenceKind.Value, Control: string control, Candidate: string candidate } difference]
            && difference.Path == $"rows[{index}].text" && Equals(difference.RowKey, page.Rows[index].Id) && candidate == control + "!";
    });

    [Fact]
    public void A_row_that_is_lost_is_found_wherever_it_was() => Gen.Select(Pages, Seeds, Seeds).Sample((page, seed, where) =>
    {
        var index = where % page.Rows.Count;
        var without = page with { Rows = [.. page.Rows.Where((_, i) => i != index)] };
        return Tied.Compare(page, ShuffledWithinTies(without, seed)).Differences is [{ Kind: DifferenceKind.MissingRow } lost]
            && Equals(lost.Control, page.Rows[index]);
    });

    [Fact]
    public void A_row_in_place_of_another_is_excused_only_where_the_page_cuts_through_their_tie() => Gen.Select(Pages, Seeds).Sample((page, where) =>
    {
        var index = where % page.Rows.Count;
        var other = page.Rows[index] with { Id = -1 };
        var found = Tied.Compare(page, page with { Rows = [.. page.Rows.Select((row, i) => i == index ? other : row)] });
        return found.IsSame == (page.IsCut && other.Rank == page.Rows[^1].Rank);
    });

    [Fact]
    public void What_is_reported_turns_the_one_page_into_the_other() => Gen.Select(Pages, Pages).Sample((left, right) =>
    {
        var found = ByKey.Compare(left, right);
        var rows = left.Rows.ToDictionary(row => row.Id);
        foreach (var difference in found.Differences.Where(difference => difference.Path.StartsWith("rows[", StringComparison.Ordinal)))
        {
            if (difference.Kind is DifferenceKind.MissingRow) rows.Remove(((Row)difference.Control!).Id);
            else if (difference.Kind is DifferenceKind.ExtraRow) rows.Add(((Row)difference.Candidate!).Id, (Row)difference.Candidate);
            else rows[(int)difference.RowKey!] = With(rows[(int)difference.RowKey], difference);
        }

        return rows.Values.ToHashSet().SetEquals(right.Rows) && (found.IsSame == (left.IsCut == right.IsCut && left.Rows.SequenceEqual(right.Rows)));
    });

    [Fact]
    public void The_sides_may_be_exchanged() => Gen.Select(Pages, Pages).Sample((left, right) =>
        ByKey.Compare(left, right).Differences.Select(difference => (difference.Pattern, Mirrored(difference.Kind))).Order()
            .SequenceEqual(ByKey.Compare(right, left).Differences.Select(difference => (difference.Pattern, difference.Kind)).Order()));

    [Fact]
    public void An_ignored_member_hides_nothing_beside_it() => Gen.Select(Pages, Seeds).Sample((page, where) =>
    {
        var ignoring = new ResultComparer<Page>(new ComparisonRules().Ignore<Row, int?>(row => row.Number, "generated"));
        var index = where % page.Rows.Count;
        Page Change(Func<Row, Row> change) => page with { Rows = [.. page.Rows.Select((row, i) => i == index ? change(row) : row)] };
        return ignoring.Compare(page, Change(row => row with { Number = -7 })) is { IsSame: true, Tolerated.Count: 1 }
            && ignoring.Compare(page, Change(row => row with { Number = -7, Text = null })).Differences is [{ Kind: DifferenceKind.NullVsValue } beside]
            && beside.Path == $"rows[{index}].text";
    });

    [Theory]
    [InlineData("1.5", "1.50", false)]
    [InlineData("1.50", "1.50", true)]
    public void A_number_that_is_written_otherwise_differs(string control, string candidate, bool same)
    {
        var found = new ResultComparer<Written>().Compare(new(decimal.Parse(control, null), null), new(decimal.Parse(candidate, null), null));
        Assert.Equal(same, found.IsSame);
        if (!same) Assert.Equal([("number", DifferenceKind.Type)], found.Differences.Select(difference => (difference.Path, difference.Kind)));
    }

    [Fact]
    public void A_time_of_another_kind_differs_though_it_is_equal()
    {
        var time = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Unspecified);
        var found = new ResultComparer<Written>().Compare(new(null, time), new(null, DateTime.SpecifyKind(time, DateTimeKind.Utc)));
        Assert.Equal([("at", DifferenceKind.Type)], found.Differences.Select(difference => (difference.Path, difference.Kind)));
    }

    private static Page ShuffledWithinTies(Page page, int seed)
    {
        var rows = page.Rows.ToArray();
        new Random(seed).Shuffle(rows);
        return page with { Rows = [.. rows.OrderBy(row => row.Rank)] };
    }

    private static Row With(Row row, Difference difference) => difference.Path[(difference.Path.LastIndexOf('.') + 1)..] switch
    {
        "rank" => row with { Rank = (int)difference.Candidate! },
        "text" => row with { Text = (string?)difference.Candidate },
        _ => row with { Number = (int?)difference.Candidate },
    };

    private static DifferenceKind Mirrored(DifferenceKind kind) => kind switch
    {
        DifferenceKind.MissingRow => DifferenceKind.ExtraRow,
        DifferenceKind.ExtraRow => DifferenceKind.MissingRow,
        _ => kind,
    };

    internal sealed record Page(IReadOnlyList<Row> Rows, bool IsCut);

    internal sealed record Row(int Id, int Rank, string? Text, int? Number);

    private sealed record Written(decimal? Number, DateTime? At);
}
