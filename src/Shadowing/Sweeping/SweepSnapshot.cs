using Shadowing.Confirming;
using Shadowing.Model;

namespace Shadowing.Sweeping;

/// <summary>
/// The snapshot that a sweep works on. It is opened when needed and never kept for long, because an open snapshot keeps the database from
/// removing dead rows.
/// </summary>
internal sealed class SweepSnapshot<TStore>(OpenSnapshot<TStore> open, TimeSpan maxAge, TimeProvider clock) : IAsyncDisposable
{
    private SharedSnapshot<TStore>? _snapshot;
    private long _openedAt;

    /// <summary>A moment before the snapshot was opened.</summary>
    public string? Horizon { get; private set; }

    /// <returns>Whether there is a snapshot now; the database may be unavailable.</returns>
    public async Task<bool> IsOpenAsync(Func<string?> horizon, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (_snapshot is not null) return true;
        using var late = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            (Horizon, _openedAt) = (horizon(), clock.GetTimestamp());
            _snapshot = new(await open(either.Token));
            return true;
        }
#pragma warning disable CA1031 // Without a snapshot, for any reason, the sweep waits and tries again.
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
#pragma warning restore CA1031
    }

    public ValueTask<StoreLease<TStore>> LeaseAsync(Side side, CancellationToken cancellationToken) =>
        _snapshot!.LeaseAsync(side, cancellationToken);

    public ValueTask CloseIfOldAsync() =>
        _snapshot is not null && clock.GetElapsedTime(_openedAt) >= maxAge ? CloseAsync() : ValueTask.CompletedTask;

    /// <summary>Gives the snapshot up; its last user closes it.</summary>
    public ValueTask CloseAsync()
    {
        var snapshot = _snapshot;
        _snapshot = null;
        return snapshot?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => CloseAsync();
}
