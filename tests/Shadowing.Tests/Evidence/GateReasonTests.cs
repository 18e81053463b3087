using Shadowing.Evidence;
using Shadowing.Model;
using static Shadowing.Tests.Evidence.Sample;

namespace Shadowing.Tests.Evidence;

/// <summary>Each reason, provoked by one change to evidence that would otherwise advance, in the words it is given in.</summary>
public sealed class GateReasonTests
{
    private static readonly LatencyBlocks Slow = new(40, 400, 4000);

    public static TheoryData<string, string, string> Provoked
    {
        get
        {
            TheoryData<string, string, string> rows = [];
            foreach (var ((code, stage, text), _) in Cases) rows.Add(code.ToString(), stage, text);
            return rows;
        }
    }

    private static IReadOnlyList<((GateReasonCode Code, string Stage, string Text) Key, OperationEvidence Evidence)> Cases { get; } =
    [
        ((GateReasonCode.Proven, "ramp-1", "list: 48,208 cases prove that fewer than 0.1 % differ: serve 5 % is earned"), Ready),
        ((GateReasonCode.Proven, "off", "list: shadow 1 % answers no user and needs no proof"), Ready),
        ((GateReasonCode.NothingCompared, "off", "list: 0 cases compared; shadow it, or sweep it"), None),
        ((GateReasonCode.EvidenceInvalid, "ramp-1", "list: the evidence contradicts itself: a count is negative"), Ready with { Shed = -1 }),
        ((GateReasonCode.Held, "shadow-100", "list: rolled back, and not acknowledged yet"), Ready with { IsHeld = true }),
        ((GateReasonCode.StageDwell, "ramp-1", "list: 20 min of 60 min at serve 1 %"), Ready with { InStage = TimeSpan.FromMinutes(20) }),
        ((GateReasonCode.LastStage, "complete", "list: complete; there is no next stage"), Ready),
        ((GateReasonCode.NotNominated, "shadow-100", "list: candidate abc123 is not nominated"), Ready with { Nominated = false }),
        ((GateReasonCode.OperationUnproven, "shadow-100", "list: 3,000 of 4,657 cases, about 28 h at this rate"),
            Ready with { Cases = 3000, LiveCases = 3000, BusyHourCases = 400 }),
        ((GateReasonCode.OperationUnproven, "full",
                "list: 48,208 of 86,670 cases (with 1 mismatch among them), about 27 days at this rate"),
            Ready with { Mismatches = 1 }),
        ((GateReasonCode.CappedBySweeps, "ramp-5",
                "list: live traffic has 11,645 of 11,646 cases, about 1 min at this rate; sweeps count up to serve 5 % only"),
            Ready with { LiveCases = 11_645 }),
        ((GateReasonCode.OpenMismatch, "shadow-100", "list: 1 mismatch not triaged yet"), Ready with { OpenMismatches = 1 }),
        ((GateReasonCode.OpenMismatch, "shadow-10", "list: 2 mismatches not triaged yet"), Ready with { CriticalMismatches = 2 }),
        ((GateReasonCode.Doubt, "shadow-1", "list: 2 % of recent comparisons incomparable, at most 1 % may be"),
            Ready with { Incomparable = 1201 }),
        ((GateReasonCode.RequestsUnproven, "shadow-100",
                "list: 4,656 of 4,657 requests that stand for the traffic"),
            Requests(4656)),
        ((GateReasonCode.RequestsUnproven, "ramp-50",
                "list: 118,352 of 154,894 requests that stand for the traffic (with 4 wrong answers among them)"),
            Ready with { Sample = Ready.Sample with { Wrong = 4 } }),
        ((GateReasonCode.SamplingUneven, "ramp-1",
                "list: requests of 64 to 256 ms: 12 of 1,100 requests compared, less than half the share of the rest"),
            Ready with { Sample = Ready.Sample with { Durations = [new("requests of 1 to 4 ms", 100_000, 79_000), new("requests of 64 to 256 ms", 1100, 12)] } }),
        ((GateReasonCode.SamplingUneven, "ramp-1",
                "list: shape staff / page 1: 4,000 of 11,400 requests compared, less than half the share of the rest"),
            Ready.With(1, shape => shape with { Decided = 4000 })),
        ((GateReasonCode.ShapeDoubtful, "ramp-1", "list / staff / page 1: 80 % of its recent comparisons had no result, at most 1 % may"),
            Ready.With(1, shape => shape with { RecentComparisons = 5000, RecentDoubtful = 3900 })),
        ((GateReasonCode.UnprovenTraffic, "shadow-100",
                "list: up to 2 % of traffic is in unproven shapes, at most 1 % may be; 2 of 3 shapes proven"),
            Ready with { UnprovenBound = 0.0101 }),
        ((GateReasonCode.ShapeUnproven, "shadow-100", "list / staff / page 3+: 212 of 577 cases, about 6 h at this rate"),
            Ready with { UnprovenBound = 0.0101 }),
        ((GateReasonCode.ShapeUnexercised, "ramp-1", "list / staff / page 3+: 212 of 212 swept; 0 of 1 live cases"),
            (Ready with { UnprovenBound = 0.0101 }).With(2, shape => shape with { LiveCases = 0, Existing = 212, Swept = 212 })),
        ((GateReasonCode.ShapeUnexercised, "ramp-1", "list / staff / page 1: swept; 0 of 1 live cases"),
            Ready.With(1, shape => shape with { LiveCases = 0 })),
        ((GateReasonCode.SoakHours, "ramp-50", "list: 47 h of 48 h of usual traffic soaked"),
            Ready with { Soak = TimeSpan.FromHours(47.9) }),
        ((GateReasonCode.SoakHours, "full", "list: 167 h of 168 h of usual traffic soaked"),
            Ready with { Soak = TimeSpan.FromHours(167.9) }),
        ((GateReasonCode.SoakBusinessDays, "ramp-50", "list: 1 of 2 business days soaked"), Ready with { BusinessDays = 1 }),
        ((GateReasonCode.SoakBusyHours, "full", "list: 391 of 392 cases from busy hours"), Ready with { BusyHourCases = 391 }),
        ((GateReasonCode.LatencySlow, "shadow-1", "list: p99 above 1.5 × the control's, by 40 blocks of 200 pairs"),
            Ready with { Latency = Ready.Latency with { P99 = Slow } }),
        ((GateReasonCode.LatencyUnproven, "ramp-5", "list: p50: 19 of 20 blocks of 200 pairs"),
            Ready with { Latency = Ready.Latency with { P50 = new(19, -190, 1900) } }),
        ((GateReasonCode.LatencyUnproven, "full", "list: p95 to be shown within 1.2 × the control's: 40 blocks do not yet"),
            Ready with { Latency = Ready.Latency with { P95 = new(40, 0, 4000) } }),
        ((GateReasonCode.StatementsUnproven, "ramp-5", "list: SQL commands counted in 463 of 464 requests; the candidate sent more in 0"),
            Ready with { Statements = new(0, 463) }),
        ((GateReasonCode.AcceptanceLive, "full", "list: 1 accepted difference must be fixed or declared a rule"),
            Ready with { Acceptances = 1 }),
        ((GateReasonCode.UncleanExit, "shadow-10", "list: 59 min of 60 min waited since an instance did not shut down cleanly"),
            Ready with { SinceUncleanExit = TimeSpan.FromMinutes(59) }),
        ((GateReasonCode.CriticalMismatch, "ramp-1", "list: 1 critical mismatch, none is allowed"), Ready with { CriticalMismatches = 1 }),
        ((GateReasonCode.ServedMismatch, "full", "list: 1 confirmed mismatch not triaged yet while the candidate serves"),
            Ready with { OpenMismatches = 1 }),
        ((GateReasonCode.ExcessFailures, "complete",
                "list: 3 of 662 served requests failed where the control did not, within 5 min: too many to be chance"),
            Ready with { ExcessFailures = new(TimeSpan.FromMinutes(5), 3, 662) }),
    ];

