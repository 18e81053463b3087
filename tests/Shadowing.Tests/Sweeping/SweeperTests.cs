using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Supervision;
using Shadowing.Sweeping;

namespace Shadowing.Tests.Sweeping;

/// <summary>A walk through both sides: what it counts, whom it waits for, and what it does again.</summary>
public sealed class SweeperTests
{
    private static readonly Experiment<Oracle, Question, Answer> Ask = new("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
    {
        Shape = static question => question.Text.Split(' ')[0],
        Touches = static (_, _) => ["1"],
    };

    private readonly List<SweepAdvance> _stored = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_that_exists_is_compared_and_kept_with_the_place_to_go_on()
    {
        await using var engine = await new Engine(experiments: Ask).StartAsync();
        await SweepAsync(engine, "even 1", "odd 2", "even 3");
        var last = _stored[^1];
        Assert.True(last.IsFinished);
        Assert.Equal("3", last.Cursor);
        Assert.Equal(3, _stored.Sum(advance => advance.Walked));
        Assert.Equal((new(2, 2, 0), new SweptShape(1, 1, 0)), (Total("even"), Total("odd")));
        Assert.Equal(3, Occupied(CaseSet.All));
        Assert.Equal(0, Occupied(CaseSet.Live));
    }

    [Fact]
    public async Task Nothing_of_it_enters_the_counts_of_live_traffic()
    {
        await using var engine = await new Engine(experiments: Ask).StartAsync();
        await SweepAsync(engine, "a", "b");
        Assert.Equal(0, engine.Status.Requests);
        Assert.Equal(0, engine.Status.Comparisons.Values.Sum());
        Assert.Null(engine.Services.GetRequiredService<EvidenceLedger>().Take());
    }

    [Fact]
    public async Task A_difference_is_explained_counts_and_takes_the_candidate_from_its_users()
    {
        await using var engine = await new Engine(experiments: Ask)
        {
            Candidate = (question, _) => Task.FromResult(new Answer(question.Text == "b" ? "no" : "yes")),
        }.StartAsync();
        var ledger = engine.Services.GetRequiredService<EvidenceLedger>();
        engine.Confirm(new RolloutState("oracle.ask", 1, Stage.Full, ledger.Fingerprint));
        await SweepAsync(engine, "a", "b", "c");
        Assert.Equal(new(1, 1, 1), Total("b"));
        Assert.Equal(1, Occupied(CaseSet.Mismatch));
        Assert.Equal("b", Assert.Single(engine.Services.GetRequiredService<MismatchJournal>().Read()).Shapes.Single());
        Assert.True(engine.Lease.StateOf("oracle.ask")!.IsHeld);
    }

    [Fact]
    public async Task What_cannot_be_decided_is_not_swept()
    {
        await using var engine = await new Engine(experiments: Ask)
        {
            ControlOnSnapshot = Engine.Failing(new InvalidOperationException()),
        }.StartAsync();
        await SweepAsync(engine, "a");
        Assert.Equal(new(1, 0, 0), Total("a"));
        Assert.Null(_stored[^1].Cases);
    }

    [Fact]
    public async Task What_a_busy_moment_left_undecided_is_tried_again()
    {
        var asked = 0;
        await using var engine = await new Engine(new() { ["ShadowTimeout"] = "00:00:00.2" }, experiments: Ask)
        {
            ControlOnSnapshot = async (_, token) =>
            {
                if (Interlocked.Increment(ref asked) == 1) await Task.Delay(Timeout.InfiniteTimeSpan, token);
                return new("yes");
            },
        }.StartAsync();
        await SweepAsync(engine, "a");
        Assert.Equal((2, new SweptShape(1, 1, 0)), (asked, Total("a")));
    }

    [Fact]
    public async Task What_the_control_never_answers_in_time_holds_up_no_other()
    {
        await using var engine = await new Engine(new() { ["ShadowTimeout"] = "00:00:00.2" }, experiments: Ask)
        {
            ControlOnSnapshot = async (question, token) =>
            {
                if (question.Text == "a") await Task.Delay(Timeout.InfiniteTimeSpan, token);
                return new("yes");
            },
        }.StartAsync();
        await SweepAsync(engine, "a", "b");
        Assert.Equal((new(1, 0, 0), new SweptShape(1, 1, 0)), (Total("a"), Total("b")));
        // One for each try, the last one's too, and one for the step after it.
        Assert.InRange(engine.SnapshotsClosed, 6, int.MaxValue);
    }

    [Fact]
    public async Task Only_the_shape_that_was_asked_for_is_compared()
    {
        await using var engine = await new Engine(experiments: Ask).StartAsync();
        await Sweeper(engine).RunAsync(Walk("a 1", "b 2", "a 3"), Order() with { Shape = "a" }, Store, Cancellation);
        Assert.Equal((3, 1), (_stored.Sum(advance => advance.Walked), _stored.SelectMany(advance => advance.Shapes.Keys).Distinct().Count()));
        Assert.Equal(new(2, 2, 0), Total("a"));
    }

    [Fact]
    public async Task A_sweep_whose_place_was_not_stored_does_the_same_again_and_no_case_counts_twice()
    {
        await using var engine = await new Engine(experiments: Ask).StartAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => Sweeper(engine).RunAsync(
            Walk("a", "b"), Order(), (_, _) => throw new TimeoutException(), Cancellation));
        await SweepAsync(engine, "a", "b");
        Assert.Equal(2, Occupied(CaseSet.All));
        Assert.Equal(new(1, 1, 0), Total("a"));
    }

