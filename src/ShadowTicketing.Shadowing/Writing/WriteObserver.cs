namespace ShadowTicketing.Shadowing.Writing;

/// <summary>Observes a side's write in the sandbox: its answer or failure, and what it left of the rows.</summary>
internal sealed class WriteObserver<TStore>(IWriteStage<TStore>? stage, BoundedObserver observer, TimeProvider clock)
{
    /// <summary>Whether the application has a sandbox at all.</summary>
    public bool Exists => stage is not null;

    public IWriteStage<TStore> Stage => stage ?? throw new InvalidOperationException("No sandbox is registered.");

    /// <returns>The observation with its rows. Never throws; as <see cref="BoundedObserver.ObserveAsync"/> says.</returns>
    public async Task<Observation<TResult>> ObserveAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Side side, WrittenRows written, CancellationToken stopping)
    {
        var observed = await observer.ObserveAsync(
            async token =>
            {
                var scope = await Stage.OpenSandboxAsync(side, written.Before, written.NewKeys, token);
                return new StoreLease<IWriteScope<TStore>>(scope, scope);
            },
            (scope, token) => RunAsync(experiment, request, scope, written.Before, clock, token, token), stopping);
        return observed.Value ?? new(default, observed.Error, observed.Duration, observed.Ledger);
    }

    /// <summary>Runs a write in its transaction and reads what it left; the ledger is of the write's own statements.</summary>
    /// <param name="before">Null where the rows are not asked for.</param>
    public static async Task<Observation<TResult>> RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, IWriteScope<TStore> scope, RowImage? before, TimeProvider clock,
        CancellationToken cancellationToken, CancellationToken reading)
    {
        var outer = StatementLedger.Current;
        var observation = await ObserveAsync();
        outer?.Spend(observation.Ledger.DatabaseTime);
        if (before is null) return observation;
        return observation with { Rows = observation.Error is null ? await scope.ReadAsync(reading) : WrittenRows.Untouched(before) };

        async Task<Observation<TResult>> ObserveAsync()
        {
            var ledger = StatementLedger.Open();
            var started = clock.GetTimestamp();
            try
            {
                var value = await experiment.RunAsync(scope.Store, request, cancellationToken);
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
}
