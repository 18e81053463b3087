using CsCheck;
using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.Tests.Evidence;

/// <summary>For any evidence at all, at any stage, under either policy.</summary>
public sealed class GateProperties
{
    private static readonly Gen<Stage> Stages = Gen.Int[0, Stage.Ladder.Count - 1].Select(i => Stage.Ladder[i]);

    private static readonly Gen<GatePolicy> Policies = Gen.Bool.Select(demo => demo ? GatePolicy.Demo : GatePolicy.Default);

    /// <summary>Sizes around those that decide, so that all verdicts come up.</summary>
    private static readonly Gen<long> Cases = Gen.OneOf(Gen.Long[0, 500], Gen.Long[0, 12_000], Gen.Long[30_000, 120_000]);

    private static readonly Gen<ShapeEvidence> Shapes = Gen.Select(
        Gen.Int[0, 9], Cases, Gen.Long[0, 800], Gen.Long[0, 2], Gen.Double[0, 0.02],
        (name, live, swept, mismatches, share) => new ShapeEvidence($"s{name}")
        {
            Cases = live + swept,
            LiveCases = live,
            Mismatches = mismatches,
            Swept = swept,
            Existing = swept % 3 == 0 ? swept : null,
            TrafficShare = share,
        });

    private static readonly Gen<PairedLatency> Latencies = Gen.Int[0, 5].Select(kind => kind switch
    {
        0 => Sample.None.Latency,
        1 => Sample.Ready.Latency with { P99 = new(40, 400, 4000) },
        _ => Sample.Ready.Latency,
    });

    private static readonly Gen<OperationEvidence> Counts = Gen.Select(
        Cases, Gen.Long[0, 50_000], Gen.Long[0, 2], Gen.Long[0, 300], Shapes.Array[1, 4],
        (live, swept, mismatches, incomparable, shapes) => Sample.Ready with
        {
            Cases = live + swept,
            LiveCases = live,
            BusyHourCases = live / 8,
            Mismatches = mismatches,
            Incomparable = incomparable,
            Comparisons = live + incomparable,
            Shapes = shapes,
        });

    private static readonly Gen<OperationEvidence> Evidence = Gen.Select(
        Counts, Latencies, Gen.Double[0, 0.03], Gen.Int[0, 200], Gen.Int[0, 3], Gen.Int[1, 4], Gen.Int[0, 24],
        (counts, latency, unproven, hours, days, attempt, odd) => counts with
        {
            Latency = latency,
            UnprovenBound = unproven,
            Soak = TimeSpan.FromHours(hours),
            BusinessDays = days,
            Attempt = attempt,
            Nominated = odd != 1,
            OpenMismatches = odd == 2 ? 1 : 0,
            CriticalMismatches = odd == 3 ? 1 : 0,
            Acceptances = odd == 4 ? 1 : 0,
            SinceUncleanExit = odd == 5 ? TimeSpan.FromSeconds(10) : null,
            ExcessFailures = odd == 6 ? new(TimeSpan.FromMinutes(1), 3, 10) : null,
            Shed = odd == 7 ? -1 : 0,
        });

    private static readonly Gen<(OperationEvidence Evidence, GatePolicy Policy, Stage Stage)> Looks =
        Gen.Select(Evidence, Policies, Stages);

    [Fact]
    public void A_mismatch_never_brings_a_step_nearer() => Gen.Select(Looks, Gen.Long[1, 3], Gen.Bool).Sample((look, more, inShape) =>
    {
        var (evidence, policy, stage) = look;
        var worse = evidence with
        {
            Cases = evidence.Cases + more,
            LiveCases = evidence.LiveCases + more,
            Comparisons = evidence.Comparisons + more,
            Differing = evidence.Differing + more,
            Mismatches = evidence.Mismatches + more,
        };
        if (inShape) worse = worse.With(0, shape => Grown(shape, more, more) with { Mismatches = shape.Mismatches + more });
        Assert.True(Rank(evidence, policy, stage) >= Rank(worse, policy, stage));
    }, iter: 3000);

    [Fact]
    public void A_clean_case_never_takes_a_step_away() => Gen.Select(Looks, Gen.Long[1, 5000], Gen.Bool, Gen.Bool).Sample(
    (look, more, swept, inShape) =>
    {
        var (evidence, policy, stage) = look;
        var live = swept ? 0 : more;
        var better = evidence with
        {
            Cases = evidence.Cases + more,
            LiveCases = evidence.LiveCases + live,
            Comparisons = evidence.Comparisons + live,
        };
        if (inShape) better = better.With(0, shape => Grown(shape, more, live));
        Assert.True(Rank(evidence, policy, stage) <= Rank(better, policy, stage));
        Assert.Subset(Gate.ProvenShapes(better, policy).ToHashSet(), Gate.ProvenShapes(evidence, policy).ToHashSet());
    }, iter: 3000);

