using Microsoft.Extensions.Logging;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Confirming;

/// <summary>
/// Asks both sides again on one snapshot of the data, or for a write in the sandbox on the same rows. So a difference counts only where no
/// concurrent change can explain it.
/// </summary>
internal sealed partial class Confirmer<TStore>(
    OpenSnapshot<TStore> openSnapshot, PairJudge judge, BoundedObserver observer, PositionWatch positions, RuleFaults rules,
    SettingsInForce settings, TimeProvider clock, ILogger<Confirmer<TStore>> logger)
{
    private static readonly TimeSpan LogAgainAfter = TimeSpan.FromMinutes(10);

    private readonly WriteConfirmer _writes = new(judge);
    private readonly PositionComparer<TStore> _positions = new(openSnapshot, judge, observer, settings, clock);
    private readonly Lock _rate = new();
    private readonly Dictionary<string, long> _loggedAt = [];
    private long _second;
    private int _inSecond;

    /// <param name="seen">How the two observations differ.</param>
    /// <param name="second">The side that is compared with the control; the control itself, to measure its own noise.</param>
    public async Task<(ConfirmationVerdict Found, Verdict Verdict)> ConfirmAsync<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate,
        ComparisonResult seen, Side second = Side.Candidate)
    {
        if (!MayConfirm()) return Undecided(ConfirmationVerdict.Limited, IncomparableReason.Limited);
        if (compared.Experiment.Writes) return await _writes.ConfirmAsync(compared, control, candidate, seen, second);
        SharedSnapshot<TStore> open;
        try
        {
            using var limit = new CancellationTokenSource(settings.Current.ShadowTimeout, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, compared.Stopping);
            open = new(await openSnapshot(either.Token));
        }
#pragma warning disable CA1031 // Without a snapshot, for any reason, the difference cannot be confirmed; it is counted so.
        catch (Exception failure)
        {
            if (!compared.Stopping.IsCancellationRequested) Log(compared.Experiment.Operation, failure);
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        }
#pragma warning restore CA1031

        try
        {
            return await DecideAsync(compared, control, candidate, seen, open, second);
        }
#pragma warning disable CA1031 // As above: the connection may go at any time.
        catch (Exception failure)
        {
            if (!compared.Stopping.IsCancellationRequested) Log(compared.Experiment.Operation, failure);
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        }
#pragma warning restore CA1031
        finally
        {
            await open.DisposeAsync();
        }
    }

    /// <summary>Whether the control does in the sandbox what its real write did.</summary>
    public Task<bool> IsReproducedAsync<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control) => _writes.IsReproducedAsync(compared, control);

    private async Task<(ConfirmationVerdict, Verdict)> DecideAsync<TRequest, TResult>(
        ComparedRequest<TStore, TRequest, TResult> compared, Observation<TResult> control, Observation<TResult> candidate,
        ComparisonResult seen, SharedSnapshot<TStore> open, Side second)
    {
        var (experiment, request, again, stopping) = compared;
        var controlAgain = await ObserveAsync(Side.Control);
        if (controlAgain.Error is not null && control.Error is null)
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        var candidateAgain = await ObserveAsync(second);
        if (judge.IsUnavailable(candidateAgain.Error)) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        if (judge.OnlyHere(candidateAgain.Error) is not null && !judge.FailAlike(control.Error, candidateAgain.Error))
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.RefusedInShadow);

        var pair = judge.Compare(experiment, request, controlAgain, candidateAgain);
        if (pair.Incomparable is { } reason) return Undecided(ConfirmationVerdict.Failed, reason);
        if (!pair.IsSame)
        {
            if (candidateAgain.Error is not null)
                return (ConfirmationVerdict.Confirmed, judge.Failed(controlAgain, candidateAgain, pair.Differences));
            if (!judge.Compare(experiment, request, controlAgain, await ObserveAsync(Side.Control)).IsSame)
                return Undecided(ConfirmationVerdict.ControlUnstable, IncomparableReason.ControlUnstable);
            return (ConfirmationVerdict.Confirmed,
                new(Outcome.Mismatch, Differences: pair.Differences, Pair: ObservedPair.FromObservations(controlAgain, candidateAgain))
                {
                    IsCut = pair.TotalDifferences > pair.Differences.Count,
                });
        }

        if (candidate.Error is not null && control.Error is null) return await FailsAgainAsync();
        var moved = judge.Compare(experiment, request, control, controlAgain);
        if (moved.Incomparable is { } unclear) return Undecided(ConfirmationVerdict.Failed, unclear);
        // If a served control answers on the snapshot as it did live, both positions see the same. Otherwise that has to be checked.
        var view = compared.Served is Side.Control && moved.IsSame ? PositionsView.Same
            : await _positions.CompareAsync(experiment, request, open.Snapshot, controlAgain, () => ObserveAsync(Side.Control), stopping);
        if (view is PositionsView.Different)
        {
            positions.Found(experiment.Operation, token => _positions.AskAsync(experiment, request, token));
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.PositionsDiffer);
        }

        // Differences beyond the limit were not kept, so they cannot be explained.
        if (seen.TotalDifferences > seen.Differences.Count) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.TooLarge);
        // The pair on the snapshot counts as a case only where users see the same rows.
        var onSnapshot = view is PositionsView.Same ? ObservedPair.FromObservations(controlAgain, candidateAgain) : null;
        var left = ConcurrentChanges.Unexplained(seen.Differences, moved.Differences);
        if (left.Count == 0) return Explained(ConcurrentChanges.FromMoved(moved.Differences), onSnapshot);
        if (compared.Horizon is not { } horizon) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);

        // The control's answer on the snapshot is the live one. Rows may have changed and changed back in between; only row versions show
        // that. For a difference in a row, that row's version is checked. A total, or which rows a page shows, may depend on any row.
        using var limit = new CancellationTokenSource(settings.Current.ShadowTimeout, clock);
        var inRows = await AskAsync([.. left.Where(ConcurrentChanges.IsInRow)]);
        var beside = inRows.Moved.HasRows
            ? (Left: [], Moved: RowsMoved.Nothing, IsOpen: false)
            : await AskAsync([.. left.Where(difference => !ConcurrentChanges.IsInRow(difference))]);
        left = [.. inRows.Left, .. beside.Left];
        if (left.Count > 0)
        {
            if (view is PositionsView.Unknown) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
            return (ConfirmationVerdict.Concurrency, new(
                Outcome.Mismatch,
                Differences: [.. left.Select(difference => difference.AsConcurrency())],
                Pair: ObservedPair.FromObservations(control, candidate)));
        }

        return inRows.IsOpen || beside.IsOpen
            ? Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable)
            : Explained(ConcurrentChanges.FromMoved(inRows.Moved.HasRows ? inRows.Moved : beside.Moved), onSnapshot);

        async Task<(IReadOnlyList<Difference> Left, RowsMoved Moved, bool IsOpen)> AskAsync(IReadOnlyList<Difference> some)
        {
            if (some.Count == 0) return ([], RowsMoved.Nothing, false);
            var isNamed = rules.TryAsk(
                experiment, nameof(experiment.Touches), differences => experiment.Touches(request, differences), some, out var keys);
            var moved = await open.Snapshot.MovedSinceAsync(horizon, keys, limit.Token);
            if (keys is not null && !moved.HasRows && experiment.ShowsPart && !some.Any(ConcurrentChanges.IsInRow))
                (keys, moved) = (null, await open.Snapshot.MovedSinceAsync(horizon, null, limit.Token));
            // Some row was changed, but no row that can be checked explains the difference: a row may have been added and deleted again. Or
            // the rows of the difference are unknown, because the experiment's rule threw. In both cases the difference stays undecided.
            return moved.Any && (!isNamed || (keys is null && !moved.HasRows)) ? ([], moved, true)
                : (ConcurrentChanges.Unexplained(some, keys, moved), moved, false);
        }

        // The candidate answers on the snapshot, perhaps because of the transaction around it. If it fails live a second time, it fails.
        async Task<(ConfirmationVerdict, Verdict)> FailsAgainAsync()
        {
            var live = await again(second);
            return live.Error is not null && !judge.IsUnavailable(live.Error)
                && judge.ErrorType(live.Error) == judge.ErrorType(candidate.Error)
                ? (ConfirmationVerdict.Confirmed,
                    judge.Failed(controlAgain, live, judge.Compare(experiment, request, controlAgain, live).Differences))
                : Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotReproduced);
        }

        Task<Observation<TResult>> ObserveAsync(Side side) => observer.ObserveAsync(
            experiment.Operation, token => open.LeaseAsync(side, token),
            (store, token) => experiment.RunAsync(store, request, token), stopping);
    }

    private static (ConfirmationVerdict, Verdict) Explained(ConcurrentChange change, ObservedPair? onSnapshot) =>
        (ConfirmationVerdict.Moved, new(Outcome.Transient, Change: change, Pair: onSnapshot));

    private static (ConfirmationVerdict, Verdict) Undecided(ConfirmationVerdict found, IncomparableReason reason) =>
        (found, new(Outcome.Incomparable, reason));

    /// <summary>Logs a failure once for each type in ten minutes, without its message, which may quote a request.</summary>
    private void Log(string operation, Exception failure)
    {
        var (now, type) = (clock.GetTimestamp(), failure.GetType().FullName ?? "");
        lock (_rate)
        {
            if (_loggedAt.TryGetValue(type, out var last) && clock.GetElapsedTime(last, now) < LogAgainAfter) return;
            _loggedAt[type] = now;
        }

        LogFailed(operation, type, failure.StackTrace ?? "");
    }

    [LoggerMessage(38, LogLevel.Warning,
        "A difference of {Operation} could not be confirmed ({Fault}): incomparable. The next with this fault is logged after ten minutes. "
        + "{Stack}")]
    private partial void LogFailed(string operation, string fault, string stack);

    private bool MayConfirm()
    {
        var now = clock.GetTimestamp() / clock.TimestampFrequency;
        lock (_rate)
        {
            if (now != _second) (_second, _inSecond) = (now, 0);
            return _inSecond++ < settings.Current.ConfirmationsPerSecond;
        }
    }
}
