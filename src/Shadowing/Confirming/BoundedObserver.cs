using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Confirming;

/// <summary>
/// Observes shadow runs within their time limit, even those that ignore it: what does not end is abandoned, counted, and cleaned up after.
/// </summary>
internal sealed class BoundedObserver(SettingsInForce settings, DatabaseTimeBudget budget, TimeProvider clock)
{
    private int _abandoned;

    /// <summary>Whether as many abandoned runs are going as may be.</summary>
    public bool IsExhausted => Volatile.Read(ref _abandoned) >= settings.Current.MaxAbandoned;

    /// <summary>
    /// Opens a store and runs on it, on a thread of its own choosing, so that a side which blocks does not block the lane.
    /// </summary>
    /// <returns>
    /// The observation. Never throws: a store that cannot be had is observed as <see cref="ShadowUnavailableException"/>, a run that passes
    /// its limit as <see cref="ShadowTimeoutException"/>. The lease is disposed, and its time in the database charged, once the run has
    /// really ended.
    /// </returns>
    public async Task<Observation<T>> ObserveAsync<TStore, T>(
        Func<CancellationToken, ValueTask<StoreLease<TStore>>> open, Func<TStore, CancellationToken, Task<T>> run,
        CancellationToken stopping,
        Position position = Position.Shadow)
    {
        var limit = settings.Current.ShadowTimeout;
        var timer = new CancellationTokenSource(limit, clock);
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stopping);
        var started = clock.GetTimestamp();
        var observing =
            Task.Run(() => RunAsync(open, run, () => timer.IsCancellationRequested, position, cancellation.Token), CancellationToken.None);
        try
        {
            return await observing.WaitAsync(limit + settings.Current.CancelGrace, clock, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            Interlocked.Increment(ref _abandoned);
            _ = observing.ContinueWith(_ => Interlocked.Decrement(ref _abandoned), TaskScheduler.Default);
            return new(default, new ShadowTimeoutException(limit), clock.GetElapsedTime(started), new());
        }
        finally
        {
            _ = observing.ContinueWith(
                _ =>
                {
                    cancellation.Dispose();
                    timer.Dispose();
                },
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

#pragma warning disable CA1031 // A side may throw anything; that is what is observed.
    private async Task<Observation<T>> RunAsync<TStore, T>(
        Func<CancellationToken, ValueTask<StoreLease<TStore>>> open, Func<TStore, CancellationToken, Task<T>> run, Func<bool> isTimedOut,
        Position position, CancellationToken cancellation)
    {
        // Opening is not what is observed, but the database worked for it.
        var opening = StatementLedger.Open();
        StoreLease<TStore> lease;
        try
        {
            lease = await open(cancellation);
        }
        catch (Exception cause)
        {
            if (position is Position.Shadow) budget.Charge(opening.DatabaseTime);
            return new(default, new ShadowUnavailableException(cause), TimeSpan.Zero, new());
        }

        var ledger = StatementLedger.Open();
        var started = clock.GetTimestamp();
        try
        {
            var value = await run(lease.Store, cancellation);
            return new(value, null, clock.GetElapsedTime(started), ledger);
        }
        catch (Exception error)
        {
            var observed = isTimedOut() ? new ShadowTimeoutException(settings.Current.ShadowTimeout) : error;
            return new(default, observed, clock.GetElapsedTime(started), ledger);
        }
        finally
        {
            if (position is Position.Shadow) budget.Charge(opening.DatabaseTime + ledger.DatabaseTime);
            try
            {
                await lease.DisposeAsync();
            }
            catch (Exception)
            {
                // A connection that will not even close says nothing of the observation; the pool drops it.
            }
        }
    }
#pragma warning restore CA1031
}
