using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>
/// The p99 of the last minutes, in bounded memory: one sketch is being filled, the one before it still counts, and each is forgotten after
/// two windows. So a deadline that rests on it follows a control that has become quick again. Safe for concurrent use.
/// </summary>
internal sealed class RecentLatency(TimeProvider clock)
{
    /// <summary>How long a sketch is filled: a duration counts for one to two of these.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>Fewer durations than this have no p99 that a deadline could rest on.</summary>
    public const int Least = 64;

    private readonly Lock _change = new();
    private LatencySketch _current = new();
    private LatencySketch _before = new();
    private long _since = clock.GetTimestamp();
    private long _readAt = -1;
    private double _p99;

    /// <summary>Zero where there are too few durations.</summary>
    /// <remarks>Calculated anew after each 64 of them, because every request that the candidate serves reads it.</remarks>
    public TimeSpan P99
    {
        get
        {
            lock (_change)
            {
                Rotate();
                var count = _current.Count + _before.Count;
                if (count < Least) return TimeSpan.Zero;
                if (_readAt < 0 || count - _readAt >= Least) (_readAt, _p99) = (count, _current.Quantile(0.99, _before));
                return TimeSpan.FromSeconds(_p99);
            }
        }
    }

    public void Add(TimeSpan duration)
    {
        lock (_change)
        {
            Rotate();
            _current.Add(duration.TotalSeconds);
        }
    }

    private void Rotate()
    {
        var age = clock.GetElapsedTime(_since);
        if (age < Window) return;
        (_current, _before) = (_before, _current);
        _current.Clear();
        if (age >= 2 * Window) _before.Clear();
        (_since, _readAt) = (clock.GetTimestamp(), -1);
    }
}
