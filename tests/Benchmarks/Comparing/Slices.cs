namespace Benchmarks.Comparing;

/// <summary>Something that can be done many times in a row, beside others.</summary>
/// <param name="Once">Does it once. What it gives back keeps it from being left out.</param>
internal sealed record Contender(string Name, Func<bool> Once);

/// <summary>What a contender cost.</summary>
/// <param name="Nanoseconds">Of one time, the median over all slices.</param>
/// <param name="Ratio">To the first contender's slice of the same round: the median.</param>
/// <param name="Low">Of the ratio, 95 %, by bootstrap.</param>
/// <param name="High">Of the ratio, 95 %, by bootstrap.</param>
/// <param name="Bytes">Allocated each time.</param>
internal sealed record SliceCost(string Name, double Nanoseconds, double Ratio, double Low, double High, double Bytes);

/// <summary>
/// Runs contenders in short slices, in an order that is drawn anew each round: a machine that is slow for a while is slow for all of them.
/// </summary>
internal static class Slices
{
    private const int Resamples = 2_000;
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(4);

    /// <param name="contenders">The first is what the others are held against.</param>
    public static IReadOnlyList<SliceCost> Measure(IReadOnlyList<Contender> contenders, int rounds)
    {
        var times = contenders.Select(contender => Calibrate(contender.Once)).ToArray();
        var taken = contenders.Select(_ => new double[rounds]).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var at in Enumerable.Range(0, contenders.Count).OrderBy(_ => Random.Shared.Next()).ToArray())
                taken[at][round] = Time(contenders[at].Once, times[at]).TotalNanoseconds / times[at];
        }

        return
        [
            .. contenders.Select((contender, at) =>
            {
                double[] ratios = [.. taken[at].Zip(taken[0], (one, first) => one / first)];
                double[] medians = [.. Enumerable.Range(0, Resamples).Select(_ => Median(Random.Shared.GetItems(ratios, ratios.Length))).Order()];
                return new SliceCost(
                    contender.Name, Median(taken[at]), Median(ratios), medians[Resamples / 40], medians[^(Resamples / 40)], Bytes(contender.Once));
            }),
        ];
    }

    /// <summary>How often it is done in a slice, once it is compiled for good.</summary>
    private static int Calibrate(Func<bool> once)
    {
        for (var began = Clock.GetTimestamp(); Clock.GetElapsedTime(began) < TimeSpan.FromMilliseconds(400);) once();
        var times = 1;
        while (Time(once, times) < Slice) times *= 2;
        return times;
    }

    private static TimeSpan Time(Func<bool> once, int times)
    {
        var began = Clock.GetTimestamp();
        for (var i = 0; i < times; i++) once();
        return Clock.GetElapsedTime(began);
    }

    private static double Bytes(Func<bool> once)
    {
        const int Times = 100;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Times; i++) once();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Times;
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
