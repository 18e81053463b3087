using Shadowing.Comparison;
using Shadowing.Diagnosing;
using Shadowing.Model;

namespace Shadowing.Tests.Diagnosing;

public sealed partial class DiagnosesTests
{
    private enum Access
    {
        Granted,
        NotFound,
    }

    [Fact]
    public void All_members_of_one_related_row_being_null_are_a_lost_navigation() => Is(
        Cause.LostNavigation,
        new Difference("rows[0].holderFirstName", DifferenceKind.NullVsValue, "Anne", null),
        new Difference("rows[0].holderLastName", DifferenceKind.NullVsValue, "Droid", null));

    [Theory]
    [InlineData(5)]
    [InlineData(-1)]
    [InlineData(5.75)]
    public void Times_that_are_off_by_whole_quarters_of_an_hour_are_a_time_zone(double hours) => Is(Cause.TimeZone, Value("rows[0].at", Noon, Noon.AddHours(hours)));

    [Fact]
    public void Days_that_lose_to_their_neighbours_what_those_gain_are_a_time_zone() => Is(
        Cause.TimeZone, Value("days[0].count", 4L, 5L), Value("days[1].count", 3L, 2L),
        new Calendar([new(new(2026, 3, 1), 4), new(new(2026, 2, 28), 3)]), new Calendar([new(new(2026, 3, 1), 5), new(new(2026, 2, 28), 2)]));

    [Theory]
    [InlineData(TimeSpan.TicksPerMillisecond)]
    [InlineData(TimeSpan.TicksPerSecond)]
    public void Times_without_their_finest_digits_are_truncated(long unit) =>
        Is(Cause.TruncatedTime, Value("rows[0].at", Noon.AddTicks(777), Noon.AddTicks(777 - (Noon.AddTicks(777).Ticks % unit))));

    [Fact]
    public void The_same_time_with_another_kind_is_a_time_format() =>
        Is(Cause.TimeFormat, new Difference("rows[0].at", DifferenceKind.Type, Noon, DateTime.SpecifyKind(Noon, DateTimeKind.Utc)));

    [Fact]
    public void The_empty_text_for_null_is_null_to_empty() => Is(Cause.NullToEmpty, Null("rows[0].name", null, ""));

    [Fact]
    public void Null_for_the_empty_text_is_empty_to_null() => Is(Cause.EmptyToNull, Null("rows[0].name", "", null));

    [Fact]
    public void Zero_for_null_is_null_to_default()
    {
        Is(Cause.NullToDefault, Null("average", null, 0m));
        Is(Cause.NullToDefault, Null("rows[0].at", null, default(DateTime)));
    }

    [Fact]
    public void Null_for_a_value_is_an_unread_column()
    {
        Is(Cause.UnreadColumn, Null("rows[0].name", "Anne", null));
        Is(Cause.UnreadColumn, Value("rows[0].name", "Anne", ""));
    }

    [Fact]
    public void A_text_without_the_white_space_around_it_is_trimmed()
    {
        Is(Cause.TrimmedText, Value("rows[0].name", "\tAnne ", "Anne"));
        Is(Cause.TrimmedText, Value("rows[0].name", " \t ", ""));
    }

    [Fact]
    public void A_text_in_another_case_is_case_handling() => Is(Cause.CaseHandling, Value("rows[0].name", "Anne", "ANNE"));

    [Fact]
    public void A_text_in_another_normal_form_is_normalization() => Is(Cause.TextNormalization, Value("rows[0].name", "caf\u00e9", "cafe\u0301"));

    [Fact]
    public void The_beginning_of_a_text_is_truncated() => Is(Cause.TruncatedText, Value("rows[0].name", "Anne of Green Gables", "Anne of Green"));

    [Fact]
    public void Counts_that_are_twice_as_high_are_multiplied_rows() => Is(Cause.MultipliedRows, Value("total", 40L, 132L));

    [Fact]
    public void Counts_that_are_all_lower_are_filtered() => Is(Cause.FilteredCount, Value("rows[0].notes", 4L, 3L), Value("rows[1].notes", 2L, 0L));

    [Fact]
    public void A_count_of_nothing_is_a_filter_that_is_always_false() => Is(Cause.FilterAlwaysFalse, Value("total", 40L, 0L));

    [Fact]
    public void Aggregates_of_several_kinds_that_differ_together_are_another_window_even_if_groups_come_and_go() => Is(
        Cause.WindowBoundary,
        new Symptoms(Outcome.Mismatch, new Ask(),
        [
            Value("totals.total", 40L, 41L), Value("byStatus[0].count", 10L, 11L),
            new("byDay[7]", DifferenceKind.ExtraRow, null, new Day(new(2026, 2, 28), 1)),
        ]));

