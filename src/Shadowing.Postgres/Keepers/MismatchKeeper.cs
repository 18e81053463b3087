using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Shadowing.Journal;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Each second: stores what is new in the journal, learns what has been accepted on any replica, and forgets raw values whose time is over.
/// </summary>
internal sealed partial class MismatchKeeper(
    MismatchStore store, AuditLog audit, MismatchJournal journal, Acceptances acceptances, IncarnationRecord incarnation, Findings findings,
    IOptionsMonitor<ShadowingOptions> options, TimeProvider clock, ILogger<MismatchKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Parting = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pruning = TimeSpan.FromHours(1);
    private DateTimeOffset? _announced;
    private long _pruned = long.MinValue;

    /// <summary>Stores what the lane still found while it drained: it has stopped by now.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var limit = new CancellationTokenSource(Parting, clock);
        if (incarnation.HasBegun) await TryAsync(() => SaveAsync(limit.Token), limit.Token);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var tick = new PeriodicTimer(Interval, clock);
        try
        {
            while (await tick.WaitForNextTickAsync(stoppingToken))
            {
                journal.ForgetRaw(clock.GetUtcNow());
                if (incarnation.HasBegun) await TryAsync(() => KeepAsync(stoppingToken), stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        await SaveAsync(cancellationToken);
        await store.LapseAsync(cancellationToken);
        acceptances.Replace(await store.AcceptancesAsync(cancellationToken));
        await AnnounceAsync(options.CurrentValue.RawSamples, cancellationToken);
        if (_pruned != long.MinValue && clock.GetElapsedTime(_pruned) < Pruning) return;
        await store.PruneAsync(cancellationToken);
        _pruned = clock.GetTimestamp();
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        if (journal.TakeChanged() is not { Count: > 0 } changed) return;
        try
        {
            await SaveAsync(changed, cancellationToken);
        }
        catch
        {
            journal.GiveBack(changed);
            throw;
        }
    }

    /// <summary>
    /// One that the store refuses as it is must not keep the others out: then each goes alone, and those refused are tried again each time.
    /// </summary>
    private async Task SaveAsync(IReadOnlyCollection<MismatchGroup> changed, CancellationToken cancellationToken)
    {
        List<MismatchGroup> refused = [];
        try
        {
            await store.SaveAsync(incarnation.Id, changed, cancellationToken);
        }
        catch (Exception failure) when (PostgresErrors.IsAboutData(failure))
        {
            foreach (var group in changed)
            {
                try
                {
                    await store.SaveAsync(incarnation.Id, [group], cancellationToken);
                }
                catch (Exception alone) when (PostgresErrors.IsAboutData(alone))
                {
                    refused.Add(group);
                }
            }
        }

        journal.GiveBack(refused);
        findings.Replace("mismatches", [.. refused.Select(group => new Finding(
            Finding.Critical, $"{group.Operation} {group.Signature}", "This mismatch cannot be stored; only this replica knows of it."))]);
    }

    private async Task AnnounceAsync(RawSamplesOptions raw, CancellationToken cancellationToken)
    {
        if (raw.Until is not { } until || until == _announced || until <= clock.GetUtcNow()) return;
        await audit.AddAsync(
            raw.Owner ?? "", "samples.unlock", options.CurrentValue.Replica, $"until {until:O}: {raw.Reason}", cancellationToken);
        _announced = until;
    }

    /// <summary>What could not be stored stays in memory and is tried again; the record of the run reports a store that is away.</summary>
    private async Task TryAsync(Func<Task> work, CancellationToken stopping)
    {
        try
        {
            await work();
        }
#pragma warning disable CA1031 // A keeper that ends keeps nothing any more: whatever one round failed of, the next is tried.
        catch (Exception failure) when (failure is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            if (failure is not (NpgsqlException or TimeoutException)) LogFailed(failure);
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(45, LogLevel.Error, "Keeping the mismatches failed; it is tried again.")]
    private partial void LogFailed(Exception failure);
}
