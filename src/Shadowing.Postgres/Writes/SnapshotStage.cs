using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Postgres.Checks;
using Shadowing.Settings;
using Shadowing.Writing;

namespace Shadowing.Postgres.Writes;

/// <summary>
/// Where writes run whose sides begin and commit as they like: users' as they always did, with a snapshot opened beside them and another
/// after them; the shadow's in the sandbox, on the rows of the first.
/// </summary>
/// <remarks>
/// Nothing is added to the user's transaction. That exactly this write lies between the two snapshots is not taken for granted: the
/// candidate, or the control when it is asked again, must do in the sandbox what was done between them.
/// </remarks>
internal sealed class SnapshotStage(
    CopySandbox sandbox, NpgsqlDataSource snapshots, NpgsqlDataSource servedView, IServiceScopeFactory scopes, SettingsInForce settings,
    TimeProvider clock)
    : IWriteStage<SideScope>
{
    /// <summary>How many snapshots may be open for writes; a write beyond these is not compared.</summary>
    private const int MostOpen = 4;

    private int _open;
    private string? _zone;

    /// <summary>With the shadow's role. Only statements of this class's own run there.</summary>
    public NpgsqlDataSource Snapshots => snapshots;

    /// <summary>This machine's clock.</summary>
    public TimeProvider Clock => clock;

    /// <summary>A write that concerns more rows cannot be compared.</summary>
    public int MaxRows => settings.Current.MaxImageRows;

    /// <inheritdoc/>
    public bool ServesCandidate => true;

    /// <inheritdoc/>
    public bool CanUndo => false;

    /// <inheritdoc/>
    public async ValueTask<IServedWrite<SideScope>> ServeAsync(WriteCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        var scope = call.Scope ?? throw new InvalidOperationException("A write of a compared interface has the request's services.");
        var reader = call.WithImages && TryEnter() ? new SnapshotPair(this, call.Request) : null;
        return new OwnWrite(call.Side, SideScope.InRequest(call.Side, scope), reader)
        {
            ImageTime = reader is null ? TimeSpan.Zero : await reader.WaitAsync(settings.Current.SnapshotWait),
        };
    }

    /// <inheritdoc/>
    public async Task<RowImage> ImageAsync(object request, CancellationToken cancellationToken)
    {
        await using var connection = await snapshots.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var given = RowJson.Values(request).ToHashSet();
        var finder = new RowFinder(await TablesAsync(cancellationToken), transaction, MaxRows);
        await finder.FindAsync(given, cancellationToken);
        var bystanders = await finder.FindNeighboursAsync(cancellationToken);
        return ImageOf(finder.Rows, bystanders, given);
    }

    /// <inheritdoc/>
    public async ValueTask<IWriteScope<SideScope>> OpenSandboxAsync(Side side, WrittenRows written, CancellationToken cancellationToken)
    {
        var session = await sandbox.OpenAsync(written, await ZoneAsync(cancellationToken), cancellationToken);
        return new CopiedWrite(() => SideScope.Create(scopes, side, Position.Shadow, session.Connection), session);
    }

    /// <summary>
    /// Reads what writes need to know, and goes once the way that they go, so that the first of them does not wait for what is done once.
    /// </summary>
    /// <returns>The powers of the sandbox's role that the role must not have.</returns>
    /// <inheritdoc cref="CopySandbox.OpenAsync"/>
    public async Task<IReadOnlyList<ExcessPower>> CheckAsync(CancellationToken cancellationToken)
    {
        var powers = await sandbox.CheckRoleAsync(cancellationToken);
        _zone = null;
        var zone = await ZoneAsync(cancellationToken);
        var tables = await TablesAsync(cancellationToken);
        // At once, so that each has a session of its own, which stays: opening one takes longer than most writes.
        await Task.WhenAll(Enumerable.Range(0, MostOpen).Select(async _ =>
        {
            await using var snapshot = await OldSnapshot.OpenAsync(snapshots, zone, clock, cancellationToken);
            if (!snapshot.TryTake()) return;
            var finder = new RowFinder(tables, snapshot.Transaction, MaxRows);
            await finder.FindAsync(["0"], cancellationToken);
            await finder.FindNeighboursAsync(cancellationToken);
        }));
        return powers;
    }

    /// <summary>The tables; the first session of the sandbox reads them.</summary>
    public async Task<IReadOnlyList<WriteTable>> TablesAsync(CancellationToken cancellationToken)
    {
        if (sandbox.Tables is null)
        {
            var session = await sandbox.OpenAsync(WrittenRows.Untouched(RowImage.Empty), "UTC", cancellationToken);
            await session.DisposeAsync();
        }

        return sandbox.Tables!.All;
    }

    /// <summary>The image of rows that were found.</summary>
    /// <param name="given">The values that the request named.</param>
    public static RowImage ImageOf(StoredRows rows, IReadOnlySet<RowKey> bystanders, IReadOnlySet<string> given) =>
        rows.IsTooMuch ? RowImage.Empty with { IsTooLarge = true }
        : new(rows.All.ToDictionary(row => row.Key, row => row.Value.Body)) { Bystanders = bystanders, Given = given };

    /// <summary>Gives a place back.</summary>
    public void Release() => Interlocked.Decrement(ref _open);

    private bool TryEnter()
    {
        if (Interlocked.Increment(ref _open) <= MostOpen) return true;
        Release();
        return false;
    }

    /// <summary>The time zone of users' sessions, in which times without a zone are made.</summary>
    public async ValueTask<string> ZoneAsync(CancellationToken cancellationToken)
    {
        if (_zone is { } known) return known;
        await using var command = servedView.CreateCommand("select current_setting('TimeZone')");
        return _zone = (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>A write in its own transactions, of a request's own services.</summary>
    /// <param name="rows">Reads its rows; null where none are read.</param>
    private sealed class OwnWrite(Side side, SideScope scope, SnapshotPair? rows) : IServedWrite<SideScope>
    {
        private SnapshotPair? _rows = rows;

        public SideScope Store => scope;

        public RowImage? Before => null;

        public TimeSpan ImageTime { get; init; }

        public bool IsUndone { get; private set; }

        public Task<WrittenRows?>? ReadLaterAsync(object? answer, StatementLedger ledger)
        {
            // A side commits as it likes, and a query may call a function that writes. The control's write is never repeated.
            IsUndone = side is Side.Candidate && ledger.HasNoEffect;
            return Interlocked.Exchange(ref _rows, null) is { } pair ? pair.ReadAsync(answer, ledger)
                : Task.FromResult<WrittenRows?>(null);
        }

        public Task<WrittenRows?> CommitAsync(CancellationToken cancellationToken) => Task.FromResult<WrittenRows?>(null);

        public Task AbandonAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync()
        {
            Interlocked.Exchange(ref _rows, null)?.GiveUp();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A write in the sandbox.</summary>
    private sealed class CopiedWrite(Func<SideScope> build, CopySession session) : IWriteScope<SideScope>
    {
        private SideScope? _scope;

        public SideScope Store => _scope ??= build();

        public bool KeepsWhatFailed => true;

        public Task<WrittenRows> ReadAsync(StatementLedger ledger, CancellationToken cancellationToken) =>
            session.ReadAsync(ledger, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            try
            {
                if (_scope is not null) await _scope.DisposeAsync();
            }
            finally
            {
                await session.DisposeAsync();
            }
        }
    }
}
