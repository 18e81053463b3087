using System.Diagnostics;
using Shadowing.Model;

namespace Shadowing.Postgres.Writes;

/// <summary>Reads the rows of one write on a snapshot from before it and on one from after it.</summary>
internal sealed class SnapshotPair
{
    private readonly SnapshotStage _stage;
    private readonly object _request;
    private readonly DateTime _from;
    private readonly Task<OldSnapshot> _opening;

    public SnapshotPair(SnapshotStage stage, object request)
    {
        (_stage, _request, _from) = (stage, request, stage.Clock.GetUtcNow().UtcDateTime);
        _opening = OpenAsync();
    }

    /// <summary>Waits until the first snapshot is taken, or could not be, but no longer than <paramref name="patience"/>.</summary>
    /// <returns>How long that took.</returns>
    public async ValueTask<TimeSpan> WaitAsync(TimeSpan patience)
    {
        var began = _stage.Clock.GetTimestamp();
        await ((Task)_opening).WaitAsync(patience, _stage.Clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _stage.Clock.GetElapsedTime(began);
    }

    /// <summary>Ends it unread.</summary>
    public void GiveUp() => _ = EndAsync(_opening).ContinueWith(_ => _stage.Release(), TaskScheduler.Default);

    /// <summary>Reads both, now that the write has ended.</summary>
    /// <returns>Null where they cannot be read. Does not fail.</returns>
    public Task<WrittenRows?> ReadAsync(object? answer, StatementLedger ledger)
    {
        var to = _stage.Clock.GetUtcNow().UtcDateTime;
        // At once: the sooner it is taken, the fewer of other transactions' changes are in it.
        var later = OpenAsync();
        return Task.Run(() => TryReadAsync(later, answer, ledger, to));
    }

    private async Task<OldSnapshot> OpenAsync()
    {
        // The commands of the shadow are no commands of the write, nor of its trace.
        (_, Activity.Current) = (StatementLedger.Open(), null);
        return await OldSnapshot.OpenAsync(
            _stage.Snapshots, await _stage.ZoneAsync(CancellationToken.None), _stage.Clock, CancellationToken.None);
    }

    private async Task<WrittenRows?> TryReadAsync(Task<OldSnapshot> later, object? answer, StatementLedger ledger, DateTime to)
    {
        (_, Activity.Current) = (StatementLedger.Open(), null);
        try
        {
            var (old, now) = (await _opening, await later);
            return old.TryTake() && now.TryTake() ? await ReadAsync(old, now, answer, ledger, to) : null;
        }
#pragma warning disable CA1031 // For any failure: without its rows the write is not compared, which is counted.
        catch (Exception)
        {
            return null;
        }
#pragma warning restore CA1031
        finally
        {
            await EndAsync(later);
            await EndAsync(_opening);
            _stage.Release();
        }
    }

    private async Task<WrittenRows?> ReadAsync(
        OldSnapshot old, OldSnapshot now, object? answer, StatementLedger ledger, DateTime localTo)
    {
        var given = RowJson.Values(_request).ToHashSet();
        string[] values = [.. given.Union(RowJson.Values(answer)).Union(ledger.Values)];
        var tables = await _stage.TablesAsync(CancellationToken.None);
        var (before, after) = (
            new RowFinder(tables, old.Transaction, _stage.MaxRows), new RowFinder(tables, now.Transaction, _stage.MaxRows));
        await after.FindAsync(values, CancellationToken.None);
        await before.FindAsync(values, CancellationToken.None);
        await before.FetchAsync(Only(after.Rows, before.Rows), CancellationToken.None);
        var bystanders = await before.FindNeighboursAsync(CancellationToken.None);
        await after.FetchAsync(Only(before.Rows, after.Rows), CancellationToken.None);
        var image = SnapshotStage.ImageOf(before.Rows, bystanders, given) with
        {
            Tables = tables.ToDictionary(table => table.Name, table => table.Shape),
        };
        if (image.IsTooLarge || after.Rows.IsTooMuch) return WrittenRows.Untouched(RowImage.Empty with { IsTooLarge = true });
        // With it went rows that were not read, or lost what they referred to.
        if (before.Crowded.Any(row => !after.Rows.All.ContainsKey(row)))
            return WrittenRows.Untouched(RowImage.Empty with { IsTooLarge = true });
        var window = new RunWindow(Earlier(old.Taken, _from), now.Taken, old.Offset, _from, localTo);
        return SnapshotDifference.Compute(image, before.Rows, after.Rows, ledger.Effects) with { Window = window };
    }

    // The snapshot may have been taken after the write's first command; this machine's clock bounds that.
    private static DateTime Earlier(DateTime taken, DateTime from) =>
        taken - from is { TotalSeconds: > -1 and < 1 } && from < taken ? from : taken - TimeSpan.FromMilliseconds(50);

    private static StoredRow[] Only(StoredRows rows, StoredRows others) =>
        [.. rows.All.Where(row => !others.All.ContainsKey(row.Key)).Select(row => row.Value)];

    private static async Task EndAsync(Task<OldSnapshot> snapshot)
    {
        try
        {
            await (await snapshot).DisposeAsync();
        }
#pragma warning disable CA1031 // A snapshot that could not be opened, or is lost, has nothing left to end.
        catch (Exception)
        {
        }
#pragma warning restore CA1031
    }
}
