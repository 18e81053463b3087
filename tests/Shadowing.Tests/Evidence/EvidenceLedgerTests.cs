using Microsoft.Extensions.DependencyInjection;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.Tests.Evidence;

/// <summary>What is counted as evidence, and how it is handed out to be stored.</summary>
public sealed class EvidenceLedgerTests
{
    [Fact]
    public async Task An_unchanged_read_proves_nothing_the_second_time()
    {
        await using var engine = await new Engine().StartAsync();
        for (var i = 0; i < 5; i++) await engine.CompareAsync();
        var batch = Ledger(engine).Take()!;
        Assert.Equal(new(Requests: 5, Comparisons: 5, StatementTrials: 5, Due: 5, Decided: 5, WithRows: 5), batch.Shapes.Single().Counts);
        Assert.Equal(1, Occupied(batch, CaseSet.All));
    }

    [Fact]
    public async Task A_changed_answer_is_a_new_case_and_so_is_another_question()
    {
        var say = "one";
        await using var engine = await new Engine { Control = (_, _) => Task.FromResult(new Answer(say)), Candidate = (_, _) => Task.FromResult(new Answer(say)) }.StartAsync();
        await engine.CompareAsync();
        say = "two";
        await engine.CompareAsync();
        await engine.AskAsync("another");
        await engine.SettledAsync();
        Assert.Equal(3, Occupied(Ledger(engine).Take()!, CaseSet.Live));
    }

