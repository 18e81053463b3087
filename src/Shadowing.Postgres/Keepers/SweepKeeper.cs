using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Keepers;

/// <summary>Runs the sweeps that were ordered for this build, one at a time, and goes on with those of replicas that died.</summary>
internal sealed partial class SweepKeeper<TStore>(
    SweepStore store, Sweeper<TStore> sweeper, IReadOnlyList<Sweep<TStore>> sweeps, EvidenceLedger ledger, IncarnationRecord incarnation,
    ShadowingReport report,
    TimeProvider clock, ILogger<SweepKeeper<TStore>> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pruning = TimeSpan.FromHours(1);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(10);
    private long _pruned;
    private long? _faulty;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _pruned = clock.GetTimestamp();
        using var tick = new PeriodicTimer(Interval, clock);
        try
        {
            while (await tick.WaitForNextTickAsync(stoppingToken))
            {
                if (incarnation.HasBegun) await TryAsync(() => LookAsync(stoppingToken));
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        if (clock.GetElapsedTime(_pruned) > Pruning)
        {
            _pruned = clock.GetTimestamp();
            await store.PruneAsync(stopping);
        }

        if (await store.ClaimAsync(incarnation.Id, report.Replica, ledger.Fingerprint, stopping) is not { } order) return;
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var beating = BeatAsync(order.Id, lost);
        try
        {
            if (sweeps.FirstOrDefault(one => one.Experiment.Operation == order.Operation) is not { } sweep) return;
            // What began anew is swept by what is accepted since.
            while (ledger.IsBehind(order.Operation, order.Epochs)) await Task.Delay(Interval, clock, lost.Token);
            if (order.Sequence == 0 && await sweep.CountAsync(lost.Token) is { } total)
                await store.MeasureAsync(order.Id, total, lost.Token);
            await sweeper.RunAsync(sweep, order, (advance, token) => store.AdvanceAsync(incarnation.Id, advance, token), lost.Token);
        }
        catch (OperationCanceledException)
        {
            // Stopped, or taken by another replica, or the service ends.
        }
#pragma warning disable CA1031 // A walk is the application's own code. It is tried again from where it was, by whoever claims it.
        catch (Exception fault) when (fault is PostgresException or not NpgsqlException)
        {
            if (_faulty != order.Id) LogFault(fault, order.Operation, order.Id);
            _faulty = order.Id;
            await Task.Delay(AfterFault, clock, stopping);
        }
#pragma warning restore CA1031
        finally
        {
            await lost.CancelAsync();
            await beating;
            using var limit = new CancellationTokenSource(Interval, clock);
            await TryAsync(() => store.ReleaseAsync(order.Id, incarnation.Id, limit.Token));
        }
    }

    /// <summary>
    /// Cancels the sweep once it is no longer this run's to do. A store that is away says nothing: the sweep's own advance will see.
    /// </summary>
    private async Task BeatAsync(long id, CancellationTokenSource lost)
    {
        try
        {
            using var tick = new PeriodicTimer(Interval, clock);
            while (await tick.WaitForNextTickAsync(lost.Token))
            {
                var isMine = true;
                await TryAsync(async () => isMine = await store.BeatAsync(id, incarnation.Id, lost.Token));
                if (!isMine) await lost.CancelAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The sweep has ended.
        }
    }

    private static async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            // The record of the run reports a store that is away; the sweep goes on where it was when it is back.
        }
    }

    [LoggerMessage(70, LogLevel.Error,
        "The sweep of {Operation} ({Id}) failed in its own walk; it is tried again from where it was, and logged this once.")]
    private partial void LogFault(Exception fault, string operation, long id);
}