    private static OperationEvidence Requests(long decided) => Ready with
    {
        Sample = new() { Due = decided, Decided = decided },
        Shapes = [new("user / page 1") { Cases = 30_000, LiveCases = 30_000, TrafficShare = 1, Due = decided, Decided = decided }],
    };

    [Theory, MemberData(nameof(Provoked))]
    public void A_reason_says_what_is_missing(string code, string stage, string text)
    {
        var evidence = Cases.Single(entry => entry.Key.Text == text && entry.Key.Stage == stage).Evidence;
        var decision = Decide(evidence, stage);
        Assert.Contains(new(Enum.Parse<GateReasonCode>(code), text), decision.Reasons.Select(reason => reason with { Shape = null }));
        var expected = Enum.Parse<GateReasonCode>(code) switch
        {
            GateReasonCode.Proven => GateVerdict.Advance,
            GateReasonCode.NothingCompared => GateVerdict.NoEvidence,
            GateReasonCode.CriticalMismatch or GateReasonCode.ServedMismatch or GateReasonCode.ExcessFailures => GateVerdict.Rollback,
            _ => GateVerdict.Hold,
        };
        Assert.Equal(expected, decision.Decision);
    }

    [Fact]
    public void Every_reason_of_the_closed_list_has_been_provoked() =>
        // A keeper that is down and a store that cannot be read are no evidence: KeeperTests and StoreLostTests provoke these reasons.
        Assert.Equal(Enum.GetValues<GateReasonCode>().Except([GateReasonCode.KeeperDown, GateReasonCode.EvidenceUnreadable]), Cases.Select(entry => entry.Key.Code).Distinct().Order());

