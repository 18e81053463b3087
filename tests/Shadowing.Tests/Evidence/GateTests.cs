using Shadowing.Evidence;
using Shadowing.Model;
using static Shadowing.Tests.Evidence.Sample;

namespace Shadowing.Tests.Evidence;

public sealed class GateTests
{
    public static TheoryData<string> Stages => [.. Stage.Ladder.Select(stage => stage.Name)];

    [Fact]
    public void The_sentence_is_the_one_that_an_engineer_on_call_was_promised()
    {
        var decision = Decide(Ready with { Soak = TimeSpan.FromHours(51) }, "ramp-50");
        Assert.Equal(GateVerdict.Advance, decision.Decision);
        Assert.Equal(
            "list: 48,208 distinct cases compared on candidate abc123, 0 unexplained mismatches → we are 95 % sure, "
            + "however often you look, that fewer than 0.01 % of cases and fewer than 0.004 % of requests differ; "
            + "99.2 % of traffic is in proven shapes; 51 h clean.",
            decision.Sentence);
    }

    [Fact]
    public void Evidence_that_suffices_climbs_the_whole_ladder_and_stops_at_its_end()
    {
        var stage = Stage.Off;
        while (stage != Stage.Complete)
        {
            var decision = Gate.Decide(Ready, GatePolicy.Default, stage);
            Assert.Equal((GateVerdict.Advance, stage.Next), (decision.Decision, decision.Target));
            Assert.Equal(GateReasonCode.Proven, Assert.Single(decision.Reasons).Code);
            stage = decision.Target;
        }

        var last = Gate.Decide(Ready, GatePolicy.Default, stage);
        Assert.Equal((GateVerdict.Hold, Stage.Complete), (last.Decision, last.Target));
        Assert.Equal(GateReasonCode.LastStage, Assert.Single(last.Reasons).Code);
    }

    [Theory, MemberData(nameof(Stages))]
    public void Without_evidence_nothing_moves(string stage)
    {
        var decision = Decide(None, stage);
        Assert.Equal((GateVerdict.NoEvidence, At(stage)), (decision.Decision, decision.Target));
        Assert.Equal(GateReasonCode.NothingCompared, Assert.Single(decision.Reasons).Code);
        Assert.Equal("list: nothing compared with a result on candidate abc123; no evidence, so the control stays.", decision.Sentence);
    }

    [Fact]
    public void Comparisons_that_showed_nothing_are_no_evidence()
    {
        var decision = Decide(None with { Comparisons = 40, Incomparable = 40 }, "shadow-100");
        Assert.Equal(GateVerdict.NoEvidence, decision.Decision);
        Assert.Equal("list: 0 cases from 40 comparisons, of which 40 incomparable", decision.Reasons[0].Text);
    }

    [Theory]
    [InlineData("shadow-1", 464)]
    [InlineData("shadow-10", 4657)]
    [InlineData("shadow-100", 4657)]
    [InlineData("ramp-1", 4657)]
    [InlineData("ramp-5", 11_646)]
    [InlineData("ramp-25", 23_294)]
    [InlineData("ramp-50", 46_589)]
    [InlineData("full", 46_589)]
    public void A_stage_is_left_with_this_many_clean_cases_and_not_with_one_fewer(string stage, long cases)
    {
        var exact = Ready with { Cases = cases, LiveCases = cases, BusyHourCases = 392 };
        Assert.Equal(GateVerdict.Advance, Decide(exact, stage).Decision);
        var fewer = Decide(exact with { Cases = cases - 1, LiveCases = cases - 1, BusyHourCases = Math.Min(392, cases - 1) }, stage);
        Assert.Equal(GateVerdict.Hold, fewer.Decision);
        Assert.Contains(fewer.Reasons, reason => reason.Code is GateReasonCode.OperationUnproven);
        Assert.Equal(cases, fewer.Figures!.CasesNeeded);
    }

