namespace ShadowTicketing.Shadowing;

/// <summary>A store and what it runs on, for one operation.</summary>
public sealed class StoreLease<TStore>(TStore store, IAsyncDisposable resource) : IAsyncDisposable
{
    /// <summary>The store.</summary>
    public TStore Store => store;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => resource.DisposeAsync();
}

/// <summary>Opens a side's store where it is to run. Throws where the position's database cannot be reached.</summary>
/// <param name="writes">
/// Whether it writes, outside of any transaction of ours: then the connection may keep nothing that could fail it halfway (<see
/// cref="ErrorCategory.IsOutdated"/>). A read may be run again instead.
/// </param>
public delegate ValueTask<StoreLease<TStore>> OpenStore<TStore>(
    Side side, Position position, bool writes, CancellationToken cancellationToken);

/// <summary>Opens both sides' stores on one snapshot of the data.</summary>
public delegate ValueTask<ISnapshot<TStore>> OpenSnapshot<TStore>(CancellationToken cancellationToken);

/// <summary>Both sides' stores on one snapshot of the data, which neither can change.</summary>
public interface ISnapshot<TStore> : IAsyncDisposable
{
    /// <summary>A side's store; both see the same data, for as long as the snapshot is open, and neither the other's failure.</summary>
    ValueTask<TStore> StoreAsync(Side side, CancellationToken cancellationToken);

    /// <summary>Which data changed between a moment and this snapshot.</summary>
    /// <param name="horizon">The moment, as <see cref="SnapshotHorizon"/> gave it.</param>
    /// <param name="keys">The rows to look at; null asks for any row that an answer may rest on, a bounded number.</param>
    ValueTask<RowsMoved> MovedSinceAsync(string horizon, IReadOnlyCollection<int>? keys, CancellationToken cancellationToken);
}

/// <summary>What was written since a moment.</summary>
/// <param name="Any">Whether anything was, anywhere: it may have been a row that is gone again, and bears no witness.</param>
/// <param name="Keys">The keys asked for whose rows changed or are gone; empty where none were asked for.</param>
/// <param name="Names">Rows that changed, named with their table, where no keys were asked for.</param>
public sealed record RowsMoved(bool Any, IReadOnlyCollection<int> Keys, IReadOnlyList<string> Names)
{
    /// <summary>Nothing was written.</summary>
    public static RowsMoved Nothing { get; } = new(false, [], []);

    internal bool HasRows => Keys.Count > 0 || Names.Count > 0;
}

/// <summary>What the database had committed a moment ago, refreshed in the background: a served request can note it without asking.</summary>
public sealed class SnapshotHorizon
{
    private volatile string? _latest;
    private volatile bool _isWanted;

    /// <summary>The latest moment known; never later than now. Null until the first is known.</summary>
    public string? Latest
    {
        get
        {
            _isWanted = true;
            return _latest;
        }
    }

    /// <summary>Whether anybody has looked since the last moment was set: while nobody does, the database need not be asked.</summary>
    public bool IsWanted => _isWanted;

    /// <summary>Sets the latest moment.</summary>
    public void Set(string moment) => (_latest, _isWanted) = (moment, false);
}
