using Shadowing.Model;

namespace Shadowing.Confirming;

/// <summary>
/// Counts the users of a snapshot: a run that ignores its time limit goes on using the connection, and whoever is last closes it.
/// </summary>
internal sealed class SharedSnapshot<TStore>(ISnapshot<TStore> snapshot) : IAsyncDisposable
{
    private int _users = 1;

    public ISnapshot<TStore> Snapshot => snapshot;

    /// <summary>A side's store on the snapshot, as one more user of it.</summary>
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

    /// <summary>One user less.</summary>
    public ValueTask DisposeAsync() => Interlocked.Decrement(ref _users) == 0 ? snapshot.DisposeAsync() : ValueTask.CompletedTask;
}