    [Fact]
    public async Task It_goes_on_after_the_cursor()
    {
        await using var engine = await new Engine(experiments: Ask).StartAsync();
        await Sweeper(engine).RunAsync(Walk("a", "b", "c"), Order() with { Cursor = "2", Sequence = 7 }, Store, Cancellation);
        Assert.Equal("c", Assert.Single(_stored.SelectMany(advance => advance.Shapes.Keys)));
        Assert.Equal(8, _stored[0].Sequence);
    }

    [Fact]
    public async Task While_shadowing_is_off_it_waits()
    {
        await using var engine = await new Engine(experiments: Ask).StartAsync();
        engine.Switch.Hold(ShadowSwitch.KillFile, off: true);
        var asked = 0;
        engine.ControlOnSnapshot = (_, _) => Task.FromResult(new Answer($"{Interlocked.Increment(ref asked)}"));
        engine.CandidateOnSnapshot = (_, _) => Task.FromResult(new Answer($"{asked}"));
        var sweeping = SweepAsync(engine, "a");
        await engine.AskAsync();
        Assert.Equal(0, asked);
        engine.Switch.Hold(ShadowSwitch.KillFile, off: false);
        await sweeping;
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task A_database_that_is_away_is_waited_for()
    {
        await using var engine = await new Engine(experiments: Ask) { SnapshotIsDown = new DatabaseGoneException() }.StartAsync();
        var sweeping = SweepAsync(engine, "a");
        await engine.AskAsync("another");
        Assert.Empty(_stored);
        engine.SnapshotIsDown = null;
        await sweeping;
        Assert.Equal(new(1, 1, 0), Total("a"));
    }

    [Fact]
    public async Task A_snapshot_is_given_up_before_it_is_old()
    {
        await using var engine = await new Engine(new() { ["MaxSnapshotAge"] = "00:00:00.1" }, experiments: Ask)
        {
            ControlOnSnapshot = async (_, token) =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(60), token);
                return new("yes");
            },
        }.StartAsync();
        await SweepAsync(engine, "a", "b", "c", "d", "e");
        Assert.InRange(engine.SnapshotsClosed, 2, 5);
    }

    [Fact]
    public async Task A_sweep_that_is_told_to_stop_makes_no_further_request()
    {
        var walked = 0;
        await using var engine = await new Engine(experiments: Ask).StartAsync();
        await Sweeper(engine).RunAsync(
            new Sweep<Oracle, Question, Answer>(Ask, Endless), Order() with { Rate = 1000 }, (_, _) => Task.FromResult(false), Cancellation);
        Assert.InRange(walked, 1, 2_000);

        async IAsyncEnumerable<SweepStep<Question>> Endless(string? cursor, [EnumeratorCancellation] CancellationToken token)
        {
            for (; ; walked++)
            {
                await Task.Yield();
                yield return new(new($"q {walked}"), $"{walked}");
            }
        }
    }

    private static Sweeper<Oracle> Sweeper(Engine engine) => engine.Services.GetRequiredService<Sweeper<Oracle>>();

    private static SweepOrder Order() => new(1, "oracle.ask", null, 1000, null, 0, new Dictionary<string, int>());

    private static Sweep<Oracle, Question, Answer> Walk(params string[] questions)
    {
        return new(Ask, All);

        async IAsyncEnumerable<SweepStep<Question>> All(string? cursor, [EnumeratorCancellation] CancellationToken token)
        {
            for (var i = cursor is null ? 0 : int.Parse(cursor, null); i < questions.Length; i++)
            {
                await Task.Yield();
                yield return new(new(questions[i]), $"{i + 1}");
            }
        }
    }

    private Task SweepAsync(Engine engine, params string[] questions) => Sweeper(engine).RunAsync(Walk(questions), Order(), Store, Cancellation);

    private Task<bool> Store(SweepAdvance advance, CancellationToken token)
    {
        _stored.Add(advance);
        return Task.FromResult(true);
    }

    private SweptShape Total(string shape) => _stored.Select(advance => advance.Shapes.GetValueOrDefault(shape, new(0, 0, 0)))
        .Aggregate((left, right) => new(left.Existing + right.Existing, left.Swept + right.Swept, left.Mismatches + right.Mismatches));

    private int Occupied(CaseSet set)
    {
        var bitmap = CaseBitmap.ForOperation();
        foreach (var page in _stored.SelectMany(advance => advance.Cases?.Pages ?? []).Where(page => page.Shape is null && page.Set == set))
            bitmap.MergeStored(page.Page);
        return bitmap.Occupied;
    }
}
