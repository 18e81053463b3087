using CsCheck;
using ShadowTicketing.Shadowing.Comparison;
using ShadowTicketing.Shadowing.SelfTesting;

namespace ShadowTicketing.Shadowing.Tests.SelfTesting;

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
            return new Blind { Text = "anything" };
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
        var (copy, path) = PlantedDifference.In(answer, ComparisonRules.None, new Random(seed))!.Value;
        var found = new ResultComparer<Answer>().Compare(answer, copy);
        return !found.IsSame && found.Differences.Any(difference => path.StartsWith(difference.Pattern, StringComparison.Ordinal));
    });

    [Fact]
    public void The_original_is_left_alone() => Gen.Int.Sample(seed =>
    {
        var answer = new Answer("text", 7, [new(1, "line")]);
        PlantedDifference.In(answer, ComparisonRules.None, new Random(seed));
        return new ResultComparer<Answer>().Compare(new("text", 7, [new(1, "line")]), answer).IsSame;
    });

    /// <summary>Whatever is in it, it shows the same.</summary>
    private sealed record Blind
    {
        public string? Text { get => field is null ? null : "always"; init; }
    }
}
