namespace Shadowing.Evidence;

/// <summary>Whether the candidate is as fast as the control, or slower, by sums over blocks of pairs; whenever one looks.</summary>
/// <remarks>
/// A normal mixture over the sums, self-normalised by Σz². No sign test and no test per request: bursty stalls fool both.
/// </remarks>
public static class LatencyTest
{
    /// <summary>Blocks below which nothing is said: the mixture leans on sums being nearly normal.</summary>
    public const int LeastBlocks = 20;

    private const double Rho = 30;
    private static readonly double PassThreshold = Math.Log(20);

    /// <summary>The log of the odds that are an alarm.</summary>
    internal static readonly double SlowThreshold = Math.Log(1000);

    /// <summary>r: how many times the control's threshold the candidate may take: 1.2 at p50 and p95, 1.5 at p99.</summary>
    public static double Factor(LatencyQuantile quantile) => quantile is LatencyQuantile.P99 ? 1.5 : 1.2;

    /// <summary>The log of the evidence against "above the threshold just as often": ½ ln(ρ/(V+ρ)) + S²/(2(V+ρ)).</summary>
    public static double LogNormMix(double sum, double sumOfSquares, double rho = Rho) =>
        (0.5 * Math.Log(rho / (sumOfSquares + rho))) + (sum * sum / (2 * (sumOfSquares + rho)));

    /// <summary>The verdict on one quantile.</summary>
    public static LatencyVerdict Judge(LatencyBlocks blocks)
    {
        if (blocks.Count < LeastBlocks) return LatencyVerdict.TooFew;
        var evidence = LogNormMix(blocks.Sum, blocks.SumOfSquares);
        if (blocks.Sum > 0 && evidence >= SlowThreshold) return LatencyVerdict.Slow;
        return blocks.Sum < 0 && evidence >= PassThreshold ? LatencyVerdict.Passing : LatencyVerdict.Undecided;
    }
}

/// <summary>What the pairs say of a quantile.</summary>
public enum LatencyVerdict
{
    /// <summary>There are fewer blocks than <see cref="LatencyTest.LeastBlocks"/>.</summary>
    TooFew,

    /// <summary>Neither shown to be fast enough nor to be slow.</summary>
    Undecided,

    /// <summary>Shown to be within its factor of the control.</summary>
    Passing,

    /// <summary>Shown to be slower than that: an alarm.</summary>
    Slow,
}
