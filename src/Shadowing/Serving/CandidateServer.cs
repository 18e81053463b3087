using Shadowing.Confirming;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Serving;

/// <summary>What came of asking the candidate for a user's answer.</summary>
/// <param name="InTime">What it did; null where it took too long.</param>
/// <param name="Eventually">What it did, as soon as that is known; never fails.</param>
internal readonly record struct ServedAttempt<T>(Observation<T>? InTime, Task<Observation<T>> Eventually);

/// <summary>
/// Asks the candidate for a user's answer, no longer than its deadline: then the control answers, and the candidate goes on for what can be
/// learnt of it. A candidate that blocks, or ignores that it was cancelled, holds nobody.
/// </summary>
internal sealed class CandidateServer<TStore>(
    OpenStore<TStore> open, BoundedObserver observer, SettingsInForce settings, TimeProvider clock)
{
    private const double OverP99 = 1.5;
    private int _late;

    /// <summary>Whether so many runs are late that no more may be begun.</summary>
    public bool IsExhausted => observer.IsExhausted || Volatile.Read(ref _late) > settings.Current.MaxLate;

    /// <summary>
    /// How long the candidate may take: near the slowest that users know from the control, but never less than the setting.
    /// </summary>
    public TimeSpan DeadlineOf(OperationState operation) =>
        operation.Tally.ControlP99 * OverP99 is var near && near > settings.Current.CandidateDeadline ? near
            : settings.Current.CandidateDeadline;

    /// <summary>
    /// Asks the candidate. Its time begins when it has its connection, which is waited for as the control would wait: a pool that others
    /// have emptied is no fault of the candidate.
    /// </summary>
    /// <exception cref="Exception">The connection cannot be had, as it came; or the caller gave up.</exception>
    public async Task<ServedAttempt<TResult>> AskAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, TimeSpan deadline, CancellationToken caller)
    {
        var lease = await open(Side.Candidate, Position.Served, experiment.Writes, caller);
        var eventually = observer.ObserveAsync(
            _ => ValueTask.FromResult(lease), (store, token) => experiment.RunAsync(store, request, token), caller, Position.Served);
        try
        {
            return new(await eventually.WaitAsync(deadline, clock, caller), eventually);
        }
        catch (TimeoutException)
        {
            Interlocked.Increment(ref _late);
            _ = eventually.ContinueWith(_ => Interlocked.Decrement(ref _late), TaskScheduler.Default);
            return new(null, eventually);
        }
    }
}
