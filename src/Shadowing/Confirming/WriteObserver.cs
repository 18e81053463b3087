using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Confirming;

/// <summary>Observes a side's write in the sandbox: its answer or failure, and what it left of the rows.</summary>
internal sealed class WriteObserver<TStore>(BoundedObserver observer, TimeProvider clock, IWriteStage<TStore>? stage = null)
{
    public IWriteStage<TStore> Stage => stage ?? throw new InvalidOperationException("No sandbox is registered.");

    /// <returns>The observation with its rows. Never throws; as <see cref="BoundedObserver.ObserveAsync"/> says.</returns>
    public async Task<Observation<TResult>> ObserveAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Side side, WrittenRows written, CancellationToken stopping)
    {
        var observed = await observer.ObserveAsync(
            experiment.Operation,
            async token =>
            {
                var scope = await Stage.OpenSandboxAsync(side, written, token);
                return new StoreLease<IWriteScope<TStore>>(() => scope, scope);
            },
            async (scope, token) =>
                await ReadAsync(scope, written.Before, await RunAsync(experiment, request, () => scope.Store, clock, token), token),
            stopping);
        return observed.Value ?? new(default, observed.Error, observed.Duration, observed.Ledger);
    }

    /// <summary>Runs a write in its transaction; the ledger is of its own statements.</summary>
    public static async Task<Observation<TResult>> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Func<TStore> store, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var outer = StatementLedger.Current;
        var observation = await ObserveAsync();
        outer?.Spend(observation.Ledger.DatabaseTime);
        return observation;

        async Task<Observation<TResult>> ObserveAsync()
        {
            var ledger = StatementLedger.OpenForWrite();
            var started = clock.GetTimestamp();
            try
            {
                var value = await experiment.RunAsync(store(), request, cancellationToken);
                return new(value, null, clock.GetElapsedTime(started), ledger);
            }
#pragma warning disable CA1031 // A side may throw anything; that is what is observed.
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                return new(default, error, clock.GetElapsedTime(started), ledger);
            }
#pragma warning restore CA1031
        }
    }

    /// <summary>The observation with what the write left of the rows; who fails in a transaction leaves them as they were.</summary>
    public static async Task<Observation<TResult>> ReadAsync<TResult>(
        IWriteScope<TStore> scope, RowImage before, Observation<TResult> observation, CancellationToken cancellationToken) =>
        observation with
        {
            Rows = observation.Error is null || scope.KeepsWhatFailed
                ? await scope.ReadAsync(observation.Ledger, cancellationToken) : WrittenRows.Untouched(before),
        };
}
