using Shadowing.Comparison;
using Shadowing.Evidence;
using static Shadowing.Tests.Evidence.Sample;

namespace Shadowing.Tests.Evidence;

/// <summary>Whose requests, and which, the evidence is about.</summary>
public sealed class SampleTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("text", true)]
    [InlineData(0, false)]
    [InlineData(7, true)]
    [InlineData(false, false)]
    public void A_value_is_a_row_where_it_is_not_the_default(object? answer, bool isRow) => Assert.Equal(isRow, AnswerRows.Any(answer));

    [Fact]
    public void A_page_has_rows_where_its_list_has_and_a_row_is_one_whatever_its_lists_hold()
    {
        Assert.False(AnswerRows.Any(new Page([], Total: 0, Number: 7)));
        Assert.True(AnswerRows.Any(new Page([new(1, [])], Total: 1, Number: 1)));
        Assert.True(AnswerRows.Any(new Row(1, [])));
        Assert.False(AnswerRows.Any(Array.Empty<Row>()));
        Assert.False(AnswerRows.Any(new Totals("today", 0, 0)));
        Assert.True(AnswerRows.Any(new Totals("today", 0, 2)));
        Assert.False(AnswerRows.Any(new Found(DayOfWeek.Friday, null)));
        Assert.True(AnswerRows.Any(new Found(DayOfWeek.Friday, new(1, []))));
    }

    [Fact]
    public void One_user_cannot_buy_evidence()
    {
        // 4,175 of 4,184 cases are of one user; the rest are of nine others.
        long[] buckets = [.. Enumerable.Repeat(1L, 9), 4175, .. new long[54]];
        var users = UserSpread.Over(buckets);
        Assert.Equal(10, users.Least);
        Assert.Equal(9, users.Bounded(4184, 0.05));
        var bought = Ready with { Cases = 4184, LiveCases = 4184, BusyHourCases = 0, CaseUsers = users };
        var decision = Decide(bought, "shadow-100");
        Assert.Equal((GateVerdict.Hold, 9), (decision.Decision, decision.Figures!.Cases));
        Assert.Equal(
            "list: 9 of 4,657 cases, about 3 days at this rate; 100 % of the cases are of one user, of which at most 5 % count",
            decision.Reasons[0].Text);
    }

    [Fact]
    public void A_single_user_shows_nothing_for_others_and_the_gate_says_so_on_the_first_day()
    {
        var decision = Decide(Ready with { CaseUsers = new(1, 1) }, "shadow-1");
        Assert.Equal(0, decision.Figures!.Cases);
        Assert.EndsWith("with a single user nothing is shown for others", decision.Reasons[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Three_users_of_equal_share_lose_a_third_and_no_more() =>
        Assert.Equal(701, new UserSpread(1 / 3d, 3).Bounded(1000, 0.05));

    [Fact]
    public void More_cases_of_any_user_never_prove_less()
    {
        var random = new Random(5);
        for (var round = 0; round < 2000; round++)
        {
            long[] buckets = [.. Enumerable.Range(0, 64).Select(_ => (long)random.Next(0, 40))];
            var before = Bounded(buckets);
            buckets[random.Next(64)] += random.Next(1, 500);
            Assert.True(Bounded(buckets) >= before - 1);
        }

        static long Bounded(long[] buckets) => UserSpread.Over(buckets).Bounded(buckets.Sum(), 0.05);
    }

    [Fact]
    public void A_shape_of_half_the_requests_and_one_case_in_a_hundred_weighs_half()
    {
        // Of its requests half a percent are wrong: of all requests a quarter of a percent, of all cases one in 20,000.
        var evidence = Ready with
        {
            Cases = 100_000,
            LiveCases = 100_000,
            Mismatches = 0,
            Sample = new() { Due = 200_000, Decided = 200_000, Wrong = 500, Tries = 200_000 },
            Shapes =
            [
                new("often") { Cases = 1000, LiveCases = 1000, TrafficShare = 0.5, Due = 100_000, Decided = 100_000, Wrong = 500 },
                new("rest") { Cases = 99_000, LiveCases = 99_000, TrafficShare = 0.5, Due = 100_000, Decided = 100_000 },
            ],
        };
        Assert.Contains(Decide(evidence, "shadow-100").Reasons, reason => reason.Code is GateReasonCode.RequestsUnproven);
    }

    [Fact]
    public void A_shape_that_is_compared_more_rarely_thins_the_whole_sample()
    {
        var evidence = Ready.With(1, shape => shape with { Decided = 5700 });
        Assert.InRange(Decide(evidence, "ramp-1").Figures!.Requests, 59_000, 60_000);
    }

    [Fact]
    public void A_shape_that_only_ever_refuses_is_proven_by_requests()
    {
        var refused = new ShapeEvidence("guest") { Cases = 1, LiveCases = 1, WithRows = 0, TrafficShare = 0.2 };
        Assert.Equal(["guest"], Proven(refused with { Due = 464, Decided = 464 }));
        Assert.Empty(Proven(refused with { Due = 463, Decided = 463 }));
        Assert.Empty(Proven(refused with { Due = 464, Decided = 464, WithRows = 1 }));

        static IEnumerable<string> Proven(ShapeEvidence shape) => Gate.ProvenShapes(Ready with { Shapes = [shape] }, GatePolicy.Default);
    }

    [Fact]
    public void Doubt_of_one_shape_holds_that_shape()
    {
        // 4,900 of 5,400 without a result, among a million comparisons of the operation.
        var evidence = Ready.With(0, shape => shape with { RecentComparisons = 1_000_000 })
            .With(2, shape => shape with { Cases = 9000, LiveCases = 9000, RecentComparisons = 5400, RecentDoubtful = 4900 });
        Assert.DoesNotContain("staff / page 3+", Gate.ProvenShapes(evidence, GatePolicy.Default));
        Assert.Equal(GateVerdict.Advance, Decide(evidence, "ramp-1").Decision);
    }

    [Theory]
    [InlineData(0.003, 0, 2)]
    [InlineData(0.02, 0, 0)]
    [InlineData(0.003, 1, 0)]
    public void One_request_of_a_new_shape_takes_no_family_from_the_candidate(double share, int mismatches, int served)
    {
        var evidence = Ready with
        {
            Shapes =
            [
                new("list 1") { Cases = 9000, LiveCases = 9000, TrafficShare = 0.98 - share },
                new("list 2") { Cases = 9000, LiveCases = 9000, TrafficShare = 0.02 },
                new("list new") { Cases = 1, LiveCases = 1, TrafficShare = share, Mismatches = mismatches },
            ],
        };
        Assert.Equal(served, Gate.ServableShapes(evidence, GatePolicy.Default, static _ => "list").Count);
    }

    [Fact]
    public void A_candidate_that_fails_now_and_then_is_held_against_the_controls_own_first_tries()
    {
        var alike = Ready with { Sample = Ready.Sample with { CandidateFlakes = 357, ControlFlakes = 357 } };
        Assert.Equal(GateVerdict.Advance, Decide(alike, "shadow-100").Decision);
        var worse = Ready with { Sample = Ready.Sample with { CandidateFlakes = 238, ControlFlakes = 0 } };
        Assert.Contains(Decide(worse, "shadow-100").Reasons, reason => reason.Code is GateReasonCode.RequestsUnproven);
    }

    [Fact]
    public void A_served_candidate_may_fail_as_often_as_the_control_does_on_its_first_try()
    {
        // Three in a thousand on both sides: 30 failures of 10,000.
        Assert.True(RollbackWindows.Trips(30, 10_000));
        Assert.False(RollbackWindows.Trips(30, 10_000, new(ControlRate: RequestSample.RateAtMost(30, 10_000))));
        Assert.True(RollbackWindows.Trips(130, 10_000, new(ControlRate: RequestSample.RateAtMost(30, 10_000))));
    }

    [Fact]
    public void A_control_that_fails_always_excuses_one_failure_in_a_hundred_and_no_more() =>
        Assert.True(RollbackWindows.Trips(300, 10_000, new(ControlRate: 1)));

    [Fact]
    public void All_operations_and_their_shapes_share_one_chance_of_error()
    {
        var one = Decide(Ready, "shadow-100").Figures!.Alpha;
        Assert.Equal(0.05 / 2 / 2, one, 1e-12);
        Assert.Equal(one / 7, Decide(Ready with { Operations = 7 }, "shadow-100").Figures!.Alpha, 1e-12);
    }

    [Fact]
    public void The_hours_to_go_are_of_the_last_hours()
    {
        var (rates, now) = (new CaseRates(), new DateTimeOffset(2026, 1, 5, 0, 0, 0, TimeSpan.Zero));
        // A hundred an hour for a day, then none.
        double rate = 0;
        for (var hour = 0; hour <= 24; hour++) rate = Read(now.AddHours(hour), 100 * hour);
        Assert.Equal(100, rate, 1e-9);
        for (var hour = 25; hour <= 32; hour++) rate = Read(now.AddHours(hour), 2400);
        Assert.Equal(0, rate, 1e-9);
        Assert.Equal("never at this rate", Plain.TimeFor(10, rate));
        // It has begun anew: the mean since then, until a quarter of an hour has been seen.
        Assert.Equal(7, rates.Read("list", "", now.AddHours(33), 3, 7));

        double Read(DateTimeOffset at, long cases)
        {
            var read = rates.Read("list", "", at, cases, 7);
            rates.End();
            return read;
        }
    }

    [Fact]
    public void A_triaged_mismatch_is_outweighed_by_more_cases_and_by_no_fewer()
    {
        // 4,657 cases without a mismatch prove what 4,657 with one do not.
        var triaged = Sample.Ready with { Mismatches = 1, Triaged = 1 };
        OperationEvidence With(long cases) => triaged with { Cases = cases, LiveCases = cases, BusyHourCases = 0 };
        Assert.DoesNotContain(Sample.Decide(triaged, "ramp-5").Reasons, reason => reason.Code is GateReasonCode.OpenMismatch);
        Assert.Contains(Sample.Decide(With(4_800), "shadow-10").Reasons, reason => reason.Code is GateReasonCode.OperationUnproven);
        Assert.Equal(GateVerdict.Advance, Sample.Decide(With(4_800) with { Mismatches = 0 }, "shadow-10").Decision);
        Assert.Equal(GateVerdict.Advance, Sample.Decide(With(12_000), "shadow-10").Decision);
        // What is critical holds, triaged or not.
        Assert.Equal(GateVerdict.Rollback, Sample.Decide(triaged with { CriticalMismatches = 1 }, "ramp-5").Decision);
    }

    [Fact]
    public void A_thin_operation_times_more_of_its_comparisons_and_a_busy_one_never_fills_a_block_early()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var (thin, busy) = (new LatencyPairs(), new LatencyPairs());
        var timed = 0;
        for (var i = 0; i < 200; i++, clock.Advance(TimeSpan.FromMinutes(72)))
        {
            if (thin.IsDue(0.05, TimeSpan.FromMinutes(2), drawn: 0.99, clock)) timed++;
        }

        // The first is at a rate of sixty an hour that is not known yet.
        Assert.InRange(timed, 190, 200);
        timed = 0;
        for (var i = 0; i < 12_000; i++, clock.Advance(TimeSpan.FromMilliseconds(10)))
        {
            if (busy.IsDue(1, TimeSpan.FromMinutes(2), drawn: 0, clock)) timed++;
        }

        Assert.InRange(timed, 195, 201);
    }

    private sealed record Row(int Id, IReadOnlyList<string> Notes);

    private sealed record Page(IReadOnlyList<Row> Items, int Total, int Number);

    private sealed record Found(DayOfWeek Access, Row? Row);

    private sealed record Totals(string Of, int Open, int Closed);
}
