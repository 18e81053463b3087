using Shadowing.Confirming;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Serving;

/// <summary>The result of asking the candidate for a user's answer.</summary>
/// <param name="InTime">The candidate's observation; null where it missed its deadline.</param>
/// <param name="Eventually">The candidate's observation once it has ended; never fails.</param>
internal readonly record struct ServedAttempt<T>(Observation<T>? InTime, Task<Observation<T>> Eventually);

/// <summary>
/// Asks the candidate for a user's answer until its deadline. After that the control answers, and the candidate goes on so that its result
/// can still be compared. A candidate that blocks, or ignores its cancellation, does not delay the caller.
/// </summary>
internal sealed class CandidateServer<TStore>(
    OpenStore<TStore> open, BoundedObserver observer, SettingsInForce settings, TimeProvider clock)
{
    private const double OverP99 = 1.5;
    private int _late;

    /// <summary>Whether no more runs may begin: too many are late, or too many of the operation's were given up and go on.</summary>
    public bool MustRest(string operation) =>
        observer.Abandoned.MustRest(operation) || Volatile.Read(ref _late) > settings.Current.MaxLate;

    /// <summary>
    /// How long the candidate may take: 1.5 times the control's recent p99, and never less than the setting.
    /// </summary>
    public TimeSpan DeadlineOf(OperationState operation) =>
        operation.Tally.ControlP99 * OverP99 is var near && near > settings.Current.CandidateDeadline ? near
            : settings.Current.CandidateDeadline;

    /// <summary>
    /// Asks the candidate. Its time begins when it has its connection, which it waits for as the control would: an exhausted pool is not
    /// the candidate's fault.
    /// </summary>
    /// <exception cref="Exception">No connection is available, with the original exception; or the caller cancelled.</exception>
    public async Task<ServedAttempt<TResult>> AskAsync<TRequest, TResult>(
        ServedRequest<TStore, TRequest, TResult> served, TimeSpan deadline)
    {
        var (experiment, request, _, caller) = served;
        var lease = await open(new(Side.Candidate, Position.Served, experiment.Writes, served.Scope), caller);
        var eventually = observer.ObserveAsync(
            experiment.Operation,
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
