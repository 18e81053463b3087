using Shadowing.Comparison;
using Shadowing.Diagnosing;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Tests.Diagnosing;

/// <summary>What a write left of the rows, and how it failed. The row is a lamp on a shelf, of which a request names what it names.</summary>
public sealed partial class DiagnosesTests
{
    private const string Then = "\"2026-03-01T12:00:00.123456\"";
    private const string Past = "\"2026-03-01T13:00:00.123456\"";
    private const string Now = "\"2026-03-02T00:00:00.000001\"";
    private const string Later = "\"2026-03-02T00:00:07.000002\"";
    private const string Elsewhen = "\"2026-03-02T00:00:05.25\"";

    private static readonly RowKey Lamp = new("shelf", 1);
    private static readonly RowKey Label = new("labels", 5);

    private static readonly RowImage Before = new(new Dictionary<RowKey, string>
    {
        [Lamp] = Stored(),
        [Label] = Stored(),
        [new("shelf", 2)] = Stored(),
    })
    {
        Bystanders = new HashSet<RowKey> { new("shelf", 2) },
    };

    [Fact]
    public void A_failure_because_no_row_was_affected_is_a_missing_row_that_throws() =>
        Fails(Cause.MissingRowThrows, null, new DbUpdateConcurrencyException(), "DbUpdateConcurrencyException");

    [Fact]
    public void A_foreign_key_that_refuses_what_the_control_does_not_find_is_a_missing_row_that_throws() =>
        Fails(Cause.MissingRowThrows, null, new InvalidOperationException("refused"), "23503");

    [Fact]
    public void What_the_control_is_refused_as_too_long_and_the_candidate_stores_is_a_truncated_text() => Fails(Cause.TruncatedText, "22001", null, null);

    [Fact]
    public void What_the_control_is_refused_and_the_candidate_is_not_is_accepted() => Fails(Cause.AcceptedWhatIsRefused, "23503", null, null);

    [Fact]
    public void A_refusal_that_becomes_an_exception_of_the_codes_own_is_a_hidden_database_error() =>
        Fails(Cause.HiddenDatabaseError, "23503", new InvalidOperationException("It could not be saved."), "InvalidOperationException");

    [Fact]
    public void Children_that_the_model_severs_and_cannot_are_a_lost_cascade() => Fails(
        Cause.CascadeLost, null, new InvalidOperationException("The association has been severed, but is required."), "InvalidOperationException");

    [Fact]
    public void A_transaction_that_a_retrying_strategy_does_not_support_is_refused() => Fails(
        Cause.TransactionRefused, null, new InvalidOperationException("It does not support user-initiated transactions."), "InvalidOperationException");

    [Fact]
    public void An_answer_that_is_not_what_was_stored_is_an_echoed_entity() => Wrote(
        Cause.EchoedEntity, Lamps(Stored(at: Now)), Lamps(Stored(at: Later)), null, new Difference("text", DifferenceKind.Value, "Lantern", "Candle"));

    [Fact]
    public void A_bystander_that_only_the_candidate_touched_was_written_elsewhere() =>
        Wrote(Cause.WroteElsewhere, Lamps(Stored(at: Now)), [.. Lamps(Stored(at: Later)), (new("shelf", 2), Stored(at: Later))]);

    [Fact]
    public void Nothing_that_the_candidate_stored_is_a_lost_write() => Wrote(Cause.WriteLost, Lamps(Stored(at: Now, text: "\"Candle\"")), []);

    [Fact]
    public void A_row_that_only_the_control_made_is_a_lost_write() =>
        Wrote(Cause.WriteLost, [(new("labels", 9), Stored()), (Lamp, Stored(at: Now))], Lamps(Stored(at: Later)));

    [Fact]
    public void A_column_that_only_the_control_changed_is_a_lost_write() =>
        Wrote(Cause.WriteLost, Lamps(Stored(at: Now, text: "\"Candle\"")), Lamps(Stored(at: Later)));

    [Fact]
    public void A_row_that_stays_though_it_was_to_go_is_a_lost_cascade() => Wrote(Cause.CascadeLost, [(Lamp, null), (Label, null)], [(Lamp, null)]);

    [Fact]
    public void A_row_that_goes_though_it_was_to_stay_is_a_lost_cascade() => Wrote(Cause.CascadeLost, [(Lamp, null)], [(Lamp, null), (Label, null)]);

    [Fact]
    public void A_second_row_beside_the_one_that_both_made_is_written_twice() =>
        Wrote(Cause.WrittenTwice, [(new("labels", 9), Stored(at: Now))], [(new("labels", 9), Stored(at: Later)), (new("labels", 10), Stored(at: Later))]);

