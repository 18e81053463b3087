using System.Text.Json;
using CsCheck;
using Shadowing.Comparison;
using Shadowing.Diagnosing;
using Shadowing.Experiments;

namespace Shadowing.Tests.Diagnosing;

/// <summary>What is kept of a value tells how it differs, and not what it is.</summary>
public sealed class RedactorTests
{
    private static readonly Redactor Redactor = new([1, 2, 3]);
    private static readonly Disclosure Words = new(new HashSet<string> { "open" }, new HashSet<string> { "asOf" });

    [Fact]
    public void No_text_survives_whatever_it_is() => Gen.String[Gen.Char.AlphaNumeric, 4, 40].Sample(text =>
    {
        var difference = new Difference("lines[0].text", DifferenceKind.Value, text, text + "!", 7);
        var kept = JsonSerializer.Serialize(Redactor.Redact(difference, Words)) + JsonSerializer.Serialize(Redactor.Parameters(new Asked(text, 7, 0), Words));
        return !kept.Contains(text, StringComparison.Ordinal);
    });

    [Fact]
    public void No_row_survives() => Assert.DoesNotContain(
        "alice", JsonSerializer.Serialize(Redactor.Redact(new("lines[*]", DifferenceKind.MissingRow, new Line(1, "alice"), null), Words)), StringComparison.Ordinal);

    [Fact]
    public void A_dictionarys_key_does_not_survive_in_the_path() => Assert.Equal(
        "tags[*].text", Redactor.Redact(new("tags[alice].text", DifferenceKind.Value, "a", "b"), Words).Path);

    [Fact]
    public void Equal_values_have_equal_hashes_under_one_key_only()
    {
        Assert.Equal(Redactor.Redact("alice", Words), Redactor.Redact("alice", Words));
        Assert.NotEqual(Redactor.Redact("alice", Words).Hash, new Redactor([4]).Redact("alice", Words).Hash);
    }

    [Fact]
    public void Ids_enums_booleans_and_declared_words_and_parameters_stay()
    {
        var kept = Redactor.Parameters(new Asked("open", 7, DayOfWeek.Monday, true, new(new DateTime(2026, 1, 2))), Words)
            .ToDictionary(parameter => parameter.Name, parameter => parameter.Value.Text);
        Assert.Equal(
            new() { ["text"] = "open", ["id"] = "7", ["day"] = "Monday", ["flag"] = "true", ["inner.at"] = null },
            kept);
        Assert.Equal("2026-01-02T00:00:00.0000000", Redactor.Parameters(new Dated(new DateTime(2026, 1, 2)), Words)[0].Value.Text);
    }

    [Theory]
    [InlineData("select 1 where a = 'alice''s' and b = $1", "select 1 where a = '…' and b = $1")]
    [InlineData(@"select E'it\'s alice', 'x'", "select '…', '…'")]
    [InlineData("select $tag$alice$tag$, $$bob$$", "select '…', '…'")]
    [InlineData("select 'Anne''s', E'it\\'s', $$raw$$, $a$b$a$ from t", "select '…', '…', '…', '…' from t")]
    [InlineData("-- Tag: Anne\n\nselect 1 /* of Anne */ from t where phone = 4915112345 limit 20", "select 1  from t where phone = … limit 20")]
    [InlineData("select t.\"a 12345\", c1234567 from t where id = $12345 and price > 12345.50", "select t.\"a …\", c1234567 from t where id = $12345 and price > …")]
    public void Texts_that_somebody_wrote_into_a_statement_are_taken_out(string statement, string kept) => Assert.Equal(kept, Redactor.Sql(statement));

    [Fact]
    public void The_shape_tells_how_two_values_differ()
    {
        Assert.Equal(("ignoring case", "5 5", "0"), (Shape("ALICE", "alice")["equal"], Shape("ALICE", "alice")["lengths"], Shape("ALICE", "alice")["commonPrefix"]));
        Assert.Equal("when trimmed", Shape("alice ", "alice")["equal"]);
        Assert.Equal("when normalised", Shape("caf\u00e9", "cafe\u0301")["equal"]);
        var noon = new DateTime(2026, 1, 1, 12, 0, 0);
        Assert.Equal(("-5.5", "-"), (Shape(noon, noon.AddHours(-5.5))["hours"], Shape(noon, noon.AddHours(-5.5))["sign"]));
        Assert.Equal("a millisecond", Shape(noon, noon.AddMicroseconds(7))["below"]);
        Assert.Equal("Unspecified Utc", Shape(noon, DateTime.SpecifyKind(noon, DateTimeKind.Utc))["kinds"]);
        Assert.Equal(("2", "+"), (Shape(4, 8)["times"], Shape(4, 8)["sign"]));
        Assert.Equal("1 2", Shape(1.5m, 1.50m)["decimals"]);
    }

    private static IReadOnlyDictionary<string, string> Shape(object control, object candidate) =>
        Redactor.Redact(new("x", DifferenceKind.Value, control, candidate), Words).Shape;

    private sealed record Asked(string Text, int Id, DayOfWeek Day, bool Flag = false, Inner? Inner = null);

    private sealed record Inner(DateTime At);

    private sealed record Dated(DateTime AsOf);
}
