using Shadowing.Comparison;
using Shadowing.Diagnosing;
using Shadowing.Model;

namespace Shadowing.Tests.Diagnosing;

/// <summary>Each known cause from what it leaves behind: rows here, values and failures in the other parts.</summary>
public sealed partial class DiagnosesTests
{
    private static readonly DateTime Noon = new DateTime(2026, 3, 1, 12, 0, 0).AddTicks(1_234_560);

    private static readonly ResultComparer<Page> Pages = new(
        new ComparisonRules().Ties<Ask, Page, Row, int, DateTime?>(page => page.Rows, row => row.Id, row => row.At, "tie"), ComparisonLimits.Default);

    private static readonly Row[] Six =
    [
        new(1, Noon, "open", Holder: 7), new(2, Noon.AddDays(-1), "open", Holder: 7), new(3, Noon.AddDays(-2), "open", Holder: 8),
        new(4, Noon.AddDays(-3), "open", Holder: 8), new(5, Noon.AddDays(-4), "open", Holder: 9), new(6, Noon.AddDays(-5), "open", Holder: 9),
    ];

    [Fact]
    public void What_the_caller_may_not_see_is_a_lost_access_filter_whatever_else_it_looks_like() => Assert.Equal(
        Cause.AccessFilterLost, Diagnoses.Diagnose(new(Outcome.Mismatch, new Ask("open"), [new("rows[0]", DifferenceKind.ExtraRow, null, Six[0])], IsLeak: true)).Cause);

    [Fact]
    public void A_difference_that_one_snapshot_does_not_show_is_a_race() =>
        Is(Cause.Race, new Difference("rows[0].status", DifferenceKind.Concurrency, "open", "closed"));

    [Fact]
    public void A_statement_more_for_each_row_is_n_plus_one()
    {
        Is(Cause.NPlusOne, Sent(["list", "count"], ["list", "count", .. Enumerable.Repeat("child", 6)], Of(Six)));
        // Only the first sixteen are kept.
        var many = Of([.. Enumerable.Range(1, 200).Select(id => Six[0] with { Id = id })]);
        Is(Cause.NPlusOne, Sent(["list"], ["list", .. Enumerable.Repeat("child", 200)], many));
    }

    [Fact]
    public void Statements_that_are_more_whatever_the_rows_are_no_n_plus_one()
    {
        Is(Cause.ExtraStatements, Sent(["access"], ["update", "access"], new Answer(Six[0])));
        Is(Cause.ExtraStatements, Sent(["list"], ["list", "access"], Of(Six)));
        Is(Cause.ExtraStatements, Sent(["list"], ["list", "one", "two", "three", "four", "five", "six"], Of(Six)));
        Is(Cause.ExtraStatements, Sent(["list"], ["list", "access", "access", "access"], Of([.. Six, .. Six, .. Six, .. Six])));
        Is(Cause.ExtraStatements, Sent(["list"], ["list", "access", "access", "access"], Of(Six[..1])));
        Is(Cause.ExtraStatements, Sent(["a"], ["a", "a", "a", "a"], "one text"));
    }

    [Fact]
    public void Extra_rows_of_the_filter_in_another_case_are_case_handling() =>
        Is(Cause.CaseHandling, Of(Six[..2]), Of([.. Six[..2], Six[2] with { Status = "OPEN" }]), new("open"));

    [Fact]
    public void Extra_rows_of_the_filter_with_blanks_are_trimmed_text() =>
        Is(Cause.TrimmedText, Of(Six[..2]), Of([.. Six[..2], Six[2] with { Status = " open" }]), new("open"));

    [Fact]
    public void Extra_rows_without_what_was_asked_for_are_a_null_comparison() =>
        Is(Cause.NullComparison, Of(Six[..2]), Of([.. Six[..2], Six[2] with { Status = null }]), new("open"));

    [Fact]
    public void Missing_rows_that_alone_have_no_text_are_a_null_comparison() =>
        Is(Cause.NullComparison, Of([Six[0], Six[1] with { Status = null }]), Of(Six[..1]), new());

    [Fact]
    public void Extra_rows_of_any_other_value_are_a_lost_filter_even_if_rows_that_fit_moved_the_page() =>
        Is(Cause.FilterLost, Of(Six[..2], 9), Of([Six[0], Six[2] with { Status = "closed" }, Six[3] with { Status = null }, Six[4]], 12), new("open"));

    [Fact]
    public void Nothing_at_all_where_the_control_has_rows_is_a_filter_that_is_always_false() =>
        Is(Cause.FilterAlwaysFalse, Of(Six), Of([], 0), new());

    [Fact]
    public void Only_empty_values_for_an_empty_filter_are_an_empty_filter_taken_as_one() =>
        Is(Cause.EmptyFilter, Of([Six[0], Six[1] with { Status = "" }]), Of([Six[1] with { Status = "" }], 1), new(""));

    [Fact]
    public void A_list_that_is_empty_while_all_else_is_right_is_a_missing_include() => Is(
        Cause.MissingInclude, new("row.notes[0]", DifferenceKind.MissingRow, "a note", null), null,
        new Answer(Six[0] with { Notes = ["a note"] }), new Answer(Six[0] with { Notes = [] }));

    [Fact]
    public void Rows_that_come_twice_are_multiplied() => Is(Cause.MultipliedRows, Of(Six[..2], 2), Of([Six[0], Six[0], Six[1], Six[1]], 2), new());

    [Fact]
    public void Rows_that_are_found_too_much_and_look_alike_are_not_multiplied() =>
        Is(Cause.ExtraRows, Of(Six[..2], 2), Of([.. Six[..2], Six[3], Six[3]], 4), new());

