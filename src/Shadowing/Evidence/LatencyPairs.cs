namespace Shadowing.Evidence;

/// <summary>
/// Collects pairs of durations into blocks. The control's quantiles of one period are the thresholds of the next: frozen while blocks are
/// made against them.
/// </summary>
internal sealed class LatencyPairs
{
    /// <summary>Blocks after which the thresholds are taken anew.</summary>
    private const int BlocksInPeriod = 20;

    private const double PairsForResult = (LatencyTest.LeastBlocks + 1) * LatencyBlocks.Pairs;
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    private readonly Lock _lock = new();
    private readonly LatencyPair[] _block = new LatencyPair[LatencyBlocks.Pairs];
    private readonly List<double> _control = new(BlocksInPeriod * LatencyBlocks.Pairs);
    private int _inBlock;
    private int _turn;
    private long _comparisons;
    private long _firstAt;
    private long _lastAt;
    private (double P50, double P95, double P99)? _thresholds;
    private LatencyBlocks _p50, _p95, _p99;

    /// <summary>
    /// Whether a comparison that has ended is to be timed. The share is raised where comparisons are so few that the test would take more
    /// than a week; and a block is never filled in less than its time, so that one slow phase is not taken for many blocks.
    /// </summary>
    /// <param name="share">The least share, in [0, 1].</param>
    /// <param name="blockTime">The least time that a block takes.</param>
    /// <param name="drawn">Drawn at random from [0, 1).</param>
    public bool IsDue(double share, TimeSpan blockTime, double drawn, TimeProvider clock)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            if (_comparisons++ == 0) _firstAt = now;
            if (_lastAt != 0 && clock.GetElapsedTime(_lastAt, now) < blockTime / LatencyBlocks.Pairs) return false;
            var hours = Math.Max(clock.GetElapsedTime(_firstAt, now).TotalHours, 1 / 60d);
            var needed = share <= 0 ? 0 : PairsForResult / (_comparisons / hours * Week.TotalHours);
            if (drawn >= Math.Max(share, needed)) return false;
            _lastAt = now;
            return true;
        }
    }

    /// <summary>Whether the control runs first: in every second pair of the operation, because the second run finds a warm cache.</summary>
    public bool IsControlFirst() => Interlocked.Increment(ref _turn) % 2 == 0;

    public void Add(LatencyPair pair)
    {
        lock (_lock)
        {
            _control.Add(pair.Control);
            _block[_inBlock++] = pair;
            if (_inBlock == LatencyBlocks.Pairs) CloseBlock();
        }
    }

    /// <summary>The blocks completed since this was last asked.</summary>
    public PairedLatency Take()
    {
        lock (_lock)
        {
            var taken = new PairedLatency(_p50, _p95, _p99);
            (_p50, _p95, _p99) = (default, default, default);
            return taken;
        }
    }

    private void CloseBlock()
    {
        _inBlock = 0;
        if (_thresholds is { } frozen)
        {
            _p50 += LatencyBlocks.FromPairs(_block, LatencyQuantile.P50, frozen.P50);
            _p95 += LatencyBlocks.FromPairs(_block, LatencyQuantile.P95, frozen.P95);
            _p99 += LatencyBlocks.FromPairs(_block, LatencyQuantile.P99, frozen.P99);
        }

        // The first period is one block, so that the test begins soon; later ones are long enough for a p99.
        if (_thresholds is not null && _control.Count < _control.Capacity) return;
        _control.Sort();
        _thresholds = (At(0.5), At(0.95), At(0.99));
        _control.Clear();
    }

    private double At(double share) => _control[Math.Min(_control.Count - 1, (int)(share * _control.Count))];
}