    [Fact]
    public void A_number_that_is_equal_in_its_first_digits_is_a_matter_of_precision() =>
        Is(Cause.NumberPrecision, Value("average", 12.345678901234567m, 12.345678901234561m));

    [Fact]
    public void The_same_number_with_other_decimals_is_a_number_format() => Is(Cause.NumberFormat, new Difference("average", DifferenceKind.Type, 1.50m, 1.5m));

    [Fact]
    public void Another_number_alone_is_arithmetic() => Is(Cause.Arithmetic, Value("average", 34.5m, 10.5m));

    [Fact]
    public void A_row_that_only_one_side_finds_is_found_differently() => Is(Cause.FoundDifferently, Value("access", Access.Granted, Access.NotFound));

    [Fact]
    public void What_fits_no_cause_is_unknown() => Is(Cause.Unknown, Value("rows[0].name", "Anne", "Bob"));

    [Fact]
    public void No_answer_in_time_is_slow() =>
        Assert.Equal(Cause.Slow, Diagnoses.Diagnose(new(Outcome.CandidateTimeout, new Ask(), [new("", DifferenceKind.Error, null, "timeout")])).Cause);

    [Theory]
    [InlineData(true, Cause.OwnCode)]
    [InlineData(false, Cause.Slow)]
    public void No_answer_in_time_without_the_database_is_the_candidates_own_code(bool isInOwnCode, Cause cause)
    {
        var late = new ShadowTimeoutException(TimeSpan.FromSeconds(2)) { IsInOwnCode = isInOwnCode };
        Assert.Equal(cause, Diagnoses.Diagnose(new(
            Outcome.CandidateTimeout, new Ask(), [new("", DifferenceKind.Error, null, "timeout")], new(null, null, null, late, new(), new()))).Cause);
    }

    [Fact]
    public void A_sum_that_does_not_fit_is_an_overflow()
    {
        Fails(Cause.Overflow, new OverflowException());
        Fails(Cause.Overflow, new InvalidOperationException("The database refused."), "22003");
    }

    [Fact]
    public void A_null_key_is_a_null_key() => Fails(Cause.NullKey, Record.Exception(() => new Dictionary<string, int>().Add(null!, 1))!);

    [Fact]
    public void No_elements_of_an_aggregate_are_an_aggregate_of_nothing()
    {
        Fails(Cause.AggregateOfNothing, new InvalidOperationException("Sequence contains no elements."), sql: "SELECT avg(t.hours) FROM t");
        Fails(Cause.AggregateOfNothing, Record.Exception(() => Required(null))!, sql: "SELECT max(t.hours) FROM t");
    }

    [Fact]
    public void No_elements_elsewhere_are_a_missing_row_that_throws() =>
        Fails(Cause.NoRowThrows, Record.Exception(() => Array.Empty<int>().First())!, sql: "SELECT t.id FROM t LIMIT 1");

    [Fact]
    public void More_than_one_element_is_a_second_row_that_throws() => Fails(Cause.SecondRowThrows, Record.Exception(() => Enumerable.Range(1, 2).Single())!);

    [Fact]
    public void Null_in_a_required_member_is_that() => Fails(Cause.NullInRequiredMember, Record.Exception(() => Required(null))!);

    [Fact]
    public void A_parameter_of_the_wrong_kind_of_time_is_that() =>
        Fails(Cause.TimeKindRefused, new ArgumentException("Cannot write DateTime with Kind=UTC to PostgreSQL type 'timestamp without time zone'"));

    [Fact]
    public void A_query_that_cannot_be_translated_is_that_even_wrapped() =>
        Fails(Cause.Untranslatable, new AggregateException(new InvalidOperationException("The LINQ expression … could not be translated.")));

    private static int Required(int? number) => number!.Value;

    private static Difference Value(string path, object control, object candidate) => new(path, DifferenceKind.Value, control, candidate);

    private static Difference Null(string path, object? control, object? candidate) => new(path, DifferenceKind.NullVsValue, control, candidate);

    private static void Fails(Cause cause, Exception error, string? errorType = null, string sql = "SELECT 1")
    {
        var ledger = new StatementLedger();
        ledger.Keep(sql);
        Is(cause, new Symptoms(
            Outcome.CandidateError, new Ask(), [new("", DifferenceKind.Error, null, error.GetType().Name)],
            new(null, null, null, error, new(), ledger), errorType ?? error.GetType().Name));
    }
}
