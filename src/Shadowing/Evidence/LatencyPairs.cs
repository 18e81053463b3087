namespace Shadowing.Evidence;

/// <summary>
/// Collects pairs of durations into blocks. The control's quantiles of one period are the thresholds of the next: frozen while blocks are
/// made against them. What is not a block yet is handed out to be stored, so that another run goes on with it after a restart.
/// </summary>
internal sealed class LatencyPairs
{
    /// <summary>Blocks after which the thresholds are taken anew.</summary>
    private const int BlocksInPeriod = 20;

    /// <summary>Pairs after which what is not a block yet is stored again; a run that ends abruptly loses fewer.</summary>
    private const int PairsBetweenSaves = 20;

    private const double PairsForResult = (LatencyTest.LeastBlocks + 1) * LatencyBlocks.Pairs;

    /// <summary>Where pairs come more rarely than this, each is stored at once.</summary>
    private static readonly TimeSpan Rare = TimeSpan.FromSeconds(30);

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
    private PairCounts _counts;
    private bool _isRare;
    private int _unsaved;

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
            _isRare = _lastAt == 0 || clock.GetElapsedTime(_lastAt, now) > Rare;
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
            _counts += PairCounts.One(pair);
            _unsaved += _isRare ? PairsBetweenSaves : 1;
            Put(pair);
        }
    }

    /// <summary>Goes on with the pairs of a run that has ended. They have been counted; only blocks are made of them here.</summary>
    public void Adopt(OpenBlock open)
    {
        lock (_lock)
        {
            _thresholds ??= open.Thresholds is [var p50, var p95, var p99] ? (p50, p95, p99) : null;
            foreach (var pair in open.Pairs) Put(pair);
            _unsaved = PairsBetweenSaves;
        }
    }

    /// <summary>What is new since this was last asked.</summary>
    public LatencyBatch Take()
    {
        lock (_lock)
        {
            var blocks = new PairedLatency(_p50, _p95, _p99);
            // With a block that is stored goes what it was made of.
            var open = _unsaved >= PairsBetweenSaves || blocks.P50.Count > 0 ? Open() : null;
            var taken = new LatencyBatch(blocks, _counts, open);
            (_p50, _p95, _p99, _counts) = (default, default, default, default);
            if (open is not null) _unsaved = 0;
            return taken;
        }
    }

    private OpenBlock Open() =>
        new(_thresholds is { } frozen ? [frozen.P50, frozen.P95, frozen.P99] : [], [.. _block.AsSpan(0, _inBlock)]);

    private void Put(LatencyPair pair)
    {
        _control.Add(pair.Control);
        _block[_inBlock++] = pair;
        if (_inBlock == LatencyBlocks.Pairs) CloseBlock();
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
