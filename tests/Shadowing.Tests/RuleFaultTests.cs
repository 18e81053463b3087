using System.Collections.Frozen;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;
using Shadowing.Comparison;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;

namespace Shadowing.Tests;

/// <summary>The application's own rules are code, and may throw: no user notices, and no mismatch is lost.</summary>
public sealed class RuleFaultTests
{
    private const string Fingerprint = "aaaaaaaaaaaa";

    /// <summary>Experiments of which one rule throws, and whether it is asked in a comparison of the shadow.</summary>
    private static readonly Dictionary<string, (Experiment<Oracle, Question, Answer> Experiment, bool IsAsked)> Broken = new()
    {
        ["Touches"] = (With(touches: (_, _) => throw new RuleException()), false),
        ["Leaks"] = (With(leaks: (_, _) => throw new RuleException()), true),
        ["Shape"] = (With(shape: _ => throw new RuleException()), true),
        ["CaseOf"] = (With(caseOf: _ => throw new RuleException()), true),
        ["UserOf"] = (With(userOf: _ => throw new RuleException()), true),
        ["SubjectOf"] = (With(subjectOf: _ => throw new RuleException()), false),
        ["CreatedOf"] = (With(createdOf: _ => throw new RuleException()), false),
        ["ShowsRows"] = (With(showsRows: _ => throw new RuleException()), true),
        ["ShapeFamily"] = (With(family: _ => throw new RuleException()), false),
        ["number near"] = (With(rules: new ComparisonRules()
            .Within<Answer, int>(answer => answer.Number, (_, _) => throw new RuleException(), "near")), true),
        ["lines key"] = (With(rules: new ComparisonRules()
            .Rows<Answer, Line, int>(answer => answer.Lines, _ => throw new RuleException())), true),
        ["lines sortedBy"] = (With(rules: Ties(sortedBy: _ => throw new RuleException())), true),
        ["lines cut"] = (With(rules: Ties(cut: _ => throw new RuleException())), true),
        ["lines fits"] = (With(rules: Ties(fits: (_, _) => throw new RuleException())), true),
    };

    public static TheoryData<string> Rules => [.. Broken.Keys];

