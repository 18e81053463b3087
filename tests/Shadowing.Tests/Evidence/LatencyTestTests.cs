using CsCheck;
using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

public sealed class LatencyTestTests
{
    private const double P50 = 0.010;
    private const double P99 = 0.100;

    private static readonly Gen<LatencyBlocks> Blocks = Gen.Select(Gen.Long[0, 100], Gen.Long[-5000, 5000], Gen.Long[0, 100_000],
        (count, sum, squares) => new LatencyBlocks(count, sum, squares));

    [Theory]
    [InlineData(-60, 400, 30, 2.854752598)]
    [InlineData(25, 90, 30, 1.911019486)]
    public void The_mixture_is_as_computed_elsewhere(double sum, double squares, double rho, double expected) =>
        Assert.Equal(expected, LatencyTest.LogNormMix(sum, squares, rho), Math.Abs(expected) * 1e-6);

    [Fact]
    public void A_candidate_that_is_as_fast_as_the_control_passes() =>
        Assert.Equal(LatencyVerdict.Passing, Run(blocks: 60, LatencyQuantile.P50, P50, random => 1, stalls: false));

    [Fact]
    public void A_candidate_that_is_half_as_slow_again_at_the_median_is_slow() =>
        Assert.Equal(LatencyVerdict.Slow, Run(blocks: 60, LatencyQuantile.P50, P50, random => 1.5, stalls: false));

    [Fact]
    public void A_candidate_whose_slowest_answers_doubled_is_slow_at_p99_only()
    {
        static double Tail(Random random) => random.NextDouble() < 0.05 ? 20 : 1;
        Assert.Equal(LatencyVerdict.Slow, Run(blocks: 60, LatencyQuantile.P99, P99, Tail, stalls: false));
        Assert.NotEqual(LatencyVerdict.Slow, Run(blocks: 60, LatencyQuantile.P50, P50, Tail, stalls: false));
    }

    [Fact]
    public void Stalls_that_strike_either_side_in_bursts_raise_no_alarm()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            Assert.NotEqual(LatencyVerdict.Slow, Run(blocks: 100, LatencyQuantile.P99, P99, random => 1, stalls: true, seed));
        }
    }

    [Fact]
    public void Below_twenty_blocks_nothing_is_said()
    {
        Assert.Equal(LatencyVerdict.TooFew, LatencyTest.Judge(new(19, -1900, 190_000)));
        Assert.Equal(LatencyVerdict.Passing, LatencyTest.Judge(new(20, -2000, 200_000)));
        Assert.Equal(LatencyVerdict.Slow, LatencyTest.Judge(new(30, 3000, 300_000)));
        Assert.Equal(LatencyVerdict.Undecided, LatencyTest.Judge(new(20, 0, 200_000)));
    }

    [Fact]
    public void A_pass_takes_odds_of_20_and_an_alarm_of_1000()
    {
        Assert.Equal(LatencyVerdict.Undecided, LatencyTest.Judge(new(20, -60, 400)));
        Assert.Equal(LatencyVerdict.Passing, LatencyTest.Judge(new(20, -62, 400)));
        Assert.Equal(LatencyVerdict.Undecided, LatencyTest.Judge(new(20, 84, 400)));
        Assert.Equal(LatencyVerdict.Slow, LatencyTest.Judge(new(20, 85, 400)));
    }

    [Fact]
    public void Blocks_of_replicas_merge_in_any_order() => Gen.Select(Blocks, Blocks, Blocks).Sample((a, b, c) =>
        a + b == b + a && (a + b) + c == a + (b + c) && a + default(LatencyBlocks) == a);

    [Fact]
    public void What_passes_would_not_pass_with_the_sides_exchanged() => Blocks.Sample(blocks =>
        LatencyTest.Judge(blocks) is not LatencyVerdict.Passing
        || LatencyTest.Judge(blocks with { Sum = -blocks.Sum }) is LatencyVerdict.Slow or LatencyVerdict.Undecided);

    [Fact]
    public void A_block_counts_who_was_above_the_threshold()
    {
        var pairs = Enumerable.Range(0, LatencyBlocks.Pairs)
            .Select(i => new LatencyPair(Control: i < 10 ? 0.011 : 0.001, Candidate: i < 25 ? 0.0121 : 0.0119)).ToArray();
        Assert.Equal(new(1, 15, 225), LatencyBlocks.FromPairs(pairs, LatencyQuantile.P95, 0.010));
        Assert.Throws<ArgumentOutOfRangeException>(() => LatencyBlocks.FromPairs(pairs.AsSpan(1), LatencyQuantile.P95, 0.010));
    }

    /// <summary>Exponential durations with the median P50, so that their 99th percentile is at about seven times that.</summary>
    private static LatencyVerdict Run(
        int blocks, LatencyQuantile quantile, double threshold, Func<Random, double> factor, bool stalls, int seed = 1)
    {
#pragma warning disable CA5394 // No secret hangs on it, and a test must be repeatable.
        var random = new Random(seed);
        var total = default(LatencyBlocks);
        for (var block = 0; block < blocks; block++)
        {
            var stalled = stalls && random.Next(10) == 0 ? random.Next(2) : -1;
            var pairs = new LatencyPair[LatencyBlocks.Pairs];
            for (var i = 0; i < pairs.Length; i++)
            {
                var struck = i is > 50 and < 90 ? stalled : -1;
                var control = Duration(random) * (struck == 0 ? 50 : 1);
                pairs[i] = new(control, Candidate: Duration(random) * factor(random) * (struck == 1 ? 50 : 1));
            }

            total += LatencyBlocks.FromPairs(pairs, quantile, threshold);
        }

        return LatencyTest.Judge(total);
    }

    private static double Duration(Random random) => -Math.Log(1 - random.NextDouble()) * P50 / Math.Log(2);
#pragma warning restore CA5394
}
