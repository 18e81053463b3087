using Npgsql;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Console.Data;

/// <summary>
/// The outcomes of the last hour on all replicas, minute by minute, read at most once a second however many pages are open: so every
/// replica shows the same, also one that has just started.
/// </summary>
internal sealed class StoredOutcomes(EvidenceStore store, TimeProvider clock) : IOutcomes, IDisposable
{
    private const int Minutes = 60;
    private static readonly TimeSpan Holds = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _one = new(1);
    private OutcomeMinutes? _read;
    private OutcomeSeries _latest = new("not read yet", new Dictionary<string, IReadOnlyList<Spark>>());
    private long _readAt;

    public async Task<OutcomeSeries> ReadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_read is null || clock.GetElapsedTime(_readAt) >= Holds) await ReadAgainAsync(cancellationToken);
            return _latest;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task ReadAgainAsync(CancellationToken cancellationToken)
    {
        try
        {
            // A minute that is over stays as it is; a transaction that began in it may still add to the one before the latest.
            var since = _read?.Latest.AddMinutes(-1);
            var fresh = await store.OutcomesAsync(since, cancellationToken);
            var first = fresh.Latest.AddMinutes(1 - Minutes);
            var kept = _read?.Minutes.Where(minute => minute.Minute >= first && minute.Minute < since) ?? [];
            _read = fresh with { Minutes = [.. kept, .. fresh.Minutes] };
            _latest = new("the last hour on all replicas, minute by minute", _read.Minutes.GroupBy(minute => minute.Operation)
                .ToDictionary(one => one.Key, IReadOnlyList<Spark> (one) => Bars(one, first)));
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException)
        {
            _latest = _latest with { Covers = "not up to date: the evidence store cannot be reached" };
        }

        _readAt = clock.GetTimestamp();
    }

    private static Spark[] Bars(IEnumerable<OutcomeMinute> minutes, DateTimeOffset first)
    {
        var bars = new Spark[Minutes];
        Array.Fill(bars, new(0, 0, 0));
        foreach (var minute in minutes)
        {
            var at = (int)(minute.Minute - first).TotalMinutes;
            if (at is >= 0 and < Minutes)
                bars[at] = new(minute.Comparisons - minute.Differing - minute.Undecided, minute.Undecided, minute.Differing);
        }

        return bars;
    }
}