    [Fact]
    public void Rows_without_a_holder_that_are_missing_are_an_inner_join() =>
        Is(Cause.InnerJoin, Of([Six[0], Six[1] with { Holder = null }, Six[2]]), Of([Six[0], Six[2]], 3), new());

    [Fact]
    public void Rows_without_a_holder_that_have_moved_the_page_and_the_total_are_an_inner_join() =>
        Is(Cause.InnerJoin, Of([Six[0], Six[1] with { Holder = null }, Six[2]], 9), Of([Six[0], Six[2], Six[3]], 6), new(Limit: 3));

    [Fact]
    public void Rows_without_a_time_that_are_on_another_page_are_null_ordering() =>
        Is(Cause.NullOrdering, Of([Six[0] with { At = null }, Six[1]], 9), Of([Six[1], Six[2]], 9), new(Limit: 2));

    [Fact]
    public void Rows_without_a_time_that_alone_change_places_are_null_ordering() =>
        Is(Cause.NullOrdering, Of([Six[0] with { At = null }, Six[1], Six[2]]), Of([Six[1], Six[2], Six[0] with { At = null }]), new());

    [Fact]
    public void The_next_page_is_off_by_one() => Is(Cause.PageOffByOne, Of(Six[..2], 6), Of(Six[2..4], 6), new(Limit: 2));

    [Fact]
    public void A_page_that_begins_a_row_late_is_off_by_one() => Is(Cause.PageOffByOne, Of(Six[..3], 6), Of(Six[1..4], 6), new(Limit: 3));

    [Fact]
    public void A_page_that_is_not_full_is_cut_before_the_filter() => Is(Cause.PagingBeforeFilter, Of(Six[..4], 6), Of([Six[1], Six[3]], 6), new(Limit: 4));

    [Fact]
    public void Other_days_that_hold_as_many_rows_are_a_time_zone() => Is(
        Cause.TimeZone,
        new Difference("days[0]", DifferenceKind.MissingRow, new Day(new(2026, 3, 1), 4), null),
        new Difference("days[0]", DifferenceKind.ExtraRow, null, new Day(new(2026, 2, 28), 4)),
        new Calendar([new(new(2026, 3, 1), 4)]), new Calendar([new(new(2026, 2, 28), 4)]));

    [Fact]
    public void Another_order_that_no_tie_explains_is_a_dropped_order() => Is(Cause.DroppedOrder, Of(Six[..3]), Of([Six[2], Six[0], Six[1]]), new());

    [Fact]
    public void Another_order_among_rows_that_sort_alike_is_an_unstable_tie()
    {
        Row[] tied = [Six[0], Six[1] with { At = Noon }, Six[2]];
        Is(Cause.UnstableTie, new("rows", DifferenceKind.Order, null, null), null, Of(tied), Of([tied[1], tied[0], tied[2]]));
    }

    [Fact]
    public void Fewer_rows_and_nothing_to_tell_why_are_missing_rows() => Is(Cause.MissingRows, Of(Six, 6), Of(Six[..5], 5), new());

    [Fact]
    public void More_rows_and_nothing_to_tell_why_are_extra_rows() => Is(Cause.ExtraRows, Of(Six[..5], 5), Of(Six, 6), new());

    private static void Is(Cause cause, Page control, Page candidate, Ask request)
    {
        var differences = Pages.Compare(control, candidate, request).Differences;
        Assert.NotEmpty(differences);
        Is(cause, new Symptoms(Outcome.Mismatch, request, differences, new(control, candidate, null, null, new(), new())));
    }

    private static void Is(Cause cause, Difference first, Difference? second = null, object? control = null, object? candidate = null) => Is(
        cause, new Symptoms(Outcome.Mismatch, new Ask(), second is null ? [first] : [first, second], new(control, candidate, null, null, new(), new())));

    /// <summary>The cause; and that its evidence quotes none of the texts above.</summary>
    private static void Is(Cause cause, Symptoms symptoms)
    {
        var diagnosis = Diagnoses.Diagnose(symptoms);
        Assert.Equal((cause, true), (diagnosis.Cause, diagnosis.LookAt.Length > 20 && diagnosis.Evidence.Length > 20));
        foreach (var value in symptoms.Differences.Where(difference => difference.Kind is not DifferenceKind.Error).SelectMany(difference => new[] { difference.Control, difference.Candidate }).OfType<string>())
            Assert.DoesNotContain(value.Length < 3 ? "\"" : value, diagnosis.Evidence, StringComparison.OrdinalIgnoreCase);
    }

    private static Symptoms Sent(string[] control, string[] candidate, object answer)
    {
        return new(Outcome.Match, new Ask(), [new("", DifferenceKind.Statements, control.Length, candidate.Length)],
            new(answer, answer, null, null, Ledger(control), Ledger(candidate)));

        static StatementLedger Ledger(string[] texts)
        {
            var ledger = new StatementLedger();
            foreach (var text in texts) ledger.Keep(text);
            return ledger;
        }
    }

    private static Page Of(Row[] rows, long? total = null) => new(rows, total ?? rows.Length);

    internal sealed record Ask(string? Status = null, int Page = 1, int Limit = 20);

    internal sealed record Row(int Id, DateTime? At, string? Status, int? Holder = null, IReadOnlyList<string>? Notes = null);

    internal sealed record Answer(Row Row);

    internal sealed record Page(IReadOnlyList<Row> Rows, long Total);

    internal sealed record Day(DateOnly Date, long Count);

    internal sealed record Calendar(IReadOnlyList<Day> Days);
}
