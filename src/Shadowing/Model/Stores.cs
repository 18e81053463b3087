namespace Shadowing.Model;

/// <summary>A place where a side can run one operation, and the store for it.</summary>
/// <param name="build">
/// Builds the store. It is the side's own code, so it runs within the side's time, and its failure counts as the side's.
/// </param>
/// <param name="resource">What the store runs on, such as a connection; disposed of with the lease.</param>
/// <remarks>Where the resource is null, the store holds nothing that is given back, and disposing does nothing.</remarks>
public sealed class StoreLease<TStore>(Func<TStore> build, IAsyncDisposable? resource) : IAsyncDisposable
{
    private TStore? _store;
    private bool _isBuilt;

    /// <summary>A store that is built already, and holds nothing: the lease may be given out again and again.</summary>
    public StoreLease(TStore store) : this(() => store, null) => (_store, _isBuilt) = (store, true);

    internal bool HoldsNothing => resource is null;

    /// <summary>The store, built at first use.</summary>
    public TStore Store
    {
        get
        {
            if (!_isBuilt) (_store, _isBuilt) = (build(), true);
            return _store!;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => resource?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>
/// Opens a place where a side can run. Throws only where the position's database is unavailable. It does the same for both sides, so its
/// failure counts for neither.
/// </summary>
public delegate ValueTask<StoreLease<TStore>> OpenStore<TStore>(StorePlace place, CancellationToken cancellationToken);

/// <summary>Where a side is to run one operation.</summary>
/// <param name="Writes">
/// Whether the side writes, without a transaction around it. Then the connection may keep no prepared statement, because one could fail
/// halfway (<see cref="ErrorCategory.IsOutdated"/>). A read can be run again instead.
/// </param>
/// <param name="Scope">
/// The services of the request that waits for the answer: the side is taken from there, as the application always did. Null where no
/// request waits, or where the request's own services may still be used by a side that was too late.
/// </param>
public readonly record struct StorePlace(Side Side, Position Position, bool Writes, IServiceProvider? Scope = null);

/// <summary>Opens both sides' stores on one snapshot of the data.</summary>
public delegate ValueTask<ISnapshot<TStore>> OpenSnapshot<TStore>(CancellationToken cancellationToken);

/// <summary>Both sides' stores on one snapshot of the data, which neither can change.</summary>
public interface ISnapshot<TStore> : IAsyncDisposable
{
    /// <summary>
    /// Prepares the snapshot for a side. Both sides see the same data while it is open, and neither is affected by the other's failure.
    /// </summary>
    /// <returns>A function that builds the side's store on it.</returns>
    ValueTask<Func<TStore>> StoreAsync(Side side, CancellationToken cancellationToken);

    /// <summary>Opens the control's store on this snapshot, with the role and the settings of the served position.</summary>
    /// <exception cref="PositionsDifferException">The served position cannot read this snapshot: it is on another database.</exception>
    /// <exception cref="Exception">The store is not available now.</exception>
    ValueTask<StoreLease<TStore>> AsServedAsync(CancellationToken cancellationToken);

    /// <summary>Which data changed between a moment and this snapshot.</summary>
    /// <param name="horizon">The moment, as <see cref="SnapshotHorizon"/> gave it.</param>
    /// <param name="keys">The rows to check; null checks a bounded number of all rows that an answer may depend on.</param>
    ValueTask<RowsMoved> MovedSinceAsync(string horizon, IReadOnlyCollection<string>? keys, CancellationToken cancellationToken);
}

/// <summary>The served position and the shadow's do not read the same database.</summary>
public sealed class PositionsDifferException(Exception cause)
    : Exception("The served position cannot look at the shadow's snapshot.", cause);

/// <summary>What was written since a moment.</summary>
/// <param name="Any">Whether anything was written anywhere; also true if the row has been deleted since, so that no row shows it.</param>
/// <param name="Keys">The requested keys whose rows changed or are gone; empty where no keys were given.</param>
/// <param name="Names">Rows that changed, named with their table, where no keys were given.</param>
public sealed record RowsMoved(bool Any, IReadOnlyCollection<string> Keys, IReadOnlyList<string> Names)
{
    /// <summary>Nothing was written.</summary>
    public static RowsMoved Nothing { get; } = new(false, [], []);

    internal bool HasRows => Keys.Count > 0 || Names.Count > 0;
}

/// <summary>
/// What the database had committed a moment ago. It is refreshed in the background, so that a served request can note it without a query.
/// </summary>
public sealed class SnapshotHorizon
{
    private volatile string? _latest;
    private volatile bool _isWanted;

    /// <summary>The latest known moment; never later than now. Null before the first.</summary>
    public string? Latest
    {
        get
        {
            _isWanted = true;
            return _latest;
        }
    }

    /// <summary>Whether <see cref="Latest"/> was read since the last moment was set; if not, the database need not be asked.</summary>
    public bool IsWanted => _isWanted;

    /// <summary>Sets the latest moment.</summary>
    public void Set(string moment) => (_latest, _isWanted) = (moment, false);
}