    [Fact]
    public async Task A_mismatch_counts_once_a_case_and_is_urgent()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no") }.StartAsync();
        await engine.CompareAsync();
        await engine.CompareAsync();
        await Ledger(engine).WaitForUrgentAsync(Timeout.InfiniteTimeSpan, TestContext.Current.CancellationToken);
        var batch = Ledger(engine).Take()!;
        Assert.Equal(2, batch.Shapes.Single().Counts.Differing);
        Assert.Equal(1, Occupied(batch, CaseSet.Mismatch));
    }

    [Fact]
    public async Task What_cannot_be_decided_is_doubt_and_no_case()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no"), SnapshotIsDown = new DatabaseGoneException() }.StartAsync();
        await engine.CompareAsync();
        var batch = Ledger(engine).Take()!;
        Assert.Equal(1, batch.Shapes.Single().Counts.Incomparable);
        Assert.Empty(batch.Pages);
    }

    [Fact]
    public async Task What_movement_explains_is_the_case_of_the_snapshot()
    {
        await using var moved = await new Engine
        {
            Control = Engine.Saying("before"),
            Candidate = Engine.Saying("after"),
            ControlOnSnapshot = Engine.Saying("after"),
        }.StartAsync();
        await moved.CompareAsync();
        var page = Ledger(moved).Take()!.Pages.First(page => page.Shape is null && page.Set == CaseSet.All);

        await using var settled = await new Engine { Control = Engine.Saying("after"), Candidate = Engine.Saying("after") }.StartAsync();
        await settled.CompareAsync();
        var same = Ledger(settled).Take()!.Pages.First(page => page.Shape is null && page.Set == CaseSet.All);
        Assert.Equal(same.Page.Number, page.Page.Number);
        Assert.Equal(same.Page.Bytes.ToArray(), page.Page.Bytes.ToArray());
    }

    [Fact]
    public async Task Pairs_are_timed_in_the_lane_and_are_no_comparisons()
    {
        await using var engine = await new Engine(new() { ["LatencyPairPercent"] = "100", ["SelfTestInterval"] = "01:00:00", ["LatencyBlockTime"] = "00:00:00" }).StartAsync();
        for (var i = 0; i < 4; i++) await engine.CompareAsync();
        await Eventually.HoldsAsync(() => engine.Opened.Count(opened => opened.EndsWith("Shadow", StringComparison.Ordinal)) == 4 + 8 + 1);
        var runs = engine.Opened.Where(opened => opened.EndsWith("Shadow", StringComparison.Ordinal)).ToArray();
        Assert.Equal(4 + 1, runs.Count(run => run.StartsWith("Control", StringComparison.Ordinal)));
        Assert.Equal(4, engine.Status.Comparisons.Values.Sum());
    }

    [Fact]
    public void The_first_period_sets_the_thresholds_and_the_next_blocks_are_held_against_them()
    {
        var pairs = new LatencyPairs();
        for (var i = 0; i < LatencyBlocks.Pairs; i++) pairs.Add(new(0.001 * (1 + (i % 10)), 0.001));
        Assert.Equal(0, pairs.Take().Blocks.P50.Count);
        for (var i = 0; i < LatencyBlocks.Pairs; i++) pairs.Add(new(0.001 * (1 + (i % 10)), 1));
        var taken = pairs.Take().Blocks;
        Assert.Equal(1, taken.P50.Count);
        Assert.True(taken.P50.Sum > 0 && taken.P99.Sum > 0, $"{taken}");
        Assert.True(pairs.Take().IsEmpty);
    }

    [Fact]
    public async Task A_batch_that_was_not_stored_comes_again_as_it_was_and_what_is_new_comes_after()
    {
        await using var engine = await new Engine().StartAsync();
        await engine.CompareAsync();
        var first = Ledger(engine).Take()!;
        await engine.AskAsync("another");
        await engine.SettledAsync();
        Assert.Same(first, Ledger(engine).Take());
        Ledger(engine).Stored(first);
        var second = Ledger(engine).Take()!;
        Assert.Equal((1L, 2L), (first.Sequence, second.Sequence));
        Assert.Equal(1, second.Shapes.Single().Counts.Comparisons);
        Ledger(engine).Stored(second);
        Assert.Null(Ledger(engine).Take());
    }

    [Fact]
    public async Task Another_fingerprint_begins_with_nothing_and_says_what_was_lost()
    {
        await using var engine = await new Engine().StartAsync();
        await engine.CompareAsync();
        Assert.True(Ledger(engine).Begin("another") > 0);
        Assert.Null(Ledger(engine).Take());
        await engine.CompareAsync();
        Assert.Equal("another", Ledger(engine).Take()!.Fingerprint);
    }

    [Fact]
    public async Task Requests_that_come_while_nothing_may_be_compared_are_no_traffic_under_watch()
    {
        await using var engine = await new Engine().StartAsync();
        // Switched off, in the stage off, and with nothing sampled: else an operation would soak for its week unseen.
        engine.Switch.Hold(ShadowSwitch.KillFile, off: true);
        await engine.AskAsync();
        engine.Switch.Hold(ShadowSwitch.KillFile, off: false);
        engine.Confirm(new RolloutState("oracle.ask", 1, Stage.Off));
        await engine.AskAsync();
        Assert.Null(Ledger(engine).Take());
        Assert.Equal((2L, 2L), (engine.Status.Requests, engine.Status.Skips["off"]));

        engine.Confirm(new RolloutState("oracle.ask", 2, Stage.Shadow));
        await engine.CompareAsync();
        Assert.Equal(1, Ledger(engine).Take()!.Shapes.Single().Counts.Requests);
    }

    [Fact]
    public async Task Requests_of_shapes_that_are_not_proven_count_as_unproven_when_they_arrive()
    {
        await using var engine = await new Engine().StartAsync();
        await engine.CompareAsync();
        Ledger(engine).MarkProven("oracle.ask", new HashSet<string> { "any" }, 3);
        await engine.CompareAsync();
        var whole = Ledger(engine).Take()!.Operations.Single();
        Assert.Equal((3, new EpochCount(1, 2)), (whole.UnprovenEpoch, whole.Unproven));
    }

    [Fact]
    public async Task However_many_shapes_come_memory_is_bounded_and_the_rest_is_never_proven()
    {
        var number = 0;
        var many = new Experiment<Oracle, Question, Answer>("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
        {
            Shape = _ => $"shape {Interlocked.Increment(ref number)}",
        };
        await using var engine = await new Engine(experiments: many).StartAsync();
        for (var i = 0; i < 300; i++) await engine.Runner.RunAsync(many, new Question(), TestContext.Current.CancellationToken);
        await engine.SettledAsync();
        var shapes = Ledger(engine).Take()!.Shapes;
        Assert.Equal(200, shapes.Count);
        Assert.Equal(101, shapes.Single(shape => shape.Shape == "_other").Counts.Requests);
        Ledger(engine).MarkProven("oracle.ask", new HashSet<string> { "_other" }, 1);
        await engine.Runner.RunAsync(many, new Question(), TestContext.Current.CancellationToken);
        Assert.Equal(1, Ledger(engine).OperationOf("oracle.ask").Take().Whole.Unproven.Unproven);
    }

    [Fact]
    public void What_was_under_way_when_a_shape_began_anew_counts_in_no_new_epoch()
    {
        using var ledger = new EvidenceLedger();
        var before = ledger.OperationOf("oracle.ask").SlotOf("any");
        ledger.MarkProven("oracle.ask", new HashSet<string> { "any" }, 1);
        Assert.Equal(2, ledger.Restart("oracle.ask", new Dictionary<string, int> { [""] = 1, ["any"] = 1 }));
        Assert.Equal(0, ledger.Restart("oracle.ask", new Dictionary<string, int> { [""] = 1, ["any"] = 1 }));
        ledger.Compared(before, new(1, Outcome.Tolerated));
        Assert.Null(ledger.Take());

        ledger.Compared(ledger.OperationOf("oracle.ask").SlotOf("any"), new(2, Outcome.Match));
        var batch = ledger.Take()!;
        Assert.Equal(1, batch.Shapes.Single().Epoch);
        Assert.All(batch.Pages, page => Assert.Equal(1, page.Epoch));
        Assert.Equal(1, Occupied(batch, CaseSet.All));
        Assert.False(ledger.OperationOf("oracle.ask").ShapeOf("any").IsProven);
    }

    [Fact]
    public void Batches_carry_what_the_run_has_stored_so_far()
    {
        using var ledger = new EvidenceLedger();
        Arrive();
        var first = ledger.Take()!;
        Arrive();
        Assert.Same(first, ledger.Take());
        ledger.Stored(first);
        var second = ledger.Take()!;
        Assert.Equal((1, 2), (first.Totals.Requests, second.Totals.Requests));

        void Arrive() => ledger.OperationOf("oracle.ask").Arrived(ledger.OperationOf("oracle.ask").ShapeOf("any"));
    }

    [Fact]
    public async Task A_shape_that_fails_to_be_named_does_not_fail_the_request()
    {
        var broken = new Experiment<Oracle, Question, Answer>("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
        {
            Shape = static _ => throw new InvalidOperationException(),
        };
        await using var engine = await new Engine(experiments: broken).StartAsync();
        Assert.Equal("yes", (await engine.Runner.RunAsync(broken, new Question(), TestContext.Current.CancellationToken)).Text);
        await engine.SettledAsync();
        Assert.Equal("_other", Ledger(engine).Take()!.Shapes.Single().Shape);
    }

    private static EvidenceLedger Ledger(Engine engine) => engine.Services.GetRequiredService<EvidenceLedger>();

    private static int Occupied(EvidenceBatch batch, CaseSet set)
    {
        var bitmap = CaseBitmap.ForOperation();
        foreach (var page in batch.Pages.Where(page => page.Shape is null && page.Set == set)) bitmap.MergeStored(page.Page);
        return bitmap.Occupied;
    }
}
