using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Postgres.Stores;
using Shadowing.Supervision;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Keepers;

/// <summary>Runs the sweeps that were ordered for this build, one at a time, and goes on with those of replicas that died.</summary>
internal sealed class SweepKeeper<TStore>(
    SweepStore store, Sweeper<TStore> sweeper, IReadOnlyList<Sweep<TStore>> sweeps, EvidenceLedger ledger, InstanceRecord instance,
    ShadowingReport report, StoreMark marks, KeeperRegister keepers) : Keeper(
        new("sweeps", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan) { LongestPause = TimeSpan.FromSeconds(10) }, keepers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Releasing = TimeSpan.FromSeconds(1);
    private MarkCursor? _cursor;
    private volatile bool _isFaulty;

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!instance.HasBegun) return;
        _cursor ??= new(marks, Clock);
        var mark = _cursor.Latest;
        if (!_cursor.IsDue(mark)) return;
        SweepOrder? claimed = null;
        await WithinAsync(
            async token => claimed = await store.ClaimAsync(instance.Id, report.Replica, ledger.Fingerprint, token), Patience,
                cancellationToken);
        if (claimed is null) _cursor.Done(mark);
        if (claimed is not { } order || sweeps.FirstOrDefault(one => one.Experiment.Operation == order.Operation) is not { } sweep) return;

        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var beating = BeatAsync(order.Id, lost);
        try
        {
            // What began anew is swept by what is accepted since.
            while (ledger.IsBehind(order.Operation, order.Epochs)) await Task.Delay(Plan.Interval, Clock, lost.Token);
            if (order.Sequence == 0 && await sweep.CountAsync(lost.Token) is { } total)
                await store.MeasureAsync(order.Id, total, lost.Token);
            await sweeper.RunAsync(sweep, order, AdvanceAsync, lost.Token);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            // The sweep was stopped or taken by another replica, or its heartbeat failed, which is thrown below.
        }
        catch (Exception fault) when (fault is Npgsql.PostgresException or not (Npgsql.NpgsqlException or TimeoutException))
        {
            // The walk is the application's own code. It is tried again from where it was, by the replica that claims it next.
            _isFaulty = true;
            throw;
        }
        finally
        {
            await lost.CancelAsync();
            await beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await WithinAsync(token => store.ReleaseAsync(order.Id, instance.Id, token), Releasing, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await beating;
    }

    /// <summary>Cancels the sweep once it is no longer this run's to do, or the store cannot be asked.</summary>
    private async Task BeatAsync(long id, CancellationTokenSource lost)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Plan.Interval, Clock, lost.Token);
                var isMine = true;
                await WithinAsync(async token => isMine = await store.BeatAsync(id, instance.Id, token), Patience, lost.Token);
                if (!isMine) await lost.CancelAsync();
                // Proof that the store works, and not of more: a walk with a fault must get further first.
                else if (!_isFaulty) Standing.Succeeded();
            }
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            // The sweep has ended.
        }
        catch
        {
            await lost.CancelAsync();
            throw;
        }
    }

    private async Task<bool> AdvanceAsync(SweepAdvance advance, CancellationToken cancellationToken)
    {
        var isMine = await store.AdvanceAsync(instance.Id, advance, cancellationToken);
        _isFaulty = false;
        Standing.Succeeded();
        return isMine;
    }

    /// <summary>A step has no limit of its own, so each question to the store has one.</summary>
    private async Task WithinAsync(Func<CancellationToken, Task> ask, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience, Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await ask(either.Token);
        }
        catch (OperationCanceledException cancelled) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The store did not answer within {patience}.", cancelled);
        }
    }
}
