namespace Shadowing.Serving;

/// <summary>
/// Which requests of an operation are timed for histograms: all while there are few, and beyond a number a second so many drawn by chance.
/// Recording is what costs a caller most. Safe for concurrent use.
/// </summary>
internal sealed class TimedShare(TimeProvider clock)
{
    /// <summary>Requests a second that are timed, on average, where there are more.</summary>
    private const int PerSecond = 50;

    private long _second;
    private int _now;
    private int _before;

    /// <summary>Whether a request is timed; drawn before it runs, so that how long it takes decides nothing.</summary>
    /// <param name="arrived">The timestamp at which it came.</param>
    public bool Draw(long arrived)
    {
        var (second, known) = (arrived / clock.TimestampFrequency, Volatile.Read(ref _second));
        if (second > known && Interlocked.CompareExchange(ref _second, second, known) == known)
        {
            var counted = Interlocked.Exchange(ref _now, 0);
            Volatile.Write(ref _before, second == known + 1 ? counted : 0);
        }

        var now = Interlocked.Increment(ref _now);
        var rate = Math.Max(now, Volatile.Read(ref _before));
#pragma warning disable CA5394 // Sampling needs no secret.
        return rate <= PerSecond || Random.Shared.Next(rate) < PerSecond;
#pragma warning restore CA5394
    }
}
