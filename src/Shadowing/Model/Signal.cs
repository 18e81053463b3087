namespace Shadowing.Model;

/// <summary>Wakes somebody who looks at intervals before the interval is over. However often it is set, it wakes once.</summary>
public sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim _set = new(0, 1);

    /// <summary>Wakes who waits, or who waits next.</summary>
    public void Set()
    {
        if (_set.CurrentCount > 0) return;
        try
        {
            _set.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else has.
        }
    }

    /// <summary>Returns when it has been set, or the time is over.</summary>
    public Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken) => _set.WaitAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _set.Dispose();
}
