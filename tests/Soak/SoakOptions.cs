namespace Soak;

/// <summary>What is asked of a soak.</summary>
/// <param name="Comparisons">It ends once there are as many.</param>
/// <param name="For">It ends then at the latest, and has failed if it is short of comparisons.</param>
/// <param name="FaultRate">The share of the answers that a planted fault fits which it changes.</param>
/// <param name="RaceRate">The share of the answers that the race-only fault fits which it changes.</param>
internal sealed record SoakOptions(
    long Comparisons, TimeSpan For, int Readers = 4, int Writers = 4, double FaultRate = 1e-5, double RaceRate = 1e-5)
{
    /// <summary>Compared writes that it takes besides.</summary>
    public long Writes { get; init; }

    /// <summary>How often each fault is planted at least.</summary>
    public long LeastOfEach { get; init; }

    /// <summary>The share of the writes that a planted fault fits which it changes.</summary>
    public double WriteFaultRate { get; init; } = FaultRate;

    /// <summary>Who makes them, as many at once as the lane keeps up with.</summary>
    public int SampledWriters { get; init; } = 2;
}