    [Fact]
    public void Nothing_compared_is_no_evidence_whatever_else_is_known() => Looks.Sample(look =>
    {
        var (evidence, policy, stage) = look;
        var none = evidence with
        {
            Cases = 0,
            LiveCases = 0,
            BusyHourCases = 0,
            Mismatches = 0,
            OpenMismatches = 0,
            CriticalMismatches = 0,
            ExcessFailures = null,
            Shed = 0,
        };
        var decision = Gate.Decide(none, policy, stage);
        Assert.Equal((GateVerdict.NoEvidence, stage), (decision.Decision, decision.Target));
    });

    [Fact]
    public void A_decision_has_reasons_that_fit_it_and_goes_where_it_says() => Looks.Sample(look =>
    {
        var (evidence, policy, stage) = look;
        var decision = Gate.Decide(evidence, policy, stage);
        Assert.NotEmpty(decision.Reasons);
        Assert.All(decision.Reasons, reason => Assert.StartsWith("list", reason.Text, StringComparison.Ordinal));
        Assert.Equal((policy.Name, policy.Version), (decision.Policy, decision.PolicyVersion));
        Assert.Equal(decision.Decision switch
        {
            GateVerdict.Advance => stage.Next,
            GateVerdict.Rollback => Stage.Shadow,
            _ => stage,
        }, decision.Target);
        Assert.Equal(decision.Decision is GateVerdict.Advance, decision.Reasons.Any(reason => reason.Code is GateReasonCode.Proven));
        if (decision.Decision is GateVerdict.Rollback) Assert.True(stage.Serves);
    });

    [Fact]
    public void Every_hold_names_what_is_missing() => Looks.Sample(look =>
    {
        var decision = Gate.Decide(look.Evidence, look.Policy, look.Stage);
        if (decision.Decision is not GateVerdict.Hold) return;
        Assert.All(decision.Reasons, reason => Assert.Matches(
            @"\d of \d|\d (s|min|h) of|not |must be|none is|at most|above \d|contradicts itself|no next stage|to be ", reason.Text));
        Assert.Contains(decision.Reasons[0].Text, decision.Sentence, StringComparison.Ordinal);
    }, iter: 2000);

    [Fact]
    public void An_advance_to_serving_rests_on_a_proof_on_nomination_and_on_nothing_open() => Looks.Sample(look =>
    {
        var decision = Gate.Decide(look.Evidence, look.Policy, look.Stage);
        if (decision is not { Decision: GateVerdict.Advance, Target.Serves: true }) return;
        Assert.True(decision.Figures!.Bound <= decision.Figures.Epsilon * (1 + 1e-9));
        Assert.True(look.Evidence is { Nominated: true, OpenMismatches: 0, CriticalMismatches: 0, ExcessFailures: null });
        Assert.NotEmpty(Gate.ServableShapes(look.Evidence, look.Policy, static shape => shape));
    }, iter: 2000);

    [Fact]
    public void The_samples_reach_every_verdict_at_serving_stages()
    {
        System.Collections.Concurrent.ConcurrentDictionary<(GateVerdict, bool), bool> seen = [];
        Looks.Sample(look => seen[(Gate.Decide(look.Evidence, look.Policy, look.Stage).Decision, look.Stage.Serves)] = true, iter: 3000);
        Assert.Contains((GateVerdict.Advance, true), seen.Keys);
        Assert.Contains((GateVerdict.Advance, false), seen.Keys);
        Assert.Contains((GateVerdict.Hold, true), seen.Keys);
        Assert.Contains((GateVerdict.Rollback, true), seen.Keys);
    }

    private static ShapeEvidence Grown(ShapeEvidence shape, long cases, long live) =>
        shape with { Cases = shape.Cases + cases, LiveCases = shape.LiveCases + live };

    /// <summary>Rollback below hold below advance.</summary>
    private static int Rank(OperationEvidence evidence, GatePolicy policy, Stage stage) =>
        Gate.Decide(evidence, policy, stage).Decision switch
        {
            GateVerdict.Rollback => 0,
            GateVerdict.Advance => 2,
            _ => 1,
        };
}
