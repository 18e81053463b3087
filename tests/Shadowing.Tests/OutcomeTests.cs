using Shadowing.Serving;

namespace Shadowing.Tests;

/// <summary>The second promise: a reported mismatch is real, and a real one is reported.</summary>
public sealed class OutcomeTests
{
    [Fact]
    public async Task Equal_answers_match() => await EndsAsync("match", new Engine());

    [Fact]
    public async Task A_difference_that_shows_again_on_one_snapshot_is_a_mismatch()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no") }.StartAsync();
        var status = await engine.CompareAsync();
        Assert.Equal(1, status.Comparisons["mismatch"]);
        Assert.Equal([new MismatchCount("text", "value", 1)], status.Mismatches);
        Assert.Equal(1, engine.SnapshotsClosed);
    }

    [Fact]
    public async Task A_difference_explained_by_the_controls_own_movement_is_transient() => await EndsAsync("transient", new Engine
    {
        Control = Engine.Saying("before"),
        Candidate = Engine.Saying("after"),
        ControlOnSnapshot = Engine.Saying("after"),
    });

    [Fact]
    public async Task A_row_that_changed_and_changed_back_is_transient() => await EndsAsync("transient", new Engine
    {
        Candidate = Engine.Saying("between"),
        CandidateOnSnapshot = Engine.Saying("yes"),
        Moved = true,
    });

    [Fact]
    public async Task A_candidate_that_differs_though_nothing_moved_is_a_mismatch_under_concurrency()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no"), CandidateOnSnapshot = Engine.Saying("yes") }.StartAsync();
        var status = await engine.CompareAsync();
        Assert.Equal(1, status.Comparisons["mismatch"]);
        Assert.Equal([new MismatchCount("text", "concurrency", 1)], status.Mismatches);
    }

    [Fact]
    public async Task A_control_that_does_not_agree_with_itself_is_no_evidence_against_the_candidate()
    {
        var asked = 0;
        await EndsAsync("incomparable", new Engine
        {
            Candidate = Engine.Saying("no"),
            ControlOnSnapshot = (_, _) => Task.FromResult(new Answer($"yes {asked++}")),
        });
    }

    [Fact]
    public async Task A_difference_that_cannot_be_confirmed_is_never_a_match() =>
        await EndsAsync("incomparable", new Engine { Candidate = Engine.Saying("no"), SnapshotIsDown = new DatabaseGoneException() });

    [Fact]
    public async Task Why_differences_cannot_be_confirmed_is_logged_once_without_what_the_failure_says()
    {
        await using var engine = await new Engine
        {
            Candidate = Engine.Saying("no"),
            SnapshotIsDown = new InvalidOperationException("alice@example.com"),
        }.StartAsync();
        for (var i = 0; i < 3; i++) await engine.CompareAsync();
        Assert.Equal(3, engine.Status.Comparisons["incomparable"]);
        var entry = Assert.Single(engine.Logs.GetSnapshot(), entry => entry.Message.Contains("could not be confirmed", StringComparison.Ordinal));
        Assert.Contains("oracle.ask could not be confirmed (System.InvalidOperationException)", entry.Message, StringComparison.Ordinal);
        Assert.Null(entry.Exception);
        Assert.DoesNotContain("alice", entry.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Confirmations_are_bounded_in_rate_and_what_is_beyond_is_incomparable()
    {
        await using var engine = await new Engine(new() { ["ConfirmationsPerSecond"] = "1" }) { Candidate = Engine.Saying("no") }.StartAsync();
        for (var i = 0; i < 20; i++) await engine.CompareAsync();
        var outcomes = engine.Status.Comparisons;
        Assert.Equal(20, outcomes["mismatch"] + outcomes["incomparable"]);
        Assert.NotEqual(0, outcomes["incomparable"]);
    }

    [Fact]
    public async Task Both_failing_alike_match() => await EndsAsync("match", new Engine
    {
        Control = Engine.Failing(new InvalidOperationException("one way")),
        Candidate = Engine.Failing(new InvalidOperationException("or another")),
    });

    [Fact]
    public async Task Failing_otherwise_is_a_mismatch() => await EndsAsync("mismatch", new Engine
    {
        Control = Engine.Failing(new InvalidOperationException()),
        Candidate = Engine.Failing(new NotSupportedException()),
    });

    [Fact]
    public async Task A_control_that_fails_alone_is_nothing_to_hold_the_candidate_against() =>
        await EndsAsync("control_error", new Engine { Control = Engine.Failing(new InvalidOperationException()) });

    [Fact]
    public async Task A_candidate_error_that_cannot_be_made_to_happen_again_is_incomparable()
    {
        var asked = 0;
        await EndsAsync("incomparable", new Engine
        {
            Candidate = (_, _) => Interlocked.Increment(ref asked) == 1 ? throw new InvalidOperationException() : Task.FromResult(new Answer("yes")),
            CandidateOnSnapshot = Engine.Saying("yes"),
        });
    }

    [Fact]
    public async Task A_candidate_that_fails_live_time_and_again_is_in_error_though_it_answers_on_the_snapshot() => await EndsAsync("candidate_error", new Engine
    {
        Candidate = Engine.Failing(new InvalidOperationException()),
        CandidateOnSnapshot = Engine.Saying("yes"),
    });

    [Fact]
    public async Task A_shadow_without_its_database_says_nothing_of_the_candidate() =>
        await EndsAsync("incomparable", new Engine { ShadowIsDown = new DatabaseGoneException() });

    [Fact]
    public async Task A_connection_lost_while_the_candidate_ran_says_nothing_of_the_candidate() =>
        await EndsAsync("incomparable", new Engine { Candidate = Engine.Failing(new DatabaseGoneException()) });

    private static async Task EndsAsync(string outcome, Engine engine)
    {
        await using var running = await engine.StartAsync();
        try
        {
            await running.AskAsync();
        }
        catch (Exception expected) when (expected is InvalidOperationException)
        {
            // The control's own failure.
        }

        var status = await running.SettledAsync();
        Assert.Equal([outcome], status.Comparisons.Where(entry => entry.Value == 1).Select(entry => entry.Key));
    }
}
