using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Settings;
using static Shadowing.Tests.Evidence.Sample;

namespace Shadowing.Tests.Sampling;

/// <summary>Where comparisons are spent.</summary>
public sealed class CoveragePlanTests
{
    private static readonly ShadowingOptions Options = new() { TricklePercent = 5, ServingFloorPercent = 20 };

    private static readonly OperationEvidence Settled = Ready with
    {
        Cases = 60_000,
        LiveCases = 60_000,
        Shapes =
        [
            new("common") { Cases = 50_000, LiveCases = 50_000, TrafficShare = 0.9, Due = 90_000, Decided = 90_000 },
            new("usual") { Cases = 1258, LiveCases = 1258, TrafficShare = 0.09, Due = 9000, Decided = 9000 },
            new("rare") { Cases = 40, LiveCases = 40, TrafficShare = 0.01 },
            new("swept") { Cases = 5_000, LiveCases = 2, Existing = 5_000, Swept = 5_000 },
            new("wrong once") { Cases = 9_000, LiveCases = 9_000, Mismatches = 1 },
        ],
    };

    [Fact]
    public void A_proven_shape_decays_by_its_cases_down_to_a_floor()
    {
        var plan = Plan(Settled, Stage.Shadow);
        Assert.Equal(0.05, plan["common"]);
        Assert.Equal(0.5, plan["usual"]);
    }

    [Fact]
    public void While_the_candidate_serves_the_floor_is_higher() => Assert.Equal(0.2, Plan(Settled, Stage.Full)["common"]);

    [Fact]
    public void What_is_rare_or_thin_in_live_traffic_or_was_ever_wrong_is_always_compared() =>
        Assert.Equal(["common", "usual"], Plan(Settled, Stage.Shadow).Keys.Order());

    public static TheoryData<string> Lacks => ["cases", "requests", "busy hours", "latency", "statements", "triage"];

    [Theory, MemberData(nameof(Lacks))]
    public void While_the_operation_lacks_what_comparisons_bring_nothing_decays(string lack)
    {
        var lacking = lack switch
        {
            "cases" => Settled with { LiveCases = 46_588, Cases = 60_000 },
            "requests" => Settled with { Sample = Settled.Sample with { Wrong = 20 } },
            "busy hours" => Settled with { BusyHourCases = 391 },
            "latency" => Settled with { Latency = new(default, default, default) },
            "statements" => Settled with { Statements = new(0, 300) },
            _ => Settled with { OpenMismatches = 1 },
        };
        Assert.Empty(Plan(lacking, Stage.Shadow));
    }

    [Fact]
    public void What_waits_for_time_alone_decays() =>
        Assert.NotEmpty(Plan(Settled with { Soak = TimeSpan.Zero, BusinessDays = 0, Nominated = false }, Stage.Shadow));

    [Fact]
    public void Evidence_that_is_not_believed_thins_nothing() => Assert.Empty(Plan(Settled with { Shed = -1 }, Stage.Shadow));

    private static IReadOnlyDictionary<string, double> Plan(OperationEvidence evidence, Stage stage) =>
        CoveragePlan.SampleShares(evidence, GatePolicy.Default, stage, Options);
}