    [Fact]
    public void A_row_that_both_made_each_under_its_own_key_is_another_key_and_neither_twice_nor_lost() =>
        Wrote(Cause.OtherKey, [(new("labels", 9), Stored(at: Now))], [(new("labels", 10), Stored(at: Later))]);

    [Fact]
    public void A_write_that_the_candidate_refuses_as_not_found_is_not_lost()
    {
        Wrote(Cause.FoundDifferently, Lamps(Stored(at: Now, text: "\"Candle\"")), [], null,
            new Difference("access", DifferenceKind.Value, DayOfWeek.Monday, DayOfWeek.Friday));
        Wrote(Cause.FoundDifferently, Lamps(Stored(at: Now, text: "\"Candle\"")), [], null,
            new Difference("", DifferenceKind.NullVsValue, new Shelve("Candle"), null));
    }

    [Theory]
    [InlineData("\"Lantern\"", "\"Lantern\"")]
    [InlineData("\"Candle\"", "\"Candle\"")]
    [InlineData("\"Candle\"", "\"Bulb\"")]
    public void The_time_of_the_write_in_no_column_of_the_row_is_not_touched(string control, string candidate) =>
        Wrote(Cause.NotTouched, Lamps(Stored(at: Now, text: control)), candidate == "\"Lantern\"" ? [] : Lamps(Stored(text: candidate)));

    [Theory]
    [InlineData("\"-infinity\"")]
    [InlineData("\"0001-01-01T00:00:00\"")]
    public void The_value_that_stands_for_no_time_is_an_unset_time(string unset) => Wrote(Cause.UnsetTime, Lamps(Stored(at: Now)), Lamps(Stored(at: unset)));

    [Fact]
    public void Two_moments_in_two_tables_where_the_control_has_one_are_two_clocks() => Wrote(
        Cause.TwoClocks, [(Lamp, Stored(at: Now)), (Label, Stored(at: Now))],
        [(Lamp, Stored(at: Elsewhen)), (Label, Stored(at: "\"2026-03-02T00:00:05.250003\""))]);

    [Fact]
    public void A_moment_that_is_not_the_transactions_is_a_foreign_clocks() => Wrote(Cause.ForeignClock, Lamps(Stored(at: Now)), Lamps(Stored(at: Elsewhen)));

    [Theory]
    [InlineData(Past)]
    [InlineData("null")]
    public void A_transition_whose_time_stays_in_a_row_that_was_touched_is_lost(string kept) =>
        Wrote(Cause.LostTransition, Lamps(Stored(at: Now, closed: Now)), Lamps(Stored(at: Later, closed: kept)));

    [Fact]
    public void The_time_of_a_transition_that_alone_becomes_null_is_cleared() =>
        Wrote(Cause.ClearedTime, Lamps(Stored(at: Now)), Lamps(Stored(at: Later, closed: "null")));

    [Fact]
    public void The_time_of_a_transition_that_was_over_is_repeated() =>
        Wrote(Cause.RepeatedTransition, Lamps(Stored(at: Now)), Lamps(Stored(at: Later, closed: Later)));

    [Fact]
    public void Null_stored_for_the_empty_text_is_empty_to_null() =>
        Wrote(Cause.EmptyToNull, Lamps(Stored(at: Now, text: "\"\"")), Lamps(Stored(at: Later, text: "null")), new Shelve(""));

    [Fact]
    public void Null_in_a_column_that_the_request_does_not_name_is_overwritten() =>
        Wrote(Cause.OverwrittenColumns, Lamps(Stored(at: Now)), Lamps(Stored(at: Later, text: "null")));

    [Fact]
    public void Null_in_several_columns_at_once_is_overwritten_though_a_time_is_among_them() =>
        Wrote(Cause.OverwrittenColumns, Lamps(Stored(at: Now)), Lamps(Stored(at: Later, text: "null", closed: "null")));

    [Fact]
    public void A_time_that_is_cleared_beside_a_column_that_the_request_names_is_cleared_all_the_same() => Wrote(
        Cause.ClearedTime, Lamps(Stored(at: Now)), Lamps(Stored(at: Later, text: "null", closed: "null")), new Shelve("Lantern"));

    [Fact]
    public void Another_value_in_a_column_that_the_control_leaves_is_mass_assignment() =>
        Wrote(Cause.MassAssignment, Lamps(Stored(at: Now)), Lamps(Stored(at: Later, text: "\"Candle\"")));

    [Fact]
    public void A_value_of_its_own_in_a_new_row_is_mass_assignment() => Made(Cause.MassAssignment, Stored(text: "null"), Stored(text: "\"Candle\""));

    [Fact]
    public void What_was_asked_for_and_the_control_does_not_store_is_mass_assignment() =>
        Made(Cause.MassAssignment, Stored(flag: "false"), Stored(flag: "true"), new(Flag: true));