    [Fact]
    public void Where_more_is_needed_than_can_be_counted_the_hold_says_so()
    {
        var reason = Decide(Ready with { Mismatches = 200 }, "ramp-50").Reasons[0].Text;
        Assert.EndsWith("; only 1,048,576 can be counted", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_later_attempt_needs_more()
    {
        var evidence = Ready with { Cases = 4657, LiveCases = 4657, BusyHourCases = 400 };
        Assert.Equal(GateVerdict.Advance, Decide(evidence, "shadow-100").Decision);
        var second = Decide(evidence with { Attempt = 2 }, "shadow-100");
        Assert.Equal(GateVerdict.Hold, second.Decision);
        Assert.Equal((2, 0.05 / 6 / 2), (second.Figures!.Attempt, second.Figures.Alpha));
    }

    [Fact]
    public void A_hold_says_which_shape_lacks_how_many_cases_and_for_how_long()
    {
        var decision = Decide(Ready with { UnprovenBound = 0.013 }, "shadow-100");
        Assert.Equal(GateVerdict.Hold, decision.Decision);
        Assert.Equal(GateReasonCode.UnprovenTraffic, decision.Reasons[0].Code);
        Assert.Equal("list / staff / page 3+: 212 of 577 cases, about 6 h at this rate", decision.Reasons[1].Text);
        Assert.Equal("staff / page 3+", decision.Reasons[1].Shape);
        Assert.EndsWith($"; hold: {decision.Reasons[0].Text}, and 1 reason more.", decision.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void The_shapes_with_most_traffic_are_named_first_and_not_more_than_five()
    {
        var shapes = Enumerable.Range(1, 9).Select(i => new ShapeEvidence($"s{i}") { Cases = 10, LiveCases = 10, TrafficShare = i / 45.0 });
        var decision = Decide(Ready with { Shapes = [.. shapes], UnprovenBound = 1 }, "shadow-100");
        Assert.Equal(["s9", "s8", "s7", "s6", "s5"], decision.Reasons.Select(reason => reason.Shape).OfType<string>());
    }

    [Fact]
    public void Shapes_that_lost_their_proof_count_whatever_the_bound_remembers()
    {
        var decision = Decide(Ready.With(1, shape => shape with { Cases = 0, LiveCases = 0 }), "ramp-1");
        Assert.Equal(0.1, decision.Figures!.Unproven, 1e-9);
        Assert.Equal(GateVerdict.Hold, decision.Decision);
    }

    [Fact]
    public void Where_no_shape_is_proven_nothing_is_served()
    {
        var reason = Decide(Ready with { Shapes = [], UnprovenBound = 0 }, "shadow-100").Reasons[0];
        Assert.Equal(GateReasonCode.UnprovenTraffic, reason.Code);
    }

    [Fact]
    public void Sweeps_carry_a_thin_operation_to_five_percent_and_no_further()
    {
        var thin = Ready with { LiveCases = 300, BusyHourCases = 0, CasesPerHour = 0.8 };
        Assert.Equal(GateVerdict.Advance, Decide(thin, "shadow-100").Decision);
        Assert.Equal(GateVerdict.Advance, Decide(thin, "ramp-1").Decision);
        var capped = Decide(thin, "ramp-5");
        Assert.Equal(GateVerdict.Hold, capped.Decision);
        Assert.Equal(
            "list: live traffic has 300 of 11,646 cases, more than a year at this rate; sweeps count up to serve 5 % only",
            Assert.Single(capped.Reasons).Text);
    }

    [Fact]
    public void A_shape_is_proven_by_its_cases_or_by_all_that_exist_if_live_traffic_has_it()
    {
        var evidence = Ready with
        {
            Shapes =
            [
                new("proven") { Cases = 689, LiveCases = 1 }, new("one short") { Cases = 688, LiveCases = 688 },
                new("exhausted") { Cases = 212, LiveCases = 1, Existing = 212, Swept = 212 },
                new("nearly") { Cases = 211, LiveCases = 1, Existing = 212, Swept = 211 },
                new("exhausted with a mismatch") { Cases = 212, LiveCases = 1, Existing = 212, Swept = 212, Mismatches = 1 },
                new("only swept") { Cases = 5000, LiveCases = 0, Existing = 5000, Swept = 5000 },
                new("one mismatch") { Cases = 1113, LiveCases = 1113, Mismatches = 1 }, new("empty") { Existing = 0 },
                new("wrong whenever it was live") { Cases = 5000, LiveCases = 1, Mismatches = 1 },
            ],
        };
        Assert.Equal(["exhausted", "one mismatch", "proven"], Gate.ServableShapes(evidence, GatePolicy.Default, static shape => shape).Order());
        Assert.Equal(3, Gate.ProvenShapes(evidence with { Nominated = false }, GatePolicy.Default).Count);
        Assert.Empty(Gate.ServableShapes(evidence with { Nominated = false }, GatePolicy.Default, static shape => shape));
        Assert.Empty(Gate.ServableShapes(evidence with { Cases = -1 }, GatePolicy.Default, static shape => shape));
    }

    [Fact]
    public void Every_verdict_names_its_policy_and_a_weak_one_in_the_sentence()
    {
        var decision = Decide(Ready, "ramp-50", GatePolicy.Demo with { Version = 3 });
        Assert.Equal(("demo", 3), (decision.Policy, decision.PolicyVersion));
        Assert.EndsWith("; by policy demo, weaker than the default.", decision.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_evidence_leaves_out_is_said_beside_it()
    {
        var sentence = Decide(Ready with { Transients = 12, Shed = 3400, Acceptances = 1 }, "ramp-50").Sentence;
        const string Beside = "; 12 differences explained by concurrent changes; 1 difference accepted for now.";
        Assert.EndsWith(Beside, sentence, StringComparison.Ordinal);
        Assert.Contains("; 3 % not compared because of load; ", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void The_demo_policy_takes_a_few_minutes_of_traffic_to_full()
    {
        var evidence = Ready with
        {
            Cases = 500,
            LiveCases = 500,
            BusyHourCases = 0,
            Comparisons = 3000,
            Statements = new(0, 3000),
            Latency = None.Latency,
            UnprovenBound = 0.2,
            Soak = TimeSpan.FromMinutes(2),
            BusinessDays = 0,
            Shapes = [new("all") { Cases = 60, LiveCases = 60, TrafficShare = 1, Due = 3000, Decided = 3000 }],
        };
        Assert.All(Stage.Ladder.TakeWhile(stage => stage != Stage.Full), stage =>
            Assert.Equal(GateVerdict.Advance, Gate.Decide(evidence, GatePolicy.Demo, stage).Decision));
        Assert.Equal("list: 2 min of 3 min of usual traffic soaked", Assert.Single(Decide(evidence, "full", GatePolicy.Demo).Reasons).Text);
    }
}
