using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Serving;

namespace Shadowing.Tests;

/// <summary>Movement excuses what it can explain and nothing beside it.</summary>
public sealed class MovementTests
{
    private static readonly Difference RowOne = new("lines[0].text", DifferenceKind.Value, "a", "b", 1);
    private static readonly Difference RowTwo = new("lines[1].text", DifferenceKind.Value, "a", "b", 2);
    private static readonly Difference Lost = new("lines[2]", DifferenceKind.MissingRow, new object(), null, 3);
    private static readonly Difference Won = new("lines[0]", DifferenceKind.ExtraRow, null, new object(), 4);
    private static readonly Difference Total = new("total", DifferenceKind.Value, 2, 3);

    [Fact]
    public void A_change_of_one_row_does_not_explain_another() =>
        Assert.Equal([RowTwo], ConcurrentChanges.Unexplained([RowOne, RowTwo], [RowOne]));

    [Fact]
    public void A_row_that_went_explains_what_was_in_it() =>
        Assert.Empty(ConcurrentChanges.Unexplained([RowOne], [new("lines[0]", DifferenceKind.MissingRow, new object(), null, 1)]));

    [Fact]
    public void Rows_that_came_explain_that_others_went_off_the_page() => Assert.Empty(ConcurrentChanges.Unexplained([Lost], [Won]));

    [Fact]
    public void A_value_that_changed_in_a_row_does_not_explain_that_another_row_is_missing() =>
        Assert.Equal([Lost], ConcurrentChanges.Unexplained([Lost], [RowOne]));

    [Fact]
    public void A_total_is_explained_by_a_total() => Assert.Equal([Total], ConcurrentChanges.Unexplained([Total], [RowOne]));

    [Fact]
    public void A_row_whose_version_is_old_did_not_move_though_its_neighbour_did() =>
        Assert.Equal([RowTwo], ConcurrentChanges.Unexplained([RowOne, RowTwo], ["1", "2"], new RowsMoved(true, ["1"], [])));

    [Fact]
    public void A_page_whose_rows_come_and_go_is_explained_by_any_of_them() =>
        Assert.Empty(ConcurrentChanges.Unexplained([Lost, Won], ["3", "4"], new RowsMoved(true, ["4"], [])));

    [Fact]
    public async Task A_candidate_that_is_wrong_in_one_row_while_another_moves_is_a_mismatch()
    {
        await using var engine = await new Engine(experiments: ByLine)
        {
            Control = Lines("one", "two"),
            Candidate = Lines("one", "wrong"),
            ControlOnSnapshot = Lines("moved", "two"),
            CandidateOnSnapshot = Lines("moved", "two"),
        }.StartAsync();
        await engine.Runner.RunAsync(ByLine, new Question(), TestContext.Current.CancellationToken);
        var status = await engine.SettledAsync();
        Assert.Equal([new MismatchCount("lines[*].text", "concurrency", 1)], status.Mismatches);
    }

    [Fact]
    public async Task A_transient_says_what_moved()
    {
        await using var engine = await new Engine(experiments: ByLine)
        {
            Control = Lines("one", "two"),
            Candidate = Lines("moved", "two"),
            ControlOnSnapshot = Lines("moved", "two"),
        }.StartAsync();
        await engine.Runner.RunAsync(ByLine, new Question(), TestContext.Current.CancellationToken);
        var status = await engine.SettledAsync();
        Assert.Equal(1, status.Transients["control_changed"]);
        var transient = Assert.Single(engine.Report.Transients());
        Assert.Equal(["lines[*].text"], transient.Paths);
        Assert.Equal(["1"], transient.Rows);
    }

    [Fact]
    public async Task A_difference_beside_all_rows_is_explained_by_a_row_that_was_written_and_says_which()
    {
        await using var engine = await FlickeringAsync(written: true, ["lines 7"]);
        Assert.Equal(1, (await engine.SettledAsync()).Transients["rows_changed"]);
        Assert.Equal(["lines 7"], Assert.Single(engine.Report.Transients()).Rows);
    }

    [Fact]
    public async Task A_write_that_left_no_row_to_name_does_not_excuse_and_does_not_accuse()
    {
        await using var engine = await FlickeringAsync(written: true, []);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["incomparable"]);
        Assert.Empty(engine.Report.Transients());
    }

    [Fact]
    public async Task A_difference_beside_all_rows_is_the_candidates_where_nothing_was_written()
    {
        await using var engine = await FlickeringAsync(written: false, []);
        Assert.Equal([new MismatchCount("text", "concurrency", 1)], (await engine.SettledAsync()).Mismatches);
    }

    [Theory]
    [InlineData(true, "transient")]
    [InlineData(false, "mismatch")]
    public async Task Rows_of_a_page_that_did_not_move_may_have_been_pushed_by_one_that_it_does_not_show(bool showsPart, string outcome)
    {
        var experiment = showsPart ? ByPage : ByLine;
        await using var engine = await new Engine(experiments: experiment)
        {
            Control = Lines("one"),
            Candidate = Lines("one", "pushed in"),
            CandidateOnSnapshot = Lines("one"),
            UnmovedKeys = ["2"],
            Moved = true,
        }.StartAsync();
        await engine.Runner.RunAsync(experiment, new Question(), TestContext.Current.CancellationToken);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons[outcome]);
    }

    [Fact]
    public async Task A_difference_beside_all_rows_does_not_hide_one_in_a_row_that_did_not_move()
    {
        await using var engine = await new Engine(experiments: ByLine)
        {
            Control = Lines("one", "two"),
            Candidate = (_, _) => Task.FromResult(new Answer("no", Lines: [new Line(1, "one"), new Line(2, "wrong")])),
            CandidateOnSnapshot = Lines("one", "two"),
            UnmovedKeys = ["2"],
            Moved = true,
        }.StartAsync();
        await engine.Runner.RunAsync(ByLine, new Question(), TestContext.Current.CancellationToken);
        Assert.Equal([new MismatchCount("lines[*].text", "concurrency", 1)], (await engine.SettledAsync()).Mismatches);
    }

    private static async Task<Engine> FlickeringAsync(bool written, IReadOnlyList<string> rows)
    {
        var engine = await new Engine(experiments: ByLine)
        {
            Control = Lines("one"),
            Candidate = (_, _) => Task.FromResult(new Answer("no", Lines: [new Line(1, "one")])),
            CandidateOnSnapshot = Lines("one"),
            Moved = written,
            MovedRows = rows,
        }.StartAsync();
        await engine.Runner.RunAsync(ByLine, new Question(), TestContext.Current.CancellationToken);
        return engine;
    }

    private static Experiment<Oracle, Question, Answer> ByLine { get; } = Named(showsPart: false);

    private static Experiment<Oracle, Question, Answer> ByPage { get; } = Named(showsPart: true);

    private static Experiment<Oracle, Question, Answer> Named(bool showsPart) =>
        new("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
        {
            ShowsPart = showsPart,
            Rules = new ComparisonRules().Rows<Answer, Line, int>(answer => answer.Lines, line => line.Id),
            Touches = static (_, differences) =>
                differences.All(difference => difference.RowKey is int) ? [.. differences.Select(difference => $"{difference.RowKey}")] : null,
        };

    private static Func<Question, CancellationToken, Task<Answer>> Lines(params string[] texts) =>
        (_, _) => Task.FromResult(new Answer("yes", Lines: [.. texts.Select((text, index) => new Line(index + 1, text))]));
}
