using System.Text.Json;
using System.Text.Json.Serialization;
using CsCheck;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.SelfTesting;
using Shadowing.Tests.Comparison;
using Shadowing.Tests.Writing;
using Shadowing.Writing;

namespace Shadowing.Tests.SelfTesting;

/// <summary>A detector that has gone blind, and a control that does not agree with itself, are noticed; neither enters the comparisons.</summary>
public sealed class SelfTestTests
{
    [Fact]
    public async Task A_detector_that_sees_is_alive()
    {
        await using var engine = await new Engine().StartAsync();
        await engine.CompareAsync();
        await Eventually.HoldsAsync(() => engine.Status.SelfTest.ControlAgainstControl["match"] == 1);
        Assert.Equal((1, 1, true), (engine.Status.SelfTest.Planted, engine.Status.SelfTest.Found, engine.Status.SelfTest.IsAlive));
        Assert.Equal(1, engine.Status.Comparisons.Values.Sum());
    }

    [Fact]
    public async Task A_detector_that_ignores_what_is_planted_is_dead()
    {
        var blind = new Experiment<Oracle, Question, Blind>("oracle.blind", static async (oracle, question, token) =>
        {
            await oracle.AskAsync(question, token);
            return new Blind("anything");
        });
        await using var engine = await new Engine(experiments: blind).StartAsync();
        await engine.Runner.RunAsync(blind, new Question(), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => engine.Status.SelfTest.Planted == 1);
        Assert.Equal(0, engine.Status.SelfTest.Found);
        Assert.False(engine.Status.SelfTest.IsAlive);
    }

    [Fact]
    public async Task A_control_that_differs_from_itself_is_noise_and_no_mismatch()
    {
        var asked = 0;
        await using var engine = await new Engine
        {
            Control = (_, _) => Task.FromResult(new Answer(Interlocked.Increment(ref asked) == 2 ? "noise" : "yes")),
            ControlOnSnapshot = Engine.Saying("yes"),
        }.StartAsync();
        await engine.CompareAsync();
        await Eventually.HoldsAsync(() => engine.Status.SelfTest.ControlAgainstControl["mismatch"] == 1);
        Assert.Equal(0, engine.Status.Comparisons["mismatch"]);
        Assert.Empty(engine.Status.Mismatches);
    }

    [Fact]
    public void What_is_planted_anywhere_is_found_there() => Gen.Select(Gen.Int, Gen.Int[0, 3]).Sample((seed, rows) =>
    {
        var answer = new Answer("text", 7, [.. Enumerable.Range(1, rows).Select(id => new Line(id, id % 2 == 0 ? null : "line", id))]);
        var (copy, path) = PlantedDifference.In(answer, new Random(seed))!.Value;
        var found = new ResultComparer<Answer>().Compare(answer, copy);
        return !found.IsSame && found.Differences.Any(difference => PlantedDifference.IsAt(difference.Pattern, path));
    });

    [Fact]
    public void What_is_planted_where_users_see_it_is_found_there_whatever_type_it_is_of()
    {
        var answer = new Rich(JsonElement.Parse("""{"a": [1, "x"]}"""), ["a", "b"], new() { ["k"] = 1.50m }) { Init = "i", Inner = new(true) };
        var planted = new HashSet<string>();
        for (var seed = 0; seed < 300; seed++)
        {
            var (copy, path) = PlantedDifference.In(answer, new Random(seed))!.Value;
            planted.Add(path);
            Assert.NotEqual(JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), JsonSerializer.Serialize(copy, JsonSerializerOptions.Web));
            Assert.Contains(
                new ResultComparer<Rich>().Compare(answer, copy).Differences, difference => PlantedDifference.IsAt(difference.Pattern, path));
        }

