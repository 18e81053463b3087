namespace Shadowing.Evidence;

/// <summary>
/// Collects pairs of durations into blocks. The control's quantiles of one period are the thresholds of the next: frozen while blocks are
/// made against them.
/// </summary>
internal sealed class LatencyPairs
{
    /// <summary>Blocks after which the thresholds are taken anew.</summary>
    private const int BlocksInPeriod = 20;

    private readonly Lock _lock = new();
    private readonly LatencyPair[] _block = new LatencyPair[LatencyBlocks.Pairs];
    private readonly List<double> _control = new(BlocksInPeriod * LatencyBlocks.Pairs);
    private int _inBlock;
    private (double P50, double P95, double P99)? _thresholds;
    private LatencyBlocks _p50, _p95, _p99;

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
