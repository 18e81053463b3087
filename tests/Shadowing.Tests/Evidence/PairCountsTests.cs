using Microsoft.Extensions.Time.Testing;
using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

/// <summary>Operations that are too thin for blocks, and blocks that are not full yet.</summary>
public sealed class PairCountsTests
{
    private static readonly OperationEvidence Thin = Sample.Ready with
    {
        Latency = new(default, default, default),
        Pairs = new(new(140, 12, 10), TimeSpan.FromDays(7), BusiestDay: 20),
    };

    [Fact]
    public void Twenty_requests_a_day_end_with_a_bound_that_is_as_wide_as_it_is()
    {
        var decision = Sample.Decide(Thin, "ramp-5");
        Assert.Equal(GateVerdict.Advance, decision.Decision);
        var most = ParityBound.Upper(12, 140, GatePolicy.Default.Alpha);
        Assert.InRange(most, 0.1, 0.2);
        Assert.Contains(
            "too few requests to prove latency: by 140 timed pairs the candidate takes over 1.5 × as long for fewer than 20 % of requests",
            decision.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(140, 6.9, 20)]
    [InlineData(29, 30, 20)]
    // So many requests fill the blocks in four weeks.
    [InlineData(140, 30, 150)]
    public void With_fewer_pairs_or_days_or_more_requests_it_is_not_passed(int pairs, double days, int busiestDay)
    {
        var evidence = Thin with { Pairs = new(new(pairs, 0, 0), TimeSpan.FromDays(days), busiestDay) };
        var decision = Sample.Decide(evidence, "ramp-5");
        Assert.Contains(decision.Reasons, reason => reason.Code is GateReasonCode.LatencyUnproven);
        Assert.DoesNotContain("too few requests to prove latency", decision.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Pairs_that_show_the_candidate_to_be_slower_hold_a_thin_operation()
    {
        var slow = Sample.Decide(Thin with { Pairs = Thin.Pairs with { Counts = new(140, 40, 2) } }, "ramp-5");
        Assert.Contains(slow.Reasons, reason => reason.Code is GateReasonCode.LatencySlow
            && reason.Text == "list: of 140 pairs 40 in which the candidate took over 1.5 × as long, 2 the control");
        // As often as the control, or where blocks decide: no alarm.
        Assert.False((Thin.Pairs with { Counts = new(140, 40, 40) }).IsSlow);
        Assert.False((Thin.Pairs with { Counts = new(140, 2, 40) }).IsSlow);
        Assert.False((Thin.Pairs with { Counts = new(140, 40, 2), BusiestDay = 10_000 }).IsSlow);
    }

    [Fact]
    public void An_equal_candidate_raises_an_alarm_in_at_most_one_of_a_thousand_operations()
    {
        var alarms = 0;
        for (var seed = 0; seed < 2_000; seed++)
        {
            var (random, counts) = (new Random(seed), default(PairCounts));
            var hasAlarm = false;
            for (var pair = 0; pair < 300; pair++)
            {
                // Either side is as often three times as slow.
                var (control, candidate) = (random.NextDouble() < 0.3 ? 3.0 : 1, random.NextDouble() < 0.3 ? 3.0 : 1);
                counts += PairCounts.One(new(control, candidate));
                hasAlarm |= new TimedPairs(counts, TimeSpan.FromDays(30), 10).IsSlow;
            }

            if (hasAlarm) alarms++;
        }

        Assert.InRange(alarms, 0, 6);
    }

    [Fact]
    public void Contradicting_pairs_are_not_believed() =>
        Assert.Contains("the timed pairs contradict each other", Sample.Decide(
            Thin with { Pairs = Thin.Pairs with { Counts = new(10, 8, 3) } }, "ramp-5").Sentence + string.Join(' ', (Thin with
            {
                Pairs = Thin.Pairs with { Counts = new(10, 8, 3) },
            }).Faults()), StringComparison.Ordinal);

    [Fact]
    public void Rare_pairs_are_handed_out_one_by_one_and_frequent_ones_twenty_at_a_time()
    {
        var clock = new FakeTimeProvider();
        var (rare, frequent) = (new LatencyPairs(), new LatencyPairs());
        for (var i = 1; i <= 40; i++)
        {
            Assert.Equal(i, Add(rare, TimeSpan.FromMinutes(1))!.Pairs.Count);
        }

        var handedOut = Enumerable.Range(1, 41).Count(_ => Add(frequent, TimeSpan.FromSeconds(1)) is not null);
        // The first, because nothing is known of how soon another comes; then each twentieth.
        Assert.Equal(3, handedOut);

        OpenBlock? Add(LatencyPairs pairs, TimeSpan after)
        {
            clock.Advance(after);
            Assert.True(pairs.IsDue(1, TimeSpan.Zero, 0, clock));
            pairs.Add(new(0.010, 0.010));
            return pairs.Take().Open;
        }
    }

    [Fact]
    public void A_block_that_another_run_goes_on_with_is_the_block_that_one_run_would_have_made()
    {
        var random = new Random(1);
        LatencyPair[] all = [.. Enumerable.Range(0, 3 * LatencyBlocks.Pairs).Select(_ => new LatencyPair(random.NextDouble(), 1.3 * random.NextDouble()))];
        var one = new LatencyPairs();
        foreach (var pair in all) one.Add(pair);
        var whole = one.Take();

        var (total, open) = (new PairedLatency(default, default, default), (OpenBlock?)null);
        var counts = default(PairCounts);
        foreach (var part in all.Chunk(130))
        {
            var run = new LatencyPairs();
            if (open is not null) run.Adopt(open);
            foreach (var pair in part) run.Add(pair);
            var taken = run.Take();
            (total, open) = (new(total.P50 + taken.Blocks.P50, total.P95 + taken.Blocks.P95, total.P99 + taken.Blocks.P99), taken.Open);
            counts += taken.Counts;
        }

        Assert.Equal(whole.Blocks.P50, total.P50);
        Assert.Equal((2L, whole.Counts), (total.P99.Count, counts));
    }
}
