namespace Shadowing.Tests;

/// <summary>The first promise: the user never notices the shadow.</summary>
public sealed class ServedPositionTests
{
    [Fact]
    public async Task The_caller_gets_the_controls_answer_whatever_the_candidate_says()
    {
        await using var engine = await new Engine { Control = Engine.Saying("yes"), Candidate = Engine.Saying("no") }.StartAsync();
        Assert.Equal("yes", (await engine.AskAsync()).Text);
    }

    [Fact]
    public async Task A_failing_candidate_never_changes_what_the_caller_gets()
    {
        await using var engine = await new Engine { Candidate = Engine.Failing(new InvalidOperationException("candidate")) }.StartAsync();
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["candidate_error"]);
    }

    [Fact]
    public async Task The_controls_exception_reaches_the_caller_as_it_was_thrown_stack_included()
    {
        var thrown = new InvalidOperationException("control");
        await using var engine = await new Engine { Control = (_, _) => ThrowDeepInsideAsync(thrown) }.StartAsync();
        var caught = await Assert.ThrowsAsync<InvalidOperationException>(() => engine.AskAsync());
        Assert.Same(thrown, caught);
        Assert.Contains(nameof(ThrowDeepInsideAsync), caught.StackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_candidate_that_hangs_and_ignores_cancellation_holds_up_neither_the_caller_nor_the_lane()
    {
        using var never = new ManualResetEventSlim();
        await using var engine = new Engine(new() { ["ShadowTimeout"] = "00:00:00.030", ["CancelGrace"] = "00:00:00.010" });
        engine.Candidate = (question, _) =>
        {
            if (question.Text == "hang") never.Wait(TestContext.Current.CancellationToken);
            return Task.FromResult(new Answer("yes"));
        };
        await engine.StartAsync();
        Assert.Equal("yes", (await engine.AskAsync("hang")).Text);
        await engine.SettledAsync();
        await engine.AskAsync("next");
        var status = await engine.SettledAsync();
        never.Set();
        Assert.Equal(1, status.Comparisons["candidate_timeout"]);
        Assert.Equal(2, status.Requests);
        Assert.Equal(1, status.Comparisons["match"] + status.Skips["breaker_open"]);
    }

    [Fact]
    public async Task A_candidate_that_blocks_its_thread_from_the_first_line_does_not_delay_the_caller()
    {
        using var release = new ManualResetEventSlim();
        await using var engine = await new Engine
        {
            Candidate = (_, _) =>
            {
                release.Wait(TestContext.Current.CancellationToken);
                return Task.FromResult(new Answer("yes"));
            },
        }.StartAsync();
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        release.Set();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
    }

    [Fact]
    public async Task A_full_lane_is_shed_and_counted_and_never_waited_for()
    {
        await using var engine = new Engine(new() { ["QueueCapacity"] = "2" });
        for (var i = 0; i < 5; i++) Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal((5, 2, 3), (engine.Status.Requests, engine.Status.Queued, engine.Status.Skips["queue_full"]));
    }

    [Fact]
    public async Task Nothing_ambient_of_the_caller_leaks_into_the_shadow()
    {
        var ambient = new AsyncLocal<string?>();
        string? seen = "unset";
        await using var engine = await new Engine
        {
            Candidate = (_, _) =>
            {
                seen = ambient.Value;
                return Task.FromResult(new Answer("yes"));
            },
        }.StartAsync();
        ambient.Value = "the caller's";
        await engine.CompareAsync();
        Assert.Null(seen);
    }

    [Fact]
    public async Task The_candidate_is_never_run_on_the_served_position()
    {
        await using var engine = await new Engine().StartAsync();
        await engine.CompareAsync();
        Assert.Equal(["Control Served"], engine.Opened.Where(opened => opened.EndsWith("Served", StringComparison.Ordinal)));
        Assert.Contains("Candidate Shadow", engine.Opened);
    }

    private static Task<Answer> ThrowDeepInsideAsync(Exception error) => throw error;
}
