namespace Shadowing.Model;

/// <summary>Quantiles of durations in bounded memory: counts in buckets that grow by an eighth of an octave, so 9 % wide.</summary>
internal sealed class LatencySketch
{
    internal const int PerOctave = 8;
    internal const double Least = 1e-6;
    private readonly long[] _buckets = new long[28 * PerOctave];
    private long _count;

    /// <summary>Adds a duration in seconds; below a microsecond and above four minutes it counts as those.</summary>
    public void Add(double seconds)
    {
        _buckets[Math.Clamp((int)DurationCounts.BucketOf(Math.Max(seconds, Least)), 0, _buckets.Length - 1)]++;
        _count++;
    }

    /// <summary>How many durations were added.</summary>
    public long Count => _count;

    /// <summary>The counts themselves.</summary>
    public DurationCounts Counts() => new([.. _buckets]);

    public LatencyQuantiles Read() => new(Quantile(0.5), Quantile(0.95), Quantile(0.99));

    public void Clear()
    {
        Array.Clear(_buckets);
        _count = 0;
    }

    /// <param name="and">Another sketch that is counted in.</param>
    public double Quantile(double share, LatencySketch? and = null)
    {
        var count = _count + (and?._count ?? 0);
        if (count == 0) return 0;
        var (rank, seen, bucket) = ((long)Math.Ceiling(share * count), 0L, 0);
        while (seen + In(bucket) < rank) seen += In(bucket++);
        return Math.Round(Least * Math.Pow(2, (bucket + 0.5) / PerOctave), 7);

        long In(int at) => _buckets[at] + (and?._buckets[at] ?? 0);
    }
}

/// <summary>Quantiles in seconds; zero where nothing was measured.</summary>
public sealed record LatencyQuantiles(double P50, double P95, double P99);

/// <summary>How many runs took how long: counts in buckets that grow by an eighth of an octave from a microsecond up.</summary>
public sealed record DurationCounts(IReadOnlyList<long> Buckets)
{
    /// <summary>All of them.</summary>
    public long Total { get; } = Buckets.Sum();

    /// <summary>The bucket of a duration in seconds, and how far into it the duration lies; negative below a microsecond.</summary>
    public static double BucketOf(double seconds) => Math.Log2(seconds / LatencySketch.Least) * LatencySketch.PerOctave;

    /// <summary>A bucket's share of all.</summary>
    public double ShareOf(int bucket) => Total == 0 ? 0 : (double)Buckets[bucket] / Total;

    /// <summary>The duration in seconds that this share of the runs stayed below; 0 where nothing was measured.</summary>
    public double Quantile(double share)
    {
        if (Total == 0) return 0;
        var (rank, seen, bucket) = ((long)Math.Ceiling(share * Total), 0L, 0);
        while (seen + Buckets[bucket] < rank) seen += Buckets[bucket++];
        return LatencySketch.Least * Math.Pow(2, (bucket + 0.5) / LatencySketch.PerOctave);
    }
}
