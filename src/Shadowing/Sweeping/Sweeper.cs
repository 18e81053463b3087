using Shadowing.Confirming;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Serving;
using Shadowing.Settings;

namespace Shadowing.Sweeping;

/// <summary>
/// Walks requests through both sides, one at a time: reads on snapshots of the data, writes in sandboxes on the rows as they are. Paced,
/// yielding to served traffic, within the budget of database time. A difference is confirmed as one of live traffic is, and counts as one
/// for the gate and for who serves.
/// </summary>
public sealed class Sweeper<TStore>
{
    private static readonly TimeSpan CommitInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <summary>After so many tries a step stays undecided, so that it does not delay the others.</summary>
    private const int MostTries = 5;

    private readonly ServingContext _context;
    private readonly ShadowComparer<TStore> _comparer;
    private readonly OpenSnapshot<TStore> _openSnapshot;
    private readonly BoundedObserver _observer;
    private readonly WriteObserver<TStore> _sandbox;
    private readonly SnapshotHorizon _horizon;
    private readonly ServedTraffic _served;
    private readonly SettingsInForce _settings;
    private readonly TimeProvider _clock;

    internal Sweeper(
        ServingContext context, ShadowComparer<TStore> comparer, OpenSnapshot<TStore> openSnapshot, BoundedObserver observer,
        WriteObserver<TStore> sandbox, SnapshotHorizon horizon, ServedTraffic served, SettingsInForce settings)
    {
        (_context, _comparer, _openSnapshot, _observer, _sandbox) = (context, comparer, openSnapshot, observer, sandbox);
        (_horizon, _served, _settings, _clock) = (horizon, served, settings, context.Clock);
    }

