namespace Shadowing.Serving;

/// <summary>When a worker of the lane looks again: at the pace of the settings, and slower while nothing comes.</summary>
internal sealed class LaneTimer(TimeSpan interval, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdlePoll = TimeSpan.FromMilliseconds(20);

    private readonly PeriodicTimer _timer = new(interval, clock);
    private long _lastWork = clock.GetTimestamp();

    /// <summary>Something has come, or has been done: looks go on at the full pace.</summary>
    public void Worked()
    {
        _lastWork = clock.GetTimestamp();
        Pace(interval);
    }

    /// <summary>Waits for the next look, longer after a second without work.</summary>
    public ValueTask<bool> WaitIdleAsync()
    {
        if (clock.GetElapsedTime(_lastWork) > IdleAfter) Pace(IdlePoll > interval ? IdlePoll : interval);
        return WaitAsync();
    }

    /// <summary>Waits for the next look. Once disposed, it ends at once: what is left is drained.</summary>
    public ValueTask<bool> WaitAsync() => _timer.WaitForNextTickAsync();

    public void Dispose() => _timer.Dispose();

    private void Pace(TimeSpan period)
    {
        try
        {
            if (_timer.Period != period) _timer.Period = period;
        }
        catch (ObjectDisposedException)
        {
            // The lane is being stopped; there is nothing left to wait for.
        }
    }
}
