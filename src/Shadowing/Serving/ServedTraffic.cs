namespace Shadowing.Serving;

/// <summary>How many served operations are running now: what the lane yields to.</summary>
internal sealed class ServedTraffic
{
    private int _running;

    public bool IsBusy => Volatile.Read(ref _running) > 0;

    public void Enter() => Interlocked.Increment(ref _running);

    public void Leave() => Interlocked.Decrement(ref _running);
}
