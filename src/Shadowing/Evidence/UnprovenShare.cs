using System.Collections.Immutable;

namespace Shadowing.Evidence;

/// <summary>Bounds the share of traffic whose shape was not proven when the request arrived. Immutable, and can be stored.</summary>
/// <remarks>
/// Requests are counted in epochs, each twice as long as the one before, so that the hours before anything was proven are forgotten;
/// epoch i is bounded at α/(i(i+1)) and the least bound ever seen is kept. That is sound while proven shapes stay proven. Where one
/// loses its proof, start again from <see cref="None"/>. Where the traffic itself has moved and the running epoch contradicts the kept
/// bound, the running epoch is believed.
/// <para>
/// Replicas count into the epoch that the merged state names, into a state of their own made from <see cref="None"/>; states merge by
/// addition in any order. Only the merged whole may be <see cref="Looked"/> at: a bound of one replica's part is not one of the whole.
/// </para>
/// </remarks>
/// <param name="Epochs">The counts of epoch 1, 2, and so on.</param>
/// <param name="Least">The least bound seen so far; 1 where none was.</param>
public sealed record UnprovenShare(ImmutableArray<EpochCount> Epochs, double Least)
{
    private const long FirstEpoch = 1024;
    private const int MostEpochs = 50;
    private const double Alpha = 0.05;

    /// <summary>Nothing counted: anything may be unproven.</summary>
    public static UnprovenShare None { get; } = new([], 1);

    /// <summary>The epoch, from 1, that the next request belongs to.</summary>
    public int Epoch => Math.Min(MostEpochs, 1 + (int)Math.Log2((Epochs.Sum(epoch => epoch.Requests) / FirstEpoch) + 1));

    /// <summary>The share of traffic that may be unproven; in [0, 1], and 1 where nothing is known.</summary>
    public double Bound
    {
        get
        {
            if (Epochs.IsEmpty) return Least;
            var (last, alpha) = (Epochs[^1], ParityBound.AlphaOf(Epochs.Length, Alpha));
            return ParityBound.Lower(last.Unproven, last.Requests, alpha) > Least ? last.Upper(alpha) : Least;
        }
    }

    /// <summary>Counts requests.</summary>
    /// <param name="epoch">The <see cref="Epoch"/> of the merged state as last known.</param>
    /// <param name="unproven">How many of them had a shape that was not proven when they arrived.</param>
    public UnprovenShare Count(int epoch, long unproven, long requests)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epoch, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(epoch, MostEpochs);
        ArgumentOutOfRangeException.ThrowIfNegative(unproven);
        ArgumentOutOfRangeException.ThrowIfLessThan(requests, unproven);
        return Merge(new([.. Enumerable.Repeat(default(EpochCount), epoch - 1), new(unproven, requests)], 1));
    }

    /// <summary>The two together; commutative and associative.</summary>
    public UnprovenShare Merge(UnprovenShare other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var (longer, shorter) = Epochs.Length >= other.Epochs.Length ? (Epochs, other.Epochs) : (other.Epochs, Epochs);
        return new([.. longer.Select((epoch, i) => i < shorter.Length ? epoch + shorter[i] : epoch)], Math.Min(Least, other.Least));
    }

    /// <summary>Whether the other one has counted the same requests.</summary>
    public bool HasSameCounts(UnprovenShare other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Epochs.AsSpan().SequenceEqual(other.Epochs.AsSpan());
    }

    /// <summary>Keeps the bound that holds now, if it is the least so far.</summary>
    public UnprovenShare Looked() =>
        this with { Least = Epochs.Select((epoch, i) => epoch.Upper(ParityBound.AlphaOf(i + 1, Alpha))).Append(Least).Min() };
}

/// <summary>The requests of an epoch.</summary>
public readonly record struct EpochCount(long Unproven, long Requests)
{
    /// <summary>Both together.</summary>
    public static EpochCount operator +(EpochCount left, EpochCount right) => left.Add(right);

    /// <inheritdoc cref="op_Addition"/>
    public EpochCount Add(EpochCount other) => new(Unproven + other.Unproven, Requests + other.Requests);

    internal double Upper(double alpha) => ParityBound.Upper(Unproven, Requests, alpha);
}
