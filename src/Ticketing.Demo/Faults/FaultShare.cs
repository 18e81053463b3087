namespace Ticketing.Demo.Faults;

/// <summary>
/// Picks a share of what comes by, evenly, beginning with the first: a rare fault must not wait for the end of a short run.
/// </summary>
/// <param name="rate">In (0, 1].</param>
internal sealed class FaultShare(double rate)
{
    // A product such as 0.1 · 30 may come out a hair above the whole number.
    private const double Hair = 1e-9;

    private readonly Lock _lock = new();
    private long _seen;
    private long _taken;

    /// <summary>Whether the next one is picked: always when fewer than the share of all seen have been.</summary>
    public bool Take()
    {
        lock (_lock)
        {
            if (Math.Ceiling((++_seen * rate) - Hair) <= _taken) return false;
            _taken++;
            return true;
        }
    }

    /// <summary>What was picked last turned out not to fit: as if it had not come by.</summary>
    public void GiveBack()
    {
        lock (_lock)
        {
            _seen--;
            _taken--;
        }
    }
}
