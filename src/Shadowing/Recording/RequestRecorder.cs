using System.Threading.Channels;
using Shadowing.Experiments;

namespace Shadowing.Recording;

/// <summary>
/// Takes requests that are to be recorded. On the caller's flow it costs one read while nothing is recorded, and else a random number and
/// an
/// entry in a bounded queue; when that is full, the request is not recorded. Safe for concurrent use.
/// </summary>
internal sealed class RequestRecorder
{
    private const int Waiting = 4_096;
    private readonly Channel<(Experiment Experiment, object Request)> _queue =
        Channel.CreateBounded<(Experiment, object)>(new BoundedChannelOptions(Waiting) { SingleReader = true });

    private double _share;
    private long _dropped;

    /// <summary>The share of requests that is recorded, from 0 to 1.</summary>
    public double Share
    {
        get => Volatile.Read(ref _share);
        set => Volatile.Write(ref _share, value);
    }

    /// <summary>Requests that came while the queue was full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Note(Experiment experiment, object? request)
    {
        var share = Share;
        // Chance alone decides: what is recorded must not depend on what the request is.
        if (share <= 0 || request is null || (share < 1 && Random.Shared.NextDouble() >= share)) return;
        if (!_queue.Writer.TryWrite((experiment, request))) Interlocked.Increment(ref _dropped);
    }

    /// <summary>What waits, at most so many.</summary>
    public IReadOnlyList<(Experiment Experiment, object Request)> Take(int most)
    {
        List<(Experiment, object)> taken = [];
        while (taken.Count < most && _queue.Reader.TryRead(out var one)) taken.Add(one);
        return taken;
    }
}
