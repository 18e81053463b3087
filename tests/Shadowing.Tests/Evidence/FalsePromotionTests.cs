using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

/// <summary>
/// The chance that a candidate which is exactly as bad as epsilon is ever taken for proven, though somebody looks after every single case:
/// computed exactly, by carrying the distribution of the mismatches among the paths that are not proven yet from case to case.
/// </summary>
public sealed class FalsePromotionTests
{
    [Theory]
    [InlineData(0.05, 4000)]
    [InlineData(0.01, 10_000)]
    [InlineData(0.001, 30_000)]
    public void Looking_after_every_case_promotes_falsely_no_oftener_than_alpha(double epsilon, int cases)
    {
        foreach (var attempt in new[] { 1, 2, 3 })
        {
            var alpha = ParityBound.AlphaOf(attempt);
            var chance = FalsePromotion(epsilon, cases, alpha);
            Assert.InRange(chance, alpha / 100, alpha);
        }
    }

    [Fact]
    public void Starting_again_and_again_promotes_falsely_no_oftener_than_alpha()
    {
        var chance = Enumerable.Range(1, 12).Sum(attempt => FalsePromotion(0.01, 5000, ParityBound.AlphaOf(attempt)));
        Assert.InRange(chance, 0.01, 0.05);
    }

    [Fact]
    public void A_candidate_that_is_better_than_epsilon_is_promoted_nearly_always()
    {
        var chance = Promotion(rate: 1e-4, epsilon: 0.01, cases: 4000, ParityBound.AlphaOf(1));
        Assert.Equal(1, chance, 1e-9);
    }

    [Fact]
    public void Rollback_windows_raise_a_false_alarm_no_oftener_than_their_odds()
    {
        const double Rate = 1e-4;
        var (alive, alarm) = (new double[40], 0.0);
        alive[0] = 1;
        for (var n = 1; n <= 20_000; n++)
        {
            Step(alive, Rate);
            for (var k = 3; k < alive.Length && k <= n; k++)
            {
                if (alive[k] == 0 || !RollbackWindows.Trips(k, n, new(Rate, 1e4))) continue;
                alarm += alive[k];
                alive[k] = 0;
            }
        }

        Assert.InRange(alarm, 1e-8, 1e-4);
    }

    private static double FalsePromotion(double epsilon, int cases, double alpha) => Promotion(epsilon, epsilon, cases, alpha);

    private static double Promotion(double rate, double epsilon, int cases, double alpha)
    {
        var mean = rate * cases;
        var open = new double[(int)(mean + (12 * Math.Sqrt(mean)) + 20)];
        open[0] = 1;
        var promoted = 0.0;
        for (var (n, provenUpTo) = (1, -1); n <= cases; n++)
        {
            Step(open, rate);
            // What is proven with k mismatches is proven with fewer, and stays so with more clean cases.
            while (ParityBound.IsProven(provenUpTo + 1, n, epsilon, alpha)) provenUpTo++;
            for (var k = 0; k <= provenUpTo; k++)
            {
                promoted += open[k];
                open[k] = 0;
            }
        }

        return promoted;
    }

    /// <summary>One case more; what leaves the end of the array is too unlikely to matter, and stays in its last place.</summary>
    private static void Step(double[] chances, double rate)
    {
        for (var k = chances.Length - 1; k > 0; k--)
        {
            var stays = k == chances.Length - 1 ? 1 : 1 - rate;
            chances[k] = (chances[k] * stays) + (chances[k - 1] * rate);
        }

        chances[0] *= 1 - rate;
    }
}