    [Fact]
    public void Every_delegate_of_an_experiment_is_among_those_that_throw_here()
    {
        var delegates = typeof(Experiment<Oracle, Question, Answer>).GetProperties()
            .Where(property => property.PropertyType.IsAssignableTo(typeof(Delegate)));
        Assert.All(delegates, property => Assert.Contains(property.Name, Broken.Keys));
        var asked = typeof(ComparisonRules).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .SelectMany(rule => rule.GetParameters()).Where(parameter => parameter.ParameterType.IsAssignableTo(typeof(Delegate)));
        Assert.All(asked, parameter => Assert.Contains(Broken.Keys, rule => rule.EndsWith(" " + parameter.Name, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task A_rule_that_throws_leaves_the_users_answer_and_the_mismatch_as_they_are(string rule)
    {
        var (experiment, isAsked) = Broken[rule];
        await using var engine = await new Engine(experiments: experiment)
        {
            Control = (_, _) => Task.FromResult(new Answer("yes", 1, [new(1, "one", 1), new(2, "two", 2)])),
            Candidate = (_, _) => Task.FromResult(new Answer("yes", 2, [new(3, "three", 2), new(1, "one", 1)])),
        }.StartAsync();
        Assert.Equal(1, (await AskAsync(engine, experiment)).Number);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["mismatch"]);
        Assert.Equal(isAsked, engine.Report.RuleFaults.Any(fault => (fault.Rule, fault.Error) == (rule, nameof(RuleException))));
        // What the gate judges by: a case that is wrong.
        var batch = engine.Services.GetRequiredService<EvidenceLedger>().Take()!;
        Assert.Equal(1, batch.Shapes.Sum(shape => shape.Counts.Differing));
        Assert.Contains(batch.Pages, page => page.Set is CaseSet.Mismatch);
        Assert.Equal(rule == "Leaks", engine.Services.GetRequiredService<MismatchJournal>().TakeChanged().Single().Severity == "critical");
    }

    [Theory]
    [InlineData("lines key")]
    [InlineData("lines sortedBy")]
    [InlineData("lines cut")]
    [InlineData("number near")]
    public async Task A_rule_that_throws_makes_nothing_wrong_of_equal_answers(string rule)
    {
        var (experiment, _) = Broken[rule];
        await using var engine = await new Engine(experiments: experiment)
        {
            Control = (_, _) => Task.FromResult(new Answer("yes", 1, [new(1, "one", 1), new(2, "two", 2)])),
            Candidate = (_, _) => Task.FromResult(new Answer("yes", 1, [new(1, "one", 1), new(2, "two", 2)])),
        }.StartAsync();
        await AskAsync(engine, experiment);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
    }

    [Fact]
    public async Task A_shape_that_throws_is_the_one_that_is_never_proven()
    {
        var (experiment, _) = Broken["Shape"];
        await using var engine = await new Engine(experiments: experiment).StartAsync();
        await AskAsync(engine, experiment);
        await engine.SettledAsync();
        Assert.Equal(["_other"], engine.Services.GetRequiredService<EvidenceLedger>().Take()!.Shapes.Select(shape => shape.Shape));
    }

    [Theory]
    [InlineData(true, "incomparable")]
    [InlineData(false, "mismatch")]
    public async Task A_concurrent_change_explains_no_difference_whose_rows_the_experiment_failed_to_name(bool moved, string outcome)
    {
        var (experiment, _) = Broken["Touches"];
        await using var engine = await new Engine(experiments: experiment)
        {
            Candidate = Engine.Saying("between"),
            CandidateOnSnapshot = Engine.Saying("yes"),
            Moved = moved,
        }.StartAsync();
        await AskAsync(engine, experiment);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons[outcome]);
        Assert.Equal("Touches", Assert.Single(engine.Report.RuleFaults).Rule);
    }

    [Theory]
    [InlineData("UserOf", "control")]
    [InlineData("SubjectOf", "candidate")]
    public async Task A_request_whose_user_cannot_be_told_is_answered_by_the_control(string rule, string side)
    {
        var (experiment, _) = Broken[rule];
        await using var engine = await new Engine(experiments: experiment)
        {
            Control = Engine.Saying("control"),
            Candidate = Engine.Saying("candidate"),
        }.StartAsync();
        Serve(engine, experiment);
        Assert.Equal(side, (await AskAsync(engine, experiment)).Text);
        Assert.Contains(engine.Report.RuleFaults, fault => fault.Rule == rule);
    }

    [Fact]
    public void Where_a_family_cannot_be_told_no_shape_may_be_served()
    {
        var evidence = new OperationEvidence
        {
            Operation = "oracle.ask",
            Candidate = Fingerprint,
            Nominated = true,
            Cases = 1070,
            LiveCases = 1070,
            Shapes = [new("any") { Cases = 535, LiveCases = 535 }, new("broken") { Cases = 535, LiveCases = 535 }],
        };
        Assert.Equal(["any", "broken"], Gate.ServableShapes(evidence, GatePolicy.Default, shape => shape).Order());
        Assert.Empty(Gate.ServableShapes(evidence, GatePolicy.Default, shape => shape == "broken" ? null : shape));
        var (faults, broken) = (new RuleFaults(new FakeLogger<RuleFaults>()), Broken["ShapeFamily"].Experiment);
        Assert.Null(faults.Ask<string, string?>(broken, "ShapeFamily", broken.ShapeFamily, "any", null));
    }

    [Fact]
    public void Faults_are_counted_and_logged_once_for_each_experiment_and_rule_without_their_message()
    {
        var collector = new FakeLogCollector();
        var faults = new RuleFaults(new FakeLogger<RuleFaults>(collector));
        for (var time = 0; time < 3; time++)
        {
            faults.Note("oracle.ask", "Shape", new RuleException());
            faults.Note("oracle.ask", "Leaks", new RuleException());
            faults.NoteUnregistered("oracle.tell");
        }

        Assert.Equal([3, 3, 3], faults.All.Select(fault => fault.Count));
        Assert.Equal(3, collector.Count);
        Assert.DoesNotContain(collector.GetSnapshot(), log => log.Message.Contains(RuleException.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_experiment_that_is_not_registered_is_answered_by_the_control_uncompared_and_told_of()
    {
        await using var engine = await new Engine().StartAsync();
        var stranger = Engine.Named("oracle.tell");
        Assert.Equal("yes", (await AskAsync(engine, stranger)).Text);
        engine.Control = Engine.Failing(new RuleException());
        await Assert.ThrowsAsync<RuleException>(() => AskAsync(engine, stranger));
        Assert.All(engine.Opened, opened => Assert.Equal("Control Served", opened));
        Assert.Equal(0, engine.Status.Requests);
        Assert.Equal(new("oracle.tell", RuleFaults.NotRegistered, "", 2), Assert.Single(engine.Report.RuleFaults));
    }

    private static Task<Answer> AskAsync(Engine engine, Experiment<Oracle, Question, Answer> experiment) =>
        engine.Runner.RunAsync(experiment, new Question(), TestContext.Current.CancellationToken);

    private static void Serve(Engine engine, Experiment experiment)
    {
        engine.Services.GetRequiredService<EvidenceLedger>().Begin(Fingerprint);
        var evidence = new OperationEvidence { Operation = experiment.Operation, Candidate = Fingerprint };
        engine.Services.GetRequiredService<GateBoard>().Latest = new(
            DateTimeOffset.UnixEpoch, Fingerprint, GatePolicy.Default,
            [new(evidence, Gate.Decide(evidence, GatePolicy.Default, Stage.Full), FrozenSet.Create("any"), 1)]);
        engine.Confirm(new RolloutState(experiment.Operation, 1, Stage.Full, Fingerprint));
    }

    private static ComparisonRules Ties(
        Func<Line, int>? sortedBy = null, Func<Answer, ListCut>? cut = null, Func<Question, Line, bool>? fits = null) =>
        new ComparisonRules().Ties(
            (Answer answer) => answer.Lines, line => line.Id, sortedBy ?? (line => line.Rank), "ties", cut ?? (_ => new(false, true)),
            fits ?? ((_, _) => true));

    private static Experiment<Oracle, Question, Answer> With(
        Func<Question, IReadOnlyList<Difference>, IReadOnlyCollection<string>?>? touches = null,
        Func<Question, Difference, bool>? leaks = null,
        Func<Question, string>? shape = null, Func<Question, object?>? caseOf = null, Func<Question, long>? userOf = null,
        Func<Question, long?>? subjectOf = null, Func<Answer, long?>? createdOf = null, Func<string, string>? family = null,
        ComparisonRules? rules = null, Func<Answer, bool>? showsRows = null) =>
        new("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
        {
            Touches = touches ?? ((_, _) => ["1"]),
            Leaks = leaks ?? ((_, _) => false),
            Shape = shape ?? (_ => "any"),
            CaseOf = caseOf ?? (question => question),
            UserOf = userOf ?? (_ => 0),
            SubjectOf = subjectOf ?? (_ => null),
            CreatedOf = createdOf ?? (_ => null),
            ShapeFamily = family ?? (any => any),
            ShowsRows = showsRows ?? (_ => true),
            Rules = rules ?? ComparisonRules.None,
        };

    private sealed class RuleException() : Exception(Secret)
    {
        public const string Secret = "quotes a request";
    }
}
