using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Confirming;

/// <summary>Asks the control for one request on one snapshot, in the shadow's position and in the served one, and compares them.</summary>
internal sealed class PositionComparer<TStore>(
    OpenSnapshot<TStore> openSnapshot, PairJudge judge, BoundedObserver observer, SettingsInForce settings, TimeProvider clock)
{
    /// <summary>Asks on a new snapshot.</summary>
    public async Task<PositionsView> AskAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, CancellationToken stopping)
    {
        SharedSnapshot<TStore>? open = null;
        try
        {
            using var limit = new CancellationTokenSource(settings.Current.ShadowTimeout, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
            var snapshot = await openSnapshot(either.Token);
            open = new(snapshot);
            return await CompareAsync(experiment, request, snapshot, await InShadowAsync(), InShadowAsync, stopping);

            Task<Observation<TResult>> InShadowAsync() => observer.ObserveAsync(
                experiment.Operation, token => open.LeaseAsync(Side.Control, token), (store, token) =>
                    experiment.RunAsync(store, request, token), stopping);
        }
#pragma warning disable CA1031 // Where they cannot be asked, for any reason, nothing is known.
        catch (Exception)
        {
            return PositionsView.Unknown;
        }
#pragma warning restore CA1031
        finally
        {
            if (open is not null) await open.DisposeAsync();
        }
    }

    /// <param name="inShadow">The control's observation on the snapshot in the shadow's position.</param>
    /// <param name="again">Asks the control there once more. If it then differs from itself, nothing is known about the positions.</param>
    public async Task<PositionsView> CompareAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, ISnapshot<TStore> snapshot, Observation<TResult> inShadow,
        Func<Task<Observation<TResult>>> again, CancellationToken stopping)
    {
        if (judge.IsUnavailable(inShadow.Error)) return PositionsView.Unknown;
        var asServed = await observer.ObserveAsync(
            experiment.Operation, snapshot.AsServedAsync, (store, token) => experiment.RunAsync(store, request, token), stopping);
        if (asServed.Error is ShadowUnavailableException { InnerException: PositionsDifferException }) return PositionsView.Different;
        if (asServed.Error is ShadowTimeoutException || judge.IsUnavailable(asServed.Error)) return PositionsView.Unknown;
        var pair = judge.Compare(experiment, request, inShadow, asServed);
        if (pair.Incomparable is not null) return PositionsView.Unknown;
        if (pair.IsSame) return PositionsView.Same;
        return judge.Compare(experiment, request, inShadow, await again()).IsSame ? PositionsView.Different : PositionsView.Unknown;
    }
}
