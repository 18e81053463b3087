using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Shadowing.Settings;

namespace Shadowing.Serving;

/// <summary>What waits for the lane: bounded in number, and in the memory that the rows of writes take up.</summary>
internal sealed class LaneQueue
{
    private readonly Channel<ShadowRun> _queue;
    private readonly SettingsInForce _settings;
    private readonly int _capacity;
    private long _bytes;

    public LaneQueue(SettingsInForce settings)
    {
        (_settings, _capacity) = (settings, settings.Current.QueueCapacity);
        _queue = Channel.CreateBounded<ShadowRun>(new BoundedChannelOptions(_capacity)
        {
            SingleReader = settings.Current.Workers == 1,
            AllowSynchronousContinuations = false,
        });
    }

    /// <summary>Whether what came now would be shed.</summary>
    public bool IsFull => _queue.Reader.Count >= _capacity || Volatile.Read(ref _bytes) >= _settings.Current.QueueBytes;

    /// <summary>Takes a run; it costs the caller one write, and waits for nothing.</summary>
    /// <returns>False where there is no room, or nothing is taken any more.</returns>
    public bool TryWrite(ShadowRun run)
    {
        if (run.Size == 0) return _queue.Writer.TryWrite(run);
        if (Interlocked.Add(ref _bytes, run.Size) <= _settings.Current.QueueBytes && _queue.Writer.TryWrite(run)) return true;
        Interlocked.Add(ref _bytes, -run.Size);
        return false;
    }

    public bool TryRead([NotNullWhen(true)] out ShadowRun? run)
    {
        if (!_queue.Reader.TryRead(out run)) return false;
        if (run.Size > 0) Interlocked.Add(ref _bytes, -run.Size);
        return true;
    }

    /// <summary>Takes nothing from now on.</summary>
    public void Complete() => _queue.Writer.TryComplete();
}
