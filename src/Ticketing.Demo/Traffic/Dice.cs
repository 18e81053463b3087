using System.Collections.Immutable;

namespace Ticketing.Demo.Traffic;

/// <summary>Chance that repeats itself: the same seed, the same throws.</summary>
internal sealed class Dice(int seed)
{
    private readonly Random _random = new(seed);

    public int Below(int bound) => _random.Next(bound);

    public bool Chance(double probability) => _random.NextDouble() < probability;

    public T Pick<T>(ImmutableArray<T> values) => values[_random.Next(values.Length)];

    public T Weighted<T>((int Weight, T Value)[] values)
    {
        var place = _random.Next(values.Sum(value => value.Weight));
        foreach (var (weight, value) in values)
        {
            if ((place -= weight) < 0) return value;
        }

        return values[^1].Value;
    }
}
