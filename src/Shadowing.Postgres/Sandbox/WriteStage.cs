using Npgsql;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Postgres.Sandbox;

/// <summary>By which connections writes are made for users, and their rows are read.</summary>
/// <param name="ServedAsync">Opens a connection of the role that writes for users.</param>
/// <param name="Ending">
/// Of the same role, for itself: ends sessions of its own that hang, when <paramref name="ServedAsync"/> may have none to spare.
/// </param>
/// <param name="Shadow">Of the role that reads unseen.</param>
public sealed record WriteConnections(
    Func<CancellationToken, ValueTask<NpgsqlConnection>> ServedAsync, NpgsqlDataSource Ending, NpgsqlDataSource Shadow);

/// <summary>Where writes run on PostgreSQL.</summary>
/// <param name="storeOver">Builds a side's store over a transaction that it neither commits nor ends.</param>
/// <param name="footprintOf">Says which rows a request concerns.</param>
/// <param name="maxRows">Rows of an image; a write that concerns more cannot be compared.</param>
public sealed class WriteStage<TStore>(
    WriteConnections connections, WriteSandbox sandbox,
    Func<Side, NpgsqlConnection, NpgsqlTransaction, TStore> storeOver, Func<object, WriteFootprint> footprintOf, int maxRows,
    TimeProvider clock) : IWriteStage<TStore>
{
    private readonly RowImages _images = new(sandbox.Tables, maxRows);

    /// <inheritdoc/>
    public bool ServesCandidate => true;

    /// <inheritdoc/>
    public bool CanUndo => true;

    /// <inheritdoc/>
    public async ValueTask<IServedWrite<TStore>> ServeAsync(WriteCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        var footprint = call.WithImages || call.Side is Side.Candidate ? footprintOf(call.Request) : null;
        return await ServedWrite<TStore>.BeginAsync(
            connections, _images, new(footprint, call.WithImages, MayDoWithout: call.Side is Side.Control),
            (connection, transaction) => storeOver(call.Side, connection, transaction), clock, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<RowImage> ImageAsync(object request, CancellationToken cancellationToken) =>
        _images.NowAsync(connections.Shadow, footprintOf(request), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IWriteScope<TStore>> OpenSandboxAsync(
        Side side, WrittenRows written, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(written);
        var session = await sandbox.OpenAsync(written.Before, written.NewKeys, cancellationToken);
        return new Scope(() => storeOver(side, session.Connection, session.Transaction), session);
    }

    private sealed class Scope(Func<TStore> build, SandboxSession session) : IWriteScope<TStore>
    {
        private readonly Lazy<TStore> _store = new(build, LazyThreadSafetyMode.None);

        public TStore Store => _store.Value;

        public bool KeepsWhatFailed => false;

        public Task<WrittenRows> ReadAsync(StatementLedger ledger, CancellationToken cancellationToken) =>
            session.ReadAsync(cancellationToken);

        public ValueTask DisposeAsync() => session.DisposeAsync();
    }
}
