using System.Data;
using Npgsql;
using NpgsqlTypes;
using Shadowing.Model;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Snapshots;

/// <summary>
/// Opens both sides' stores on one REPEATABLE READ, read-only transaction of the shadow's own connection: no commit in between is seen by
/// either.
/// </summary>
/// <typeparam name="TStore">What both sides implement.</typeparam>
public sealed class OneSnapshotConfirmer<TStore>
{
    private readonly NpgsqlDataSource _shadow;
    private readonly NpgsqlDataSource _servedView;
    private readonly Func<Side, NpgsqlConnection, NpgsqlTransaction, TStore> _storeOver;
    private readonly Func<string> _rowVersions;
    private readonly Func<string> _anyVersions;

    /// <param name="shadow">The shadow's data source.</param>
    /// <param name="servedView">
    /// A small data source of the shadow's own, with the role and the settings of the served position: only read, and never one that users
    /// wait for.
    /// </param>
    /// <param name="storeOver">Builds a side's store over a transaction that it neither commits nor ends.</param>
    /// <param name="rowVersions">
    /// Gives a query of two columns: a key of <c>@keys</c> (<c>text[]</c>) as text, and the <c>xmin</c> of a row that an answer about it
    /// rests on, NULL for a row that is gone.
    /// </param>
    /// <param name="anyVersions">
    /// Gives a query of two columns: a name (<c>text</c>) and the <c>xmin</c> of every row that an answer may rest on where no key says
    /// which.
    /// </param>
    public OneSnapshotConfirmer(
        NpgsqlDataSource shadow, NpgsqlDataSource servedView, Func<Side, NpgsqlConnection, NpgsqlTransaction, TStore> storeOver,
        Func<string> rowVersions, Func<string> anyVersions)
    {
        (_shadow, _servedView, _storeOver) = (shadow, servedView, storeOver);
        (_rowVersions, _anyVersions) = (rowVersions, anyVersions);
    }

    private string MovedKeys => $"select distinct v.key from {Versions(_rowVersions())} where v.xid is null or {IsNew}";

    private string MovedRows => $"select v.key from {Versions(_anyVersions())} where {IsNew} limit 20";

    /// <summary>
    /// Not older than the oldest transaction that was running at the horizon. Its own list of those would be sharper, but does not name
    /// their subtransactions, whose rows carry ids of their own and would pass for committed.
    /// </summary>
    private const string IsNew =
        """
        (v.xid > 2 and case when base + v.xid > next then base + v.xid - 4294967296 else base + v.xid end
            >= pg_snapshot_xmin(@horizon::pg_snapshot)::text::bigint)
        """;

    // xmin has 32 bits, a snapshot 64: the upper half is that of the next transaction id, less one where the row would lie ahead of it.
    private static string Versions(string query) =>
        $"""
        (select r.key, r.version::text::bigint as xid from ({query}) as r(key, version)) v,
        (select next, next - next % 4294967296 as base from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next) n) e
        """;

    /// <summary>Opens a snapshot; it is fixed by the first statement that a store runs on it.</summary>
    public async ValueTask<ISnapshot<TStore>> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = await _shadow.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            await using var prepare = new NpgsqlCommand("set transaction read only; savepoint before_side", connection, transaction);
            await prepare.ExecuteNonQueryAsync(cancellationToken);
            return new Snapshot(this, connection, transaction);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private sealed class Snapshot(OneSnapshotConfirmer<TStore> opener, NpgsqlConnection connection, NpgsqlTransaction transaction)
        : ISnapshot<TStore>
    {
        private readonly List<IAsyncDisposable> _stores = [];

        public async ValueTask<Func<TStore>> StoreAsync(Side side, CancellationToken cancellationToken)
        {
            // A statement of the other side that failed has aborted the transaction up to here; the snapshot survives.
            await transaction.RollbackAsync("before_side", cancellationToken);
            return () =>
            {
                var store = opener._storeOver(side, connection, transaction);
                if (store is IAsyncDisposable own) _stores.Add(own);
                return store;
            };
        }

        public async ValueTask<StoreLease<TStore>> AsServedAsync(CancellationToken cancellationToken)
        {
            // A snapshot cannot be exported behind a savepoint.
            await transaction.RollbackAsync("before_side", cancellationToken);
            await using var export = new NpgsqlCommand(
                "release savepoint before_side; select pg_export_snapshot(); savepoint before_side", connection, transaction);
            var id = (string)(await export.ExecuteScalarAsync(cancellationToken))!;
            return await ServedView.OpenAsync(opener, id, cancellationToken);
        }

        public async ValueTask<RowsMoved> MovedSinceAsync(
            string horizon, IReadOnlyCollection<string>? keys, CancellationToken cancellationToken)
        {
            await transaction.RollbackAsync("before_side", cancellationToken);
            if (keys is { Count: 0 }) return RowsMoved.Nothing;
            return keys is null ? await AnyMovedAsync(horizon, cancellationToken) : await MovedAsync(horizon, keys, cancellationToken);
        }

        private async Task<RowsMoved> MovedAsync(string horizon, IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
        {
            await using var command = Since(horizon, opener.MovedKeys);
            command.Parameters.AddVerbatim(new("keys", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = keys.ToArray() });
            var moved = new List<string>();
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken)) moved.Add(reader.GetString(0));
            return new(moved.Count > 0, moved, []);
        }

        private async Task<RowsMoved> AnyMovedAsync(string horizon, CancellationToken cancellationToken)
        {
            var names = new List<string>();
            await using (var command = Since(horizon, opener.MovedRows))
            {
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken)) names.Add(reader.GetString(0));
            }

            if (names.Count > 0) return new(true, [], names);
            await using var any = Since(horizon, "select pg_current_snapshot()::text <> @horizon");
            return new((bool)(await any.ExecuteScalarAsync(cancellationToken))!, [], []);
        }

        private NpgsqlCommand Since(string horizon, string sql)
        {
            var command = new NpgsqlCommand(sql, connection, transaction);
            command.Parameters.AddVerbatim(new("horizon", NpgsqlDbType.Text) { Value = horizon });
            return command;
        }

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            // They share the connection, so none is disposed of before both sides have ended.
            foreach (var store in _stores) await store.DisposeAsync();
            await connection.DisposeAsync();
        }
    }

    /// <summary>The served position's look at a snapshot of the shadow's.</summary>
    private sealed class ServedView(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        private IAsyncDisposable? _store;

        public static async ValueTask<StoreLease<TStore>> OpenAsync(
            OneSnapshotConfirmer<TStore> opener, string snapshot, CancellationToken cancellationToken)
        {
            var connection = await opener._servedView.OpenConnectionAsync(cancellationToken);
            try
            {
                var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
                await using var import = new NpgsqlCommand(
                    $"set transaction read only; set transaction snapshot '{snapshot}'", connection, transaction);
                await import.ExecuteNonQueryAsync(cancellationToken);
                var view = new ServedView(connection, transaction);
                return new(() => view.Keep(opener._storeOver(Side.Control, connection, transaction)), view);
            }
            catch (PostgresException refused) when (PostgresErrors.IsForeignSnapshot(refused.SqlState))
            {
                await connection.DisposeAsync();
                throw new PositionsDifferException(refused);
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            if (_store is not null) await _store.DisposeAsync();
            await connection.DisposeAsync();
        }

        private TStore Keep(TStore store)
        {
            _store = store as IAsyncDisposable;
            return store;
        }
    }
}
