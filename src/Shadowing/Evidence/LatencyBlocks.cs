namespace Shadowing.Evidence;

/// <summary>
/// Blocks of <see cref="Pairs"/> paired durations held against one quantile. A block's z is by how much more often the candidate was above
/// r times the control's frozen threshold than the control was above the threshold itself. Additive over replicas.
/// </summary>
/// <param name="Count">nb, the number of blocks.</param>
/// <param name="Sum">S, the sum of z.</param>
/// <param name="SumOfSquares">V, the sum of z².</param>
public readonly record struct LatencyBlocks(long Count, long Sum, long SumOfSquares)
{
    /// <summary>Pairs in a block. Stalls come in bursts; a block takes a burst for the one event that it is.</summary>
    public const int Pairs = 200;

    /// <summary>Both together.</summary>
    public static LatencyBlocks operator +(LatencyBlocks left, LatencyBlocks right) => left.Add(right);

    /// <inheritdoc cref="op_Addition"/>
    public LatencyBlocks Add(LatencyBlocks other) => new(Count + other.Count, Sum + other.Sum, SumOfSquares + other.SumOfSquares);

    /// <summary>One block.</summary>
    /// <param name="pairs">Exactly <see cref="Pairs"/>, made for this test: both sides in the lane, one pool, alternating order.</param>
    /// <param name="threshold">The control's quantile in the previous period, in seconds; frozen while blocks are collected.</param>
    public static LatencyBlocks FromPairs(ReadOnlySpan<LatencyPair> pairs, LatencyQuantile quantile, double threshold)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pairs.Length, Pairs);
        var z = 0;
        foreach (var pair in pairs)
        {
            if (pair.Candidate > LatencyTest.Factor(quantile) * threshold) z++;
            if (pair.Control > threshold) z--;
        }

        return new(1, z, z * z);
    }
}

/// <summary>How long both sides took for one request, in seconds.</summary>
public readonly record struct LatencyPair(double Control, double Candidate);

/// <summary>The pairs of a block that is not full yet, and what it is held against.</summary>
/// <param name="Thresholds">The control's frozen p50, p95 and p99, in seconds; empty in the first period.</param>
/// <param name="Pairs">Fewer than <see cref="LatencyBlocks.Pairs"/>.</param>
public sealed record OpenBlock(IReadOnlyList<double> Thresholds, IReadOnlyList<LatencyPair> Pairs);

/// <summary>What is new of an operation's pairs.</summary>
/// <param name="Blocks">Those that have been completed.</param>
/// <param name="Open">What is not a block yet; null where what is stored of it still serves.</param>
public sealed record LatencyBatch(PairedLatency Blocks, PairCounts Counts, OpenBlock? Open)
{
    internal bool IsEmpty => Counts == default && Open is null && Blocks == new PairedLatency(default, default, default);
}

/// <summary>The quantiles that are held against each other.</summary>
public enum LatencyQuantile
{
    /// <summary>The median.</summary>
    P50,

    /// <summary>The 95th percentile.</summary>
    P95,

    /// <summary>The 99th percentile.</summary>
    P99,
}
