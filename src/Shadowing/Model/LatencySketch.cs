namespace Shadowing.Model;

/// <summary>Quantiles of durations in bounded memory: counts in buckets that grow by an eighth of an octave, so 9 % wide.</summary>
internal sealed class LatencySketch
{
    private const int PerOctave = 8;
    private const double Least = 1e-6;
    private readonly long[] _buckets = new long[28 * PerOctave];
    private long _count;

    /// <summary>Adds a duration in seconds; below a microsecond and above four minutes it counts as those.</summary>
    public void Add(double seconds)
    {
        var octaves = Math.Log2(Math.Max(seconds, Least) / Least);
        _buckets[Math.Clamp((int)(octaves * PerOctave), 0, _buckets.Length - 1)]++;
        _count++;
    }

    /// <summary>How many durations were added.</summary>
    public long Count => _count;

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
