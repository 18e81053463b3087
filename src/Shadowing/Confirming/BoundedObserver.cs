using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Confirming;

/// <summary>
/// Observes shadow runs within their time limit, even those that ignore it: what does not end is abandoned, counted, and cleaned up after.
/// </summary>
internal sealed class BoundedObserver(SettingsInForce settings, DatabaseTimeBudget budget, AbandonedRuns abandoned, TimeProvider clock)
{
    /// <summary>A run that was in the database for less than this share of its time spent it in its own code.</summary>
    private const double LittleOfTime = 0.2;

    /// <summary>What was given up and goes on.</summary>
    public AbandonedRuns Abandoned => abandoned;

    /// <summary>
    /// Opens a store and runs on it, on a thread of its own choosing, so that a side which blocks does not block the lane.
    /// </summary>
    /// <param name="operation">The operation's name, for counting what is given up.</param>
    /// <returns>
    /// The observation. Never throws: a store that cannot be had is observed as <see cref="ShadowUnavailableException"/>, a run that passes
    /// its limit as <see cref="ShadowTimeoutException"/>. The lease is disposed, and its time in the database charged, once the run has
    /// really ended.
    /// </returns>
    public async Task<Observation<T>> ObserveAsync<TStore, T>(
        string operation, Func<CancellationToken, ValueTask<StoreLease<TStore>>> open,
        Func<TStore, CancellationToken, Task<T>> ask, CancellationToken stopping, Position position = Position.Shadow)
    {
        var limit = settings.Current.ShadowTimeout;
        var timer = new CancellationTokenSource(limit, clock);
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stopping);
        var started = clock.GetTimestamp();
        var run = new BoundedRun(() => timer.IsCancellationRequested, position);
        var observing = Task.Run(() => RunAsync(open, ask, run, cancellation.Token), CancellationToken.None);
        try
        {
            return await observing.WaitAsync(limit + settings.Current.CancelGrace, clock, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            var (ledger, elapsed) = (run.Ledger, clock.GetElapsedTime(started));
            var isInOwnCode = IsInOwnCode(ledger, elapsed);
            abandoned.Add(operation, observing, isInOwnCode);
            return new(default, new ShadowTimeoutException(limit) { IsInOwnCode = isInOwnCode }, elapsed, ledger ?? new());
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

    /// <summary>A run that has no ledger yet waits for its connection.</summary>
    private static bool IsInOwnCode(StatementLedger? ledger, TimeSpan elapsed) =>
        ledger is { IsRunning: false } && ledger.DatabaseTime < elapsed * LittleOfTime;

#pragma warning disable CA1031 // A side may throw anything; that is what is observed.
    private async Task<Observation<T>> RunAsync<TStore, T>(
        Func<CancellationToken, ValueTask<StoreLease<TStore>>> open, Func<TStore, CancellationToken, Task<T>> ask, BoundedRun run,
        CancellationToken cancellation)
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
            if (run.Position is Position.Shadow) budget.Charge(opening.DatabaseTime);
            return new(default, new ShadowUnavailableException(cause), TimeSpan.Zero, new());
        }

        var ledger = run.Ledger = StatementLedger.Open();
        var started = clock.GetTimestamp();
        try
        {
            var value = await ask(lease.Store, cancellation);
            return new(value, null, clock.GetElapsedTime(started), ledger);
        }
        catch (Exception error)
        {
            var elapsed = clock.GetElapsedTime(started);
            var observed = run.IsTimedOut()
                ? new ShadowTimeoutException(settings.Current.ShadowTimeout) { IsInOwnCode = IsInOwnCode(ledger, elapsed) } : error;
            return new(default, observed, elapsed, ledger);
        }
        finally
        {
            if (run.Position is Position.Shadow) budget.Charge(opening.DatabaseTime + ledger.DatabaseTime);
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

    /// <summary>One run, as both who does it and who waits for it see it.</summary>
    private sealed class BoundedRun(Func<bool> isTimedOut, Position position)
    {
        private StatementLedger? _ledger;

        public Func<bool> IsTimedOut => isTimedOut;

        public Position Position => position;

        /// <summary>Its commands; null until it has its connection.</summary>
        public StatementLedger? Ledger
        {
            get => Volatile.Read(ref _ledger);
            set => Volatile.Write(ref _ledger, value);
        }
    }
}
