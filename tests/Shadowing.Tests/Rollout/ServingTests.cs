using System.Collections.Frozen;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Supervision;

namespace Shadowing.Tests.Rollout;

/// <summary>The candidate answers users: what they may notice, and what ends it.</summary>
public sealed class ServingTests
{
    private const string Fingerprint = "aaaaaaaaaaaa";

    [Fact]
    public async Task A_serving_candidate_answers_and_the_control_runs_unseen()
    {
        await using var engine = await ServingAsync(new Engine { Candidate = Engine.Saying("yes") });
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        Assert.Equal(["Candidate Served", "Control Shadow"], engine.Opened.Order().Take(2));
        var (answers, verdicts) = await JudgedAsync(engine);
        Assert.Equal((Ask.Operation, "any", Fingerprint), (answers.Single().Operation, answers.Single().Shape, answers.Single().Fingerprint));
        Assert.Equal((answers.Single().Number, "match"), (verdicts.Single().Number, verdicts.Single().Verdict));
    }

    [Fact]
    public async Task A_serving_candidate_that_fails_is_answered_for_by_the_control()
    {
        await using var engine = await ServingAsync(new Engine { Candidate = Engine.Failing(new InvalidOperationException("candidate")) });
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["candidate_error"]);
        Assert.Empty(Journal(engine).Take().Answers);
    }

    [Fact]
    public async Task A_serving_candidate_that_is_too_slow_is_answered_for_by_the_control_and_still_compared()
    {
        using var release = new ManualResetEventSlim();
        await using var engine = await ServingAsync(new Engine(new() { ["CandidateDeadline"] = "00:00:00.010" })
        {
            // Blocks its thread, which no cancellation ends.
            Candidate = (_, _) =>
            {
                release.Wait(TestContext.Current.CancellationToken);
                return Task.FromResult(new Answer("yes"));
            },
        });
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Contains("Control Served", engine.Opened);
        release.Set();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        Assert.True(engine.Lease.StateOf(Ask.Operation)!.Stage.Serves);
    }

    [Fact]
    public async Task While_too_many_runs_are_late_the_control_answers_without_asking_the_candidate()
    {
        using var release = new ManualResetEventSlim();
        await using var engine = await ServingAsync(new Engine(new() { ["CandidateDeadline"] = "00:00:00.010", ["MaxLate"] = "1", ["ShadowTimeout"] = "00:00:30" })
        {
            Candidate = (_, _) =>
            {
                release.Wait(TestContext.Current.CancellationToken);
                return Task.FromResult(new Answer("yes"));
            },
        });
        for (var request = 0; request < 10; request++) Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.InRange(engine.Opened.Count(opened => opened == "Candidate Served"), 2, 3);
        release.Set();
        await engine.SettledAsync();
    }

    [Fact]
    public async Task The_first_confirmed_mismatch_takes_the_candidate_from_the_users()
    {
        await using var engine = await ServingAsync(new Engine { Candidate = Engine.Saying("no") });
        Assert.Equal("no", (await engine.AskAsync()).Text);
        await engine.SettledAsync();
        await Eventually.HoldsAsync(() => engine.Lease.StateOf(Ask.Operation)!.IsHeld);
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Contains("mismatch", engine.Lease.Pending.Single().Reason, StringComparison.Ordinal);
        Assert.Equal("mismatch", (await JudgedAsync(engine)).Verdicts[0].Verdict);
    }

    [Fact]
    public async Task A_mismatch_in_the_shadow_takes_it_from_the_users_too()
    {
        // Half of the users are served; one of the others finds it.
        await using var engine = await ServingAsync(new Engine { Candidate = (question, _) => Task.FromResult(new Answer(question.Text == "odd" ? "no" : "yes")) }, serves: false);
        await engine.AskAsync("odd");
        await engine.SettledAsync();
        Assert.False(engine.Lease.StateOf(Ask.Operation)!.IsHeld);
        Serve(engine, "never asked");
        await engine.AskAsync("odd");
        await engine.SettledAsync();
        await Eventually.HoldsAsync(() => engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    [Fact]
    public async Task A_mismatch_of_a_build_that_is_not_nominated_takes_nothing_from_the_one_that_is()
    {
        await using var engine = await ServingAsync(new Engine { Candidate = Engine.Saying("no") }, serves: false);
        Serve(engine, "any", nominated: "bbbbbbbbbbbb");
        await engine.AskAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["mismatch"]);
        Assert.False(engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    [Fact]
    public async Task Failures_of_the_served_candidate_that_nothing_confirms_roll_it_back_at_the_third()
    {
        await using var engine = await ServingAsync(new Engine { CandidateServed = Engine.Failing(new InvalidOperationException("only where users are")) });
        for (var request = 0; request < 3; request++)
        {
            Assert.False(engine.Lease.StateOf(Ask.Operation)!.IsHeld);
            Assert.Equal("yes", (await engine.AskAsync()).Text);
            await engine.SettledAsync();
        }

        Assert.True(engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    [Fact]
    public async Task A_database_that_goes_away_is_no_failure_of_the_candidate()
    {
        await using var engine = await ServingAsync(new Engine { CandidateServed = Engine.Failing(new DatabaseGoneException()) });
        for (var request = 0; request < 10; request++) Assert.Equal("yes", (await engine.AskAsync()).Text);
        await engine.SettledAsync();
        Assert.False(engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_had_reaches_the_user_as_it_would_from_the_control_and_is_no_failure_of_the_candidate()
    {
        await using var engine = await ServingAsync(new Engine { OpeningServed = _ => Task.FromException(new DatabaseGoneException()) });
        for (var request = 0; request < 10; request++) await Assert.ThrowsAsync<DatabaseGoneException>(() => engine.AskAsync());
        Assert.Equal(10, (await engine.SettledAsync()).Skips["unavailable"]);
        Assert.DoesNotContain("Control Served", engine.Opened);
        Assert.False(engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    [Fact]
    public async Task To_wait_for_a_connection_is_no_time_of_the_candidates()
    {
        var clock = new FakeTimeProvider();
        var connection = new TaskCompletionSource();
        await using var engine = await ServingAsync(new Engine(new() { ["CandidateDeadline"] = "00:00:00.100" }, clock) { OpeningServed = _ => connection.Task });
        var asked = engine.AskAsync();
        await Eventually.HoldsAsync(() => engine.Opened.Contains("Candidate Served"));
        clock.Advance(TimeSpan.FromSeconds(2.5));
        connection.SetResult();
        Assert.Equal("yes", (await asked).Text);
        Assert.DoesNotContain("Control Served", engine.Opened);
    }

    [Theory]
    [InlineData(1.0, true)]
    [InlineData(3.0, false)]
    public async Task A_read_that_never_ends_in_time_counts_against_the_candidate_only_where_the_control_is_faster(double controlTakes, bool rollsBack)
    {
        var clock = new FakeTimeProvider();
        await using var engine = await ServingAsync(new Engine(new() { ["CandidateDeadline"] = "00:00:00.100", ["ShadowTimeout"] = "00:00:02" }, clock)
        {
            CandidateServed = async (_, token) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, clock, token);
                return new("never");
            },
            Control = async (_, token) =>
            {
                await Task.Delay(TimeSpan.FromSeconds(controlTakes), clock, token);
                return new("yes");
            },
        });
        for (var request = 0; request < 3; request++)
        {
            var asked = engine.AskAsync();
            await Eventually.HoldsAsync(() =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(10));
                // The store goes on saying that the candidate serves; without that the lease would end.
                engine.Confirm(new RolloutState(Ask.Operation, 1, Stage.Full, Fingerprint));
                return asked.IsCompleted && engine.Status is { Queued: 0, InFlight: 0 };
            });
            Assert.Equal("yes", (await asked).Text);
        }

        Assert.Equal(rollsBack, engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    [Fact]
    public async Task A_candidate_that_cannot_even_be_built_fails_by_itself_and_is_rolled_back()
    {
        await using var engine = await ServingAsync(new Engine { CandidateCannotBeBuilt = true });
        for (var request = 0; request < 3; request++) Assert.Equal("yes", (await engine.AskAsync()).Text);
        await Eventually.HoldsAsync(() => engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    [Fact]
    public async Task Every_switch_alone_gives_users_back_to_the_control()
    {
        await using var engine = await ServingAsync(new Engine { Candidate = Engine.Saying("no") });
        engine.Switch.Hold(ShadowSwitch.KillFile, off: true);
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        engine.Switch.Hold(ShadowSwitch.KillFile, off: false);
        engine.Lease.RollBack(Ask.Operation, "by hand");
        engine.Rollout.Refresh();
        Assert.Equal("yes", (await engine.AskAsync()).Text);
    }

    [Fact]
    public async Task Evidence_that_cannot_be_read_again_proves_nothing_any_more()
    {
        var clock = new FakeTimeProvider();
        await using var engine = await ServingAsync(new Engine(clock: clock));
        for (var second = 0; second < 9; second++) Next(expected: 100);
        Next(expected: 0);

        void Next(double expected)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            engine.Confirm(new RolloutState(Ask.Operation, 1, Stage.Full, Fingerprint));
            Assert.Equal(expected, engine.Status.EffectiveServePercent);
        }
    }

    [Theory]
    [InlineData("bbbbbbbbbbbb", "any")]
    [InlineData(Fingerprint, "another shape")]
    public async Task Another_build_and_an_unproven_shape_serve_nobody(string nominated, string proven)
    {
        await using var engine = await ServingAsync(new Engine { Candidate = Engine.Saying("no") }, serves: false);
        Serve(engine, proven, nominated);
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal(proven == "any" ? 0 : 100, engine.Status.EffectiveServePercent);
    }

    [Fact]
    public async Task The_users_own_cancellation_reaches_the_user_as_it_is_and_is_no_failure_of_the_candidate()
    {
        using var gone = new CancellationTokenSource();
        await using var engine = await ServingAsync(new Engine
        {
            Candidate = async (_, token) =>
            {
                await gone.CancelAsync();
                await Task.Delay(Timeout.Infinite, token);
                return new("never");
            },
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.Runner.RunAsync(Ask, new Question(), gone.Token));
        Assert.Equal(1, (await engine.SettledAsync()).Skips["cancelled"]);
        Assert.DoesNotContain("Control Served", engine.Opened);
    }

    [Fact]
    public async Task A_control_that_cannot_be_had_in_the_shadow_says_nothing_of_a_served_candidate()
    {
        await using var engine = await ServingAsync(new Engine { ShadowIsDown = new DatabaseGoneException() });
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["incomparable"]);
        Assert.False(engine.Lease.StateOf(Ask.Operation)!.IsHeld);
    }

    private static Experiment<Oracle, Question, Answer> Ask => Engine.Ask;

    private static async Task<Engine> ServingAsync(Engine engine, bool serves = true)
    {
        await engine.StartAsync();
        engine.Services.GetRequiredService<EvidenceLedger>().Begin(Fingerprint);
        if (serves) Serve(engine, "any");
        return engine;
    }

    private static void Serve(Engine engine, string shape, string nominated = Fingerprint)
    {
        var evidence = new OperationEvidence { Operation = Ask.Operation, Candidate = Fingerprint };
        var decision = Gate.Decide(evidence, GatePolicy.Default, Stage.Full);
        engine.Services.GetRequiredService<GateBoard>().Latest = new(
            DateTimeOffset.UnixEpoch, Fingerprint, GatePolicy.Default, [new(evidence, decision, new[] { shape }.ToFrozenSet(), 1)]);
        engine.Confirm(new RolloutState(Ask.Operation, 1, Stage.Full, nominated));
    }

    /// <summary>What has been answered, once one of it has its verdict: that comes beside the count, not with it.</summary>
    private static async Task<(List<ServedAnswer> Answers, List<ServedVerdict> Verdicts)> JudgedAsync(Engine engine)
    {
        var (answers, verdicts) = (new List<ServedAnswer>(), new List<ServedVerdict>());
        await Eventually.HoldsAsync(() =>
        {
            var (newAnswers, newVerdicts) = Journal(engine).Take();
            answers.AddRange(newAnswers);
            verdicts.AddRange(newVerdicts);
            return verdicts.Count > 0;
        });
        return (answers, verdicts);
    }

    private static ServedJournal Journal(Engine engine) => engine.Services.GetRequiredService<ServedJournal>();
}