    [Theory]
    [InlineData("null")]
    [InlineData("\"Candle\"")]
    public void A_new_row_without_the_databases_default_is_a_default_not_applied(string other) => Made(Cause.DefaultNotApplied, Stored(), Stored(text: other));

    [Fact]
    public void A_flag_that_was_asked_for_and_passed_for_unset_is_a_default_not_applied() =>
        Made(Cause.DefaultNotApplied, Stored(flag: "true"), Stored(flag: "false"), new(Flag: true));

    [Fact]
    public void A_text_that_was_asked_for_and_passed_for_unset_is_a_default_not_applied() =>
        Made(Cause.DefaultNotApplied, Stored(), Stored(text: "\"Candle\""), new("Lantern"));

    [Fact]
    public void A_stored_text_without_its_blanks_is_trimmed() => Wrote(
        Cause.TrimmedText, Lamps(Stored(at: Now, text: "\" Candle\\u200b \"")), Lamps(Stored(at: Later, text: "\"Candle\"")), new Shelve(" Candle\u200b "));

    [Fact]
    public void A_stored_text_that_ends_too_early_is_truncated() => Wrote(
        Cause.TruncatedText, Lamps(Stored(at: Now, text: "\"A candle and a half\"")), Lamps(Stored(at: Later, text: "\"A candle\"")),
        new Shelve("A candle and a half"));

    [Fact]
    public void A_write_that_is_wrong_once_and_not_again_is_a_race_of_which_no_snapshot_is_told()
    {
        var pair = PairOf(Rows(Now, Lamps(Stored(at: Now))), Rows(Later, Lamps(Stored(at: Later, text: "\"Candle\""))));
        var race = new Difference("rows.shelf[1].text", DifferenceKind.Concurrency, "Lantern", "Candle", 1L);
        var symptoms = new Symptoms(Outcome.Mismatch, new Shelve(), [race], pair);
        Is(Cause.Race, symptoms);
        Assert.Contains("sandbox", Diagnoses.Diagnose(symptoms).Evidence, StringComparison.Ordinal);
        Assert.DoesNotContain("snapshot", Diagnoses.Diagnose(symptoms).Evidence, StringComparison.Ordinal);
    }

    private static string Stored(string at = Then, string text = "\"Lantern\"", string closed = Past, string flag = "false") =>
        $$"""{"id": 1, "at": {{at}}, "text": {{text}}, "closed_at": {{closed}}, "flag": {{flag}}}""";

    private static (RowKey, string?)[] Lamps(string row) => [(Lamp, row)];

    private static WrittenRows Rows(string now, params (RowKey Row, string? Now)[] changes) =>
        new(now.Trim('"'), Before, changes.ToDictionary(change => change.Row, change => change.Now));

    /// <summary>Both made a row of the same key.</summary>
    private static void Made(Cause cause, string control, string candidate, Shelve? request = null) =>
        Wrote(cause, [(new("shelf", 9), control)], [(new("shelf", 9), candidate)], request);

    private static void Wrote(
        Cause cause, (RowKey, string?)[] control, (RowKey, string?)[] candidate, Shelve? request = null, params Difference[] answers)
    {
        var (left, right) = (Rows(Now, control), Rows(Later, candidate));
        var differences = RowComparison.Compare(left, right, ComparisonLimits.Default).Differences;
        Assert.NotEmpty(differences.Concat(answers));
        Is(cause, new Symptoms(Outcome.Mismatch, request ?? new Shelve(), [.. answers, .. differences], PairOf(left, right)));
    }

    /// <param name="refusal">The control's; null where it answers.</param>
    /// <param name="category">Of the candidate's failure; null where it answers.</param>
    private static void Fails(Cause cause, string? refusal, Exception? failure, string? category)
    {
        var untouched = WrittenRows.Untouched(Before);
        var pair = PairOf(untouched, untouched, refusal is null ? null : new InvalidOperationException(refusal), failure);
        var outcome = refusal is null ? Outcome.CandidateError : Outcome.Mismatch;
        Is(cause, new Symptoms(outcome, new Shelve(), [new("", DifferenceKind.Error, refusal, category)], pair, category));
    }

    private static ObservedPair PairOf(WrittenRows control, WrittenRows candidate, Exception? refusal = null, Exception? failure = null) => ObservedPair.FromObservations(
        new Observation<string>("an answer", refusal, TimeSpan.Zero, new()) { Rows = control },
        new Observation<string>("an answer", failure, TimeSpan.Zero, new()) { Rows = candidate });

    internal sealed record Shelve(string? Text = null, bool? Flag = null);

    /// <summary>Known by its name: the engine knows nothing of EF Core.</summary>
    private sealed class DbUpdateConcurrencyException : Exception;
}
