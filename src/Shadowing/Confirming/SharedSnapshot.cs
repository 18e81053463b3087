using Shadowing.Model;

namespace Shadowing.Confirming;

/// <summary>
/// Counts the users of a snapshot. A run that ignores its time limit goes on using the connection, so the last user closes it.
/// </summary>
internal sealed class SharedSnapshot<TStore>(ISnapshot<TStore> snapshot) : IAsyncDisposable
{
    private int _users = 1;

    public ISnapshot<TStore> Snapshot => snapshot;

    /// <summary>A side's store on the snapshot; it adds one user.</summary>
    public async ValueTask<StoreLease<TStore>> LeaseAsync(Side side, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _users);
        try
        {
            return new(await snapshot.StoreAsync(side, cancellationToken), this);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Removes one user, and closes the snapshot after the last.</summary>
    public ValueTask DisposeAsync() => Interlocked.Decrement(ref _users) == 0 ? snapshot.DisposeAsync() : ValueTask.CompletedTask;
}
