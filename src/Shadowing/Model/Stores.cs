namespace Shadowing.Model;

/// <summary>A place where a side can run one operation, and the store over it.</summary>
/// <param name="build">
/// Builds the store. It is the side's own code, so it runs with the side: in its time, and its failure is the side's.
/// </param>
/// <param name="resource">What the store runs on, such as a connection; closed with the lease.</param>
public sealed class StoreLease<TStore>(Func<TStore> build, IAsyncDisposable resource) : IAsyncDisposable
{
    private TStore? _store;
    private bool _isBuilt;

    /// <summary>The store, built when it is first asked for.</summary>
    public TStore Store
    {
        get
        {
            if (!_isBuilt) (_store, _isBuilt) = (build(), true);
            return _store!;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => resource.DisposeAsync();
}

/// <summary>
/// Opens a place where a side can run. Throws only where the position's database cannot be had: what this does is the same for both sides,
/// and its failure is no word about either.
/// </summary>
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
    /// <summary>
    /// Makes the snapshot ready for a side: both see the same data while it is open, and neither sees the other's failure.
    /// </summary>
    /// <returns>Builds the side's store on it.</returns>
    ValueTask<Func<TStore>> StoreAsync(Side side, CancellationToken cancellationToken);

    /// <summary>Opens the control's store on this very snapshot, with the role and the settings of the served position.</summary>
    /// <exception cref="PositionsDifferException">The served position cannot look at this snapshot: it is on another database.</exception>
    /// <exception cref="Exception">It cannot be had now.</exception>
    ValueTask<StoreLease<TStore>> AsServedAsync(CancellationToken cancellationToken);

    /// <summary>Which data changed between a moment and this snapshot.</summary>
    /// <param name="horizon">The moment, as <see cref="SnapshotHorizon"/> gave it.</param>
    /// <param name="keys">The rows to look at; null asks for any row that an answer may rest on, a bounded number.</param>
    ValueTask<RowsMoved> MovedSinceAsync(string horizon, IReadOnlyCollection<int>? keys, CancellationToken cancellationToken);
}

/// <summary>The served position and the shadow's do not look at the same database.</summary>
public sealed class PositionsDifferException(Exception cause)
    : Exception("The served position cannot look at the shadow's snapshot.", cause);

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

/// <summary>
/// What the database had committed a moment ago, refreshed in the background: a served request can note it without asking.
/// </summary>
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
