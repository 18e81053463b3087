namespace Shadowing.Model;

/// <summary>Wakes a waiting loop before its interval is over. If it is set several times before that, it wakes the loop once.</summary>
public sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim _set = new(0, 1);

    /// <summary>Wakes the loop that waits, or the next one to wait.</summary>
    public void Set()
    {
        if (_set.CurrentCount > 0) return;
        try
        {
            _set.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another thread has set it at the same time.
        }
    }

    /// <summary>Returns when it has been set, or the time is over.</summary>
    public Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken) => _set.WaitAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _set.Dispose();
}
