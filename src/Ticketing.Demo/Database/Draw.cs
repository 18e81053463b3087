namespace Ticketing.Demo.Database;

/// <summary>Random numbers that depend on a key alone: any row can be drawn again, without drawing those before it.</summary>
/// <remarks>SplitMix64: a Weyl sequence, each term mixed. The same on every machine and runtime.</remarks>
internal struct Draw(ulong key, ulong row)
{
    private ulong _state = Mix(key ^ Mix(row));

    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>In [0, 1).</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>From 0 to one less than the bound.</summary>
    public int Below(int bound) => (int)(Unit() * bound);

    public bool Chance(double probability) => Unit() < probability;

    public T Pick<T>(IReadOnlyList<T> values) => values[Below(values.Count)];

    /// <summary>One of the values, in proportion to its weight.</summary>
    public T Weighted<T>(IReadOnlyList<(T Value, int Weight)> values)
    {
        var left = Below(values.Sum(v => v.Weight));
        foreach (var (value, weight) in values)
        {
            if ((left -= weight) < 0) return value;
        }

        return values[^1].Value;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
