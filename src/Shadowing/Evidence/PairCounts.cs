namespace Shadowing.Evidence;

/// <summary>
/// Pairs of one operation, one by one. They decide only where an operation is so thin that blocks would take months: there its pairs are
/// minutes apart, and a stall does not strike many of them.
/// </summary>
/// <param name="Pairs">All of them.</param>
/// <param name="CandidateSlower">Those in which the candidate took more than <see cref="Factor"/> times as long as the control.</param>
/// <param name="ControlSlower">Those in which the control took more than <see cref="Factor"/> times as long as the candidate.</param>
public readonly record struct PairCounts(long Pairs, long CandidateSlower, long ControlSlower)
{
    /// <summary>How many times as long is slower.</summary>
    public const double Factor = 1.5;

    /// <summary>Both together.</summary>
    public static PairCounts operator +(PairCounts left, PairCounts right) => left.Add(right);

    /// <inheritdoc cref="op_Addition"/>
    public PairCounts Add(PairCounts other) =>
        new(Pairs + other.Pairs, CandidateSlower + other.CandidateSlower, ControlSlower + other.ControlSlower);

    internal static PairCounts One(LatencyPair pair) => new(
        1, pair.Candidate > Factor * pair.Control ? 1 : 0, pair.Control > Factor * pair.Candidate ? 1 : 0);
}

/// <summary>The pairs of an operation, beside its traffic.</summary>
/// <param name="For">How long its evidence has been gathered.</param>
/// <param name="BusiestDay">Its requests on the busiest of the last 28 days.</param>
public readonly record struct TimedPairs(PairCounts Counts, TimeSpan For, long BusiestDay)
{
    /// <summary>Pairs below which nothing is said of a thin operation.</summary>
    internal const int LeastPairs = 30;

    /// <summary>Time below which nothing is said of a thin operation.</summary>
    internal static readonly TimeSpan LeastTime = TimeSpan.FromDays(7);

    /// <summary>An operation whose blocks would take more days than this, were each of its requests timed, is thin.</summary>
    private const int MostDays = 28;

    /// <summary>Whether the operation has too few requests for blocks, even if every day were its busiest.</summary>
    public bool IsThin => BusiestDay * MostDays < (LatencyTest.LeastBlocks + 1) * LatencyBlocks.Pairs;

    /// <summary>Whether the operation is thin, and has been timed long enough to say how it stands.</summary>
    public bool SaysEnough => IsThin && For >= LeastTime && Counts.Pairs >= LeastPairs;

    /// <summary>
    /// The share of requests, at most, for which the candidate takes more than <see cref="PairCounts.Factor"/> times as long; whenever one
    /// looks.
    /// </summary>
    /// <param name="alpha">The chance that it is more, in (0, 1).</param>
    public double SlowerAtMost(double alpha) => ParityBound.Upper(Counts.CandidateSlower, Counts.Pairs, alpha);

    /// <summary>
    /// Whether the candidate is shown to be slower in a thin operation: of the pairs in which one side was slower, it was the candidate in
    /// more than half. The order within pairs alternates, so that neither side finds warmer caches.
    /// </summary>
    /// <remarks>A sum of +1 and −1 is sub-Gaussian: for it the mixture of the blocks holds without an approximation.</remarks>
    public bool IsSlow => IsThin && Counts.CandidateSlower > Counts.ControlSlower && LatencyTest.LogNormMix(
        Counts.CandidateSlower - Counts.ControlSlower, Counts.CandidateSlower + Counts.ControlSlower) >= LatencyTest.SlowThreshold;

    internal bool IsSound => Counts is { Pairs: >= 0, CandidateSlower: >= 0, ControlSlower: >= 0 }
        && Counts.CandidateSlower + Counts.ControlSlower <= Counts.Pairs && BusiestDay >= 0;
}
