using Shadowing.Hosting;
using Shadowing.Comparison;
using Shadowing.Writing;

namespace Shadowing;

/// <summary>
/// Asks both sides again on one snapshot of the data, or of a write in the sandbox on the same rows, so that a difference counts only where
/// no row that moved can explain it.
/// </summary>
internal sealed class Confirmer<TStore>(
    OpenSnapshot<TStore> openSnapshot, PairJudge judge, BoundedObserver observer, PositionWatch positions, SettingsInForce settings,
    TimeProvider clock)
{
    private readonly WriteConfirmer _writes = new(judge);
    private readonly PositionComparer<TStore> _positions = new(openSnapshot, judge, observer, settings, clock);
    private readonly Lock _rate = new();
    private long _second;
    private int _inSecond;

    /// <param name="served">The side that answered the user.</param>
    /// <param name="again">Asks a side again where the shadow runs: live, or for a write in a sandbox on the same rows.</param>
    /// <param name="second">The side that is held against the control; the control itself, where its own noise is asked for.</param>
    public async Task<(ConfirmationVerdict Found, Verdict Verdict)> ConfirmAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate,
        ComparisonResult seen, Side served, string? horizon, Func<Side, Task<Observation<TResult>>> again, CancellationToken stopping,
        Side second = Side.Candidate)
    {
        if (!MayConfirm()) return Undecided(ConfirmationVerdict.Limited, IncomparableReason.Limited);
        if (experiment.Writes) return await _writes.ConfirmAsync(experiment, request, control, candidate, seen, served, again, second);
        ISnapshot<TStore> snapshot;
        try
        {
            using var limit = new CancellationTokenSource(settings.Current.ShadowTimeout, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
            snapshot = await openSnapshot(either.Token);
        }
#pragma warning disable CA1031 // Whatever keeps the snapshot from being had, the difference cannot be confirmed; it is counted as that.
        catch (Exception)
        {
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        }
#pragma warning restore CA1031

        var open = new SharedResource(snapshot);
        try
        {
            return await DecideAsync(
                experiment, request, control, candidate, seen, served, horizon, snapshot, open, again, second, stopping);
        }
#pragma warning disable CA1031 // As above: the connection may go at any time.
        catch (Exception)
        {
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        }
#pragma warning restore CA1031
        finally
        {
            await open.DisposeAsync();
        }
    }

    private async Task<(ConfirmationVerdict, Verdict)> DecideAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Observation<TResult> control, Observation<TResult> candidate,
        ComparisonResult seen, Side served, string? horizon, ISnapshot<TStore> snapshot, SharedResource open,
        Func<Side, Task<Observation<TResult>>> again, Side second, CancellationToken stopping)
    {
        var controlAgain = await ObserveAsync(Side.Control);
        if (controlAgain.Error is not null && control.Error is null)
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
        var candidateAgain = await ObserveAsync(second);
        if (judge.IsUnavailable(candidateAgain.Error)) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);

        var pair = judge.Compare(experiment, request, controlAgain, candidateAgain);
        if (pair.Incomparable is { } reason) return Undecided(ConfirmationVerdict.Failed, reason);
        if (!pair.IsSame)
        {
            if (candidateAgain.Error is not null)
                return (ConfirmationVerdict.Confirmed, judge.Failed(controlAgain, candidateAgain, pair.Differences));
            if (!judge.Compare(experiment, request, controlAgain, await ObserveAsync(Side.Control)).IsSame)
                return Undecided(ConfirmationVerdict.ControlUnstable, IncomparableReason.ControlUnstable);
            return (ConfirmationVerdict.Confirmed,
                new(Outcome.Mismatch, Differences: pair.Differences, Pair: ObservedPair.Of(controlAgain, candidateAgain)));
        }

        if (candidate.Error is not null && control.Error is null) return await FailsAgainAsync();
        var moved = judge.Compare(experiment, request, control, controlAgain);
        if (moved.Incomparable is { } unclear) return Undecided(ConfirmationVerdict.Failed, unclear);
        // A served control that answers here as it did live has shown that both positions see the same. Else that is to be asked.
        var view = served is Side.Control && moved.IsSame ? PositionsView.Same
            : await _positions.CompareAsync(experiment, request, snapshot, controlAgain, () => ObserveAsync(Side.Control), stopping);
        if (view is PositionsView.Different)
        {
            positions.Found(experiment.Operation, token => _positions.AskAsync(experiment, request, token));
            return Undecided(ConfirmationVerdict.Failed, IncomparableReason.PositionsDiffer);
        }

        // What was not kept cannot be explained.
        if (seen.TotalDifferences > seen.Differences.Count) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.TooLarge);
        // The pair that agrees here is a case only where users see the same rows.
        var onSnapshot = view is PositionsView.Same ? ObservedPair.Of(controlAgain, candidateAgain) : null;
        var left = Movements.Unexplained(seen.Differences, moved.Differences);
        if (left.Count == 0) return Explained(Movements.Of(moved.Differences), onSnapshot);
        if (horizon is null) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);

        // The control's answer, there at least, is what it was. It may have changed and changed back; only row versions can tell.
        // What lies in a row is asked of that row; what lies beside them, such as a total or which rows a page shows, may rest on any.
        using var limit = new CancellationTokenSource(settings.Current.ShadowTimeout, clock);
        var inRows = await AskAsync([.. left.Where(Movements.IsInRow)]);
        var beside = inRows.Moved.HasRows
            ? (Left: [], Moved: RowsMoved.Nothing, IsOpen: false)
            : await AskAsync([.. left.Where(difference => !Movements.IsInRow(difference))]);
        left = [.. inRows.Left, .. beside.Left];
        if (left.Count > 0)
        {
            if (view is PositionsView.Unknown) return Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable);
            return (ConfirmationVerdict.Concurrency, new(
                Outcome.Mismatch,
                Differences: [.. left.Select(difference => difference with { Kind = DifferenceKind.Concurrency })],
                Pair: ObservedPair.Of(control, candidate)));
        }

        return inRows.IsOpen || beside.IsOpen
            ? Undecided(ConfirmationVerdict.Failed, IncomparableReason.NotConfirmable)
            : Explained(Movements.Of(inRows.Moved.HasRows ? inRows.Moved : beside.Moved), onSnapshot);

        async Task<(IReadOnlyList<Difference> Left, RowsMoved Moved, bool IsOpen)> AskAsync(IReadOnlyList<Difference> some)
        {
            if (some.Count == 0) return ([], RowsMoved.Nothing, false);
            var keys = experiment.Touches(request, some);
            var moved = await snapshot.MovedSinceAsync(horizon, keys, limit.Token);
            if (keys is not null && !moved.HasRows && experiment.ShowsPart && !some.Any(Movements.IsInRow))
                (keys, moved) = (null, await snapshot.MovedSinceAsync(horizon, null, limit.Token));
            // Something was written and no row bears witness: one may have come and gone again. That neither excuses nor accuses.
            return keys is null && moved.Any && !moved.HasRows ? ([], moved, true)
                : (Movements.Unexplained(some, keys, moved), moved, false);
        }

        // It answers on the snapshot: perhaps because a transaction is around it. What fails live, and does so again, fails.
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
            token => open.LeaseAsync(snapshot, side, token), (store, token) => experiment.RunAsync(store, request, token), stopping);
    }

    private static (ConfirmationVerdict, Verdict) Explained(Movement movement, ObservedPair? onSnapshot) =>
        (ConfirmationVerdict.Moved, new(Outcome.Transient, Movement: movement, Pair: onSnapshot));

    private static (ConfirmationVerdict, Verdict) Undecided(ConfirmationVerdict found, IncomparableReason reason) =>
        (found, new(Outcome.Incomparable, reason));

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
