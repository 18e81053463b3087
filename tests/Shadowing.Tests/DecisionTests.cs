using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Tests;

/// <summary>What is decided about a difference is decided on all of it: on every difference, before it is renamed, by what users would get.</summary>
public sealed class DecisionTests
{
    /// <summary>A line that another user owns is a leak, where the candidate alone has it.</summary>
    private static readonly Experiment<Oracle, Question, Answer> Owned = new("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
    {
        Rules = new ComparisonRules().Rows<Answer, Line, int>(answer => answer.Lines, line => line.Id),
        Leaks = static (_, difference) => difference is { Kind: DifferenceKind.ExtraRow, Candidate: Line { Text: "another user's" } },
        Touches = static (_, _) => ["1"],
    };

    [Theory]
    [InlineData(60)]
    [InlineData(200)]
    [InlineData(10_000)]
    public async Task A_leak_behind_any_number_of_other_differences_is_critical_and_cannot_be_accepted(int lines)
    {
        await using var engine = await LeakingAsync(lines);
        await AskAsync(engine);
        var group = Assert.Single(Journal(engine).Read());
        Assert.Equal("critical", group.Severity);
        engine.Services.GetRequiredService<Acceptances>().Replace(
            [new(group.Signature, group.Operation, "an owner", "intended", "an operator", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1))]);
        await AskAsync(engine);
        Assert.Equal((2, 0), (engine.Status.Comparisons["mismatch"], engine.Status.Comparisons["tolerated"]));
    }

    [Fact]
    public async Task Many_differences_without_a_leak_are_normal_and_can_be_accepted()
    {
        await using var engine = await LeakingAsync(200, leaks: false);
        await AskAsync(engine);
        var group = Assert.Single(Journal(engine).Read());
        Assert.Equal("normal", group.Severity);
        engine.Services.GetRequiredService<Acceptances>().Replace(
            [new(group.Signature, group.Operation, "an owner", "intended", "an operator", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1))]);
        await AskAsync(engine);
        Assert.Equal((1, 1), (engine.Status.Comparisons["mismatch"], engine.Status.Comparisons["tolerated"]));
    }

    [Fact]
    public async Task A_leak_that_is_seen_under_concurrency_only_is_critical_all_the_same()
    {
        await using var engine = await LeakingAsync(1);
        engine.CandidateOnSnapshot = engine.Control;
        await AskAsync(engine);
        var group = Assert.Single(Journal(engine).Read());
        Assert.Equal((("critical", "access_filter_lost")), (group.Severity, group.Diagnosis.Cause));
        Assert.All(group.Differences, difference => Assert.Equal("concurrency", difference.Kind));
    }

    [Fact]
    public async Task Failures_are_alike_where_users_get_the_same_whatever_has_wrapped_them()
    {
        var judge = await JudgeAsync(static failure => failure is InvalidOperationException or NotSupportedException ? "500 internal_error" : null);
        Assert.True(judge.FailAlike(new InvalidOperationException(), new NotSupportedException()));
        Assert.False(judge.FailAlike(new InvalidOperationException(), null));
        Assert.False(judge.FailAlike(new InvalidOperationException(), new ArgumentException()));
        // A candidate that is too slow is no answer of any kind.
        Assert.False(judge.FailAlike(new InvalidOperationException(), new ShadowTimeoutException(TimeSpan.FromSeconds(1))));
    }

    [Fact]
    public async Task What_users_would_get_is_left_out_where_saying_it_throws()
    {
        var judge = await JudgeAsync(static _ => throw new InvalidOperationException());
        Assert.True(judge.FailAlike(new ArgumentException(), new ArgumentException()));
        Assert.False(judge.FailAlike(new ArgumentException(), new NotSupportedException()));
    }

    [Fact]
    public async Task A_refusal_because_of_the_position_is_a_finding_and_no_candidates_error()
    {
        await using var engine = await new Engine { Candidate = Engine.Failing(new RefusedHereException()) }.StartAsync();
        for (var request = 0; request < 30; request++) await engine.CompareAsync();
        Assert.Equal((30, 0), (engine.Status.Comparisons["incomparable"], engine.Status.Skips["breaker_open"]));
        Assert.Empty(Journal(engine).Read());
        Assert.Equal("Refused in the shadow position. Run: GRANT SELECT", Assert.Single(engine.Services.GetRequiredService<Findings>().All).Text);
        // Where the control is refused alike, it is the code's own.
        engine.Control = Engine.Failing(new RefusedHereException());
        await Assert.ThrowsAsync<RefusedHereException>(() => engine.AskAsync());
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
    }

    [Fact]
    public async Task An_answer_that_the_control_gave_before_something_changed_is_stale_and_its_age_is_told()
    {
        var says = "old";
        await using var engine = await new Engine
        {
            Control = (_, _) => Task.FromResult(new Answer(says)),
            Candidate = Engine.Saying("old"),
        }.StartAsync();
        await engine.CompareAsync();
        says = "new";
        await engine.CompareAsync();
        var diagnosis = Assert.Single(Journal(engine).Read()).Diagnosis;
        Assert.Equal("stale_answer", diagnosis.Cause);
        Assert.Matches("last answered to the same request [0-9.]+ s ago", diagnosis.Evidence);
        engine.Candidate = Engine.Saying("never said");
        await engine.CompareAsync();
        Assert.Equal(1, Journal(engine).Read()[0].Causes.Single(cause => cause.Key != "stale_answer").Value);
    }

    [Fact]
    public void Answers_are_remembered_for_a_time_and_in_a_bounded_number()
    {
        var clock = new FakeTimeProvider();
        var recent = new RecentAnswers(clock);
        recent.Saw(1);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(2), recent.AgeOf(1));
        clock.Advance(RecentAnswers.Longest);
        Assert.Null(recent.AgeOf(1));
        for (ulong answer = 2; answer < 30_000; answer++) recent.Saw(answer);
        Assert.Null(recent.AgeOf(2));
        Assert.Equal(TimeSpan.Zero, recent.AgeOf(29_999));
    }

    private static async Task<Engine> LeakingAsync(int lines, bool leaks = true)
    {
        Line[] own = [.. Enumerable.Range(1, lines).Select(id => new Line(id, "own"))];
        return await new Engine(new() { ["SelfTestInterval"] = "01:00:00" }, experiments: Owned)
        {
            Control = (_, _) => Task.FromResult(new Answer("yes", 0, own)),
            Candidate = (_, _) => Task.FromResult(new Answer("yes", 0,
                [
                    .. own.Select(line => lines == 1 ? line : line with { Text = "other", Rank = 7 }),
                    .. leaks ? [new Line(0, "another user's")] : Array.Empty<Line>(),
                ])),
        }.StartAsync();
    }

    private static async Task AskAsync(Engine engine)
    {
        await engine.Runner.RunAsync(Owned, new Question(), TestContext.Current.CancellationToken);
        await engine.SettledAsync();
    }

    private static async Task<PairJudge> JudgeAsync(DescribeFailure describe)
    {
        await using var engine = new Engine();
        return new(
            static error => new(error.GetType().Name, false), engine.Services.GetRequiredService<RuleFaults>(),
            engine.Services.GetRequiredService<SettingsInForce>(), describe);
    }

    private static MismatchJournal Journal(Engine engine) => engine.Services.GetRequiredService<MismatchJournal>();
}