    /// <summary>Sweeps to the end, or until told to stop.</summary>
    /// <param name="store">Stores an advance; says whether the sweep is to go on. Called about once a second.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; what was not stored is to be done again.</exception>
    public async Task RunAsync(
        Sweep<TStore> sweep, SweepOrder order, Func<SweepAdvance, CancellationToken, Task<bool>> store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sweep);
        using var run = new SweepRun(order, _context.Evidence.Fingerprint, store);
        await sweep.RunAsync(this, run, cancellationToken);
    }

    internal async Task RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, IAsyncEnumerable<SweepStep<TRequest>> walk, SweepRun run,
        CancellationToken cancellationToken)
    {
        await using var snapshot = new SweepSnapshot<TStore>(_openSnapshot, _settings.Current.MaxSnapshotAge, _clock);
        var (committed, due) = (_clock.GetTimestamp(), _clock.GetTimestamp());
        await foreach (var step in walk.WithCancellation(cancellationToken))
        {
            var shape = _context.Rules.ShapeOf(experiment, step.Request) ?? OperationLedger.OtherShape;
            if (run.Wants(shape))
            {
                due = await PaceAsync(due, run.Order.Rate, cancellationToken);
                var tries = 0;
                while (await TryCompareAsync(experiment, step.Request, shape, run, snapshot, cancellationToken) is var attempt
                    and not Attempt.Done)
                {
                    // Before the next step too: a run that passed its limit may still be using the connection.
                    await snapshot.CloseAsync();
                    if (attempt is Attempt.Undecided)
                    {
                        // Each try counts, so that a difference that comes and goes is seen even if a later try agrees.
                        _context.Metrics.Swept(experiment, Outcome.Incomparable);
                        if (++tries == MostTries)
                        {
                            run.Swept(shape, null, isWrong: false);
                            run.Compared?.Invoke(null);
                            break;
                        }
                    }

                    await Task.Delay(Retry, _clock, cancellationToken);
                }
            }

            run.Walked(step.Cursor);
            if (_clock.GetElapsedTime(committed) < CommitInterval) continue;
            if (!await run.AdvanceAsync(isFinished: false, cancellationToken)) return;
            committed = _clock.GetTimestamp();
        }

        await run.AdvanceAsync(isFinished: true, cancellationToken);

        async Task<long> PaceAsync(long next, double rate, CancellationToken token)
        {
            await snapshot.CloseIfOldAsync();
            for (var waited = _clock.GetTimestamp(); MustPause(experiment, waited);)
            {
                await snapshot.CloseIfOldAsync();
                await Task.Delay(_served.IsBusy ? _settings.Current.PollInterval : Pause, _clock, token);
            }

            var now = _clock.GetTimestamp();
            if (next > now) await Task.Delay(_clock.GetElapsedTime(now, next), _clock, token);
            // What was missed is not made up for: the rate bounds every second.
            return Math.Max(next, now) + (long)(_clock.TimestampFrequency / rate);
        }
    }

    private bool MustPause(Experiment experiment, long since) =>
        !_context.Switch.IsOn || !_context.Control.Routes[experiment.Operation].Shadowed || _context.Control.IsShortOfMemory
        || _observer.Abandoned.MustRest(experiment.Operation) || _horizon.Latest is null
        || (experiment.Writes && !_context.Switch.HasSandbox)
        || !_context.Budget.Allows(isReserved: false)
        || (_served.IsBusy && _clock.GetElapsedTime(since) < _settings.Current.YieldAfter);

    private async Task<Attempt> TryCompareAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, string shape, SweepRun run, SweepSnapshot<TStore> snapshot,
        CancellationToken cancellationToken)
    {
        Func<Side, Task<Observation<TResult>>> ask;
        if (experiment.Writes)
        {
            var (image, failed) = await TryImageAsync(request!, cancellationToken);
            if (image is null) return failed;
            if (image.IsTooLarge)
            {
                run.Swept(shape, null, isWrong: false);
                run.Compared?.Invoke(null);
                return Attempt.Done;
            }

            ask = _comparer.Asking(experiment, request, WrittenRows.Untouched(image), cancellationToken);
        }
        else
        {
            if (!await snapshot.IsOpenAsync(() => _horizon.Latest, _settings.Current.ShadowTimeout,
                cancellationToken)) return Attempt.NotThere;
            ask = side => _observer.ObserveAsync(
                experiment.Operation, token => snapshot.LeaseAsync(side, token),
                (store, token) => experiment.RunAsync(store, request, token), cancellationToken);
        }

        var control = await ask(Side.Control);
        if (_context.Judge.IsUnavailable(control.Error)) return Failed(control.Error);
        var candidate = await ask(Side.Candidate);
        if (_context.Judge.IsUnavailable(candidate.Error)) return Failed(candidate.Error);
        // A read that differs is asked live as well; a write only ever in a sandbox.
        var again = experiment.Writes ? ask : _comparer.Asking(experiment, request, null, cancellationToken);
        var compared = new ComparedRequest<TStore, TRequest, TResult>(experiment, request, again, cancellationToken)
        {
            Shape = shape,
            Horizon = snapshot.Horizon,
        };
        var (verdict, _) = await _comparer.JudgeAsync(compared, control, candidate);
        if (verdict.Reason is IncomparableReason.ShadowUnavailable) return Attempt.NotThere;
        // A busy moment passes: what it left undecided would be missing from all that exists for good.
        if (verdict.Reason is IncomparableReason.NotConfirmable) return Attempt.Undecided;
        if (verdict.Outcome is Outcome.ControlError && control.Error is ShadowTimeoutException) return Attempt.Undecided;
        var (recorded, hash) = _comparer.Recorder.Swept(compared, control, verdict);
        var isWrong = recorded.Outcome.IsWrong();
        run.Swept(shape, hash, isWrong);
        run.Compared?.Invoke(recorded);
        if (isWrong) _comparer.Wrong(experiment, recorded.Outcome, recorded.Signature, recorded.IsCritical);
        // A run that passed its limit may still be using the connection.
        if (control.Error is ShadowTimeoutException || candidate.Error is ShadowTimeoutException) await snapshot.CloseAsync();
        return Attempt.Done;

        Attempt Failed(Exception? error) =>
            error is ShadowUnavailableException { InnerException: { } cause } && !_context.Judge.IsUnavailable(cause) ? Attempt.Undecided
                : Attempt.NotThere;
    }

    private async Task<(RowImage? Image, Attempt Failed)> TryImageAsync(object request, CancellationToken cancellationToken)
    {
        var ledger = StatementLedger.Open();
        try
        {
            return (await _sandbox.Stage.ImageAsync(request, cancellationToken), default);
        }
#pragma warning disable CA1031 // A step that fails must not hold up the others: it is tried again, and undecided in the end.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, _context.Judge.IsUnavailable(failure) ? Attempt.NotThere : Attempt.Undecided);
        }
#pragma warning restore CA1031
        finally
        {
            _context.Budget.Charge(ledger.DatabaseTime);
        }
    }

    /// <summary>How a try to compare ended.</summary>
    private enum Attempt
    {
        Done,

        /// <summary>The database was not there.</summary>
        NotThere,

        /// <summary>It was; the sides could not begin, the control took too long, or a difference could not be confirmed.</summary>
        Undecided,
    }
}