        Assert.Superset(new HashSet<string> { "json.a[*]", "set[*]", "byKey.k", "init", "inner.flag" }, planted);
        Assert.True(new ResultComparer<Rich>().Compare(answer, PlantedDifference.Copy(answer)!).IsSame);
    }

    [Fact]
    public void Where_json_brings_nothing_back_nothing_is_planted()
    {
        Assert.Null(PlantedDifference.In(new ValueKindTests.Opaque(7), new Random(1)));
        Assert.Null(PlantedDifference.In(new { At = System.Net.IPAddress.Loopback }, new Random(1)));
        Assert.Null(PlantedDifference.In<object?>(null, new Random(1)));
    }

    [Fact]
    public void The_original_is_left_alone() => Gen.Int.Sample(seed =>
    {
        var answer = new Answer("text", 7, [new(1, "line")]);
        PlantedDifference.In(answer, new Random(seed));
        return new ResultComparer<Answer>().Compare(new("text", 7, [new(1, "line")]), answer).IsSame;
    });

    [Fact]
    public async Task A_detector_that_sees_what_a_write_answers_and_stores_is_alive()
    {
        await using var engine = await new ShelfEngine(("SelfTestInterval", "00:00:00.1")).StartAsync();
        // One in so much time is tested, in its answer or in its rows, as it happens.
        while (engine.Status.SelfTest.ControlAgainstControl["match"] < 5)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await engine.PutAsync();
            await engine.SettledAsync();
        }

        var status = engine.Status;
        Assert.Equal((status.SelfTest.Planted, true), (status.SelfTest.Found, status.SelfTest.IsAlive));
        Assert.Equal(0, status.Comparisons["mismatch"]);
    }

    [Theory]
    [InlineData("changed", "", ".id", ".at", ".text", ".flag")]
    [InlineData("made", "", ".id", ".at", ".text", ".flag")]
    [InlineData("deleted", "")]
    public void What_is_planted_in_a_stored_row_or_in_any_column_of_it_is_found_there(string what, params string[] places)
    {
        const string row = """{"id": 1, "at": "2026-03-01T12:00:00", "text": null, "flag": false}""";
        RowImage before = what == "made" ? RowImage.Empty : new(new Dictionary<RowKey, string> { [Shelf.Row(1)] = """{"id": 1}""" });
        var written = new WrittenRows("2026-03-01T12:00:00", before, new Dictionary<RowKey, string?> { [Shelf.Row(1)] = what == "deleted" ? null : row });
        var planted = new HashSet<string>();
        for (var seed = 0; seed < 200; seed++)
        {
            var (copy, path) = PlantedDifference.In(written, new Random(seed))!.Value;
            planted.Add(path);
            Assert.Equal(path, Assert.Single(RowComparison.Compare(written, copy, ComparisonLimits.Default).Differences).Pattern);
            Assert.True(RowComparison.Compare(written, written, ComparisonLimits.Default).IsSame);
        }

        Assert.Equal(places.Select(place => "rows.shelf[*]" + place).Order(), planted.Order());
    }

    [Fact]
    public void Where_a_write_touched_no_row_nothing_is_planted_in_rows() =>
        Assert.Null(PlantedDifference.In(WrittenRows.Untouched(RowImage.Empty), new Random(1)));

    internal sealed record Rich(JsonElement Json, HashSet<string> Set, Dictionary<string, decimal> ByKey)
    {
        public string? Init { get; init; }

        public Flagged? Inner { get; init; }
    }

    internal sealed class Flagged(bool flag)
    {
        public bool Flag => flag;
    }

    /// <summary>What users get of it is no member.</summary>
    [JsonConverter(typeof(BlindConverter))]
    internal sealed class Blind(string text)
    {
        private readonly string _text = text;

        public bool IsText { get; } = true;

        internal sealed class BlindConverter : JsonConverter<Blind>
        {
            public override Blind Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
                new(reader.GetString()!);

            public override void Write(Utf8JsonWriter writer, Blind value, JsonSerializerOptions options) =>
                writer.WriteStringValue(value._text);
        }
    }
}