    [Fact]
    public void Verdicts_and_reasons_have_stable_names()
    {
        Assert.Equal(["advance", "hold", "rollback", "no_evidence"], Enum.GetValues<GateVerdict>().Select(verdict => verdict.Wire()));
        Assert.Equal("capped_by_sweeps", GateReasonCode.CappedBySweeps.Wire());
        Assert.Equal("soak_busy_hours", GateReasonCode.SoakBusyHours.Wire());
    }

    [Fact]
    public void Every_rollback_leads_to_shadowing_everything()
    {
        foreach (var stage in Stage.Ladder.Where(stage => stage.Serves))
        {
            var decision = Gate.Decide(None with { ExcessFailures = new(TimeSpan.FromMinutes(1), 3, 3) }, GatePolicy.Default, stage);
            Assert.Equal((GateVerdict.Rollback, Stage.Shadow), (decision.Decision, decision.Target));
        }
    }

    [Fact]
    public void What_took_the_candidate_back_keeps_it_back_while_the_windows_remember()
    {
        var decision = Decide(Ready with { ExcessFailures = new(TimeSpan.FromHours(24), 10, 80_680) }, "shadow-100");
        Assert.Equal((GateVerdict.Hold, GateReasonCode.ExcessFailures), (decision.Decision, Assert.Single(decision.Reasons).Code));
    }

    [Fact]
    public void What_is_wrong_takes_the_candidate_back_even_on_evidence_that_is_not_believed() =>
        Assert.Equal(GateVerdict.Rollback, Decide(Ready with { Cases = -1, OpenMismatches = 1 }, "ramp-25").Decision);

    [Fact]
    public void Acceptances_and_soak_do_not_stop_a_ramp()
    {
        var young = Ready with { Acceptances = 2, Soak = TimeSpan.Zero, BusinessDays = 0 };
        Assert.Equal(GateVerdict.Advance, Decide(young, "ramp-25").Decision);
    }

    [Fact]
    public void Below_a_quarter_of_the_traffic_latency_may_still_be_open() =>
        Assert.Equal(GateVerdict.Advance, Decide(Ready with { Latency = None.Latency, Statements = default }, "ramp-1").Decision);

    public static TheoryData<string> Invalid => [.. InvalidEvidence.Keys];

    private static Dictionary<string, OperationEvidence> InvalidEvidence { get; } = new()
    {
        ["more live than all"] = Ready with { LiveCases = Ready.Cases + 1 },
        ["more busy than live"] = Ready with { BusyHourCases = Ready.LiveCases + 1 },
        ["more incomparable than compared"] = Ready with { Incomparable = Ready.Comparisons + 1 },
        ["no attempt"] = Ready with { Attempt = 0 },
        ["no share"] = Ready with { UnprovenBound = double.NaN },
        ["no rate"] = Ready with { CasesPerHour = double.NaN },
        ["a negative share"] = Ready with { UnprovenBound = -0.1 },
        ["negative trials"] = Ready with { Statements = new(5, 4) },
        ["an exit to come"] = Ready with { SinceUncleanExit = TimeSpan.FromSeconds(-1) },
        ["a shape"] = Ready.With(0, shape => shape with { TrafficShare = double.NaN }),
        ["a shape's live cases"] = Ready.With(2, shape => shape with { LiveCases = 213 }),
    };

    [Theory, MemberData(nameof(Invalid))]
    public void Evidence_that_cannot_be_holds_wherever_it_is(string fault)
    {
        foreach (var stage in Stage.Ladder)
        {
            var decision = Gate.Decide(InvalidEvidence[fault], GatePolicy.Default, stage);
            Assert.Equal((GateVerdict.Hold, stage), (decision.Decision, decision.Target));
            Assert.Equal(GateReasonCode.EvidenceInvalid, Assert.Single(decision.Reasons).Code);
            Assert.Null(decision.Figures);
        }
    }
}
