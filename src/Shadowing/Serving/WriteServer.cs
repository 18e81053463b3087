using Microsoft.Extensions.Logging;
using Shadowing.Confirming;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Writing;

namespace Shadowing.Serving;

/// <summary>The result of a real write.</summary>
/// <param name="Observation">Its rows are null where they are not known.</param>
/// <param name="IsUndone">Whether it failed and certainly nothing of it remains: only then may the other side write.</param>
/// <param name="ImageTime">How long reading the rows has delayed the caller.</param>
internal sealed record WriteAttempt<T>(Observation<T> Observation, bool IsUndone, TimeSpan ImageTime)
{
    /// <summary>The rows, where they are read after the user has been answered.</summary>
    public Task<WrittenRows?>? Later { get; init; }
}

/// <summary>Which side is to write, and how.</summary>
/// <param name="WithImages">Whether the rows are to be read before and after.</param>
/// <param name="Deadline">How long it may take, once the rows are locked.</param>
/// <param name="Scope">The request's own services.</param>
internal readonly record struct WriteOrder(Side Side, bool WithImages, TimeSpan Deadline, IServiceProvider? Scope);

/// <summary>
/// Runs real writes. Where they are in a transaction that belongs to shadowing, the rows are read before and after, and only this class
/// commits, once the side has returned: a side that fails, or takes too long, has not written. Elsewhere the side writes as it always did.
/// </summary>
internal sealed partial class WriteServer<TStore>(
    SettingsInForce settings, TimeProvider clock, ILogger<WriteServer<TStore>> logger, IWriteStage<TStore>? stage = null)
{
    private int _late;
    private int _abandoned;

    /// <summary>Whether the application has registered where writes run; without that, no write is compared or served here.</summary>
    public bool HasStage => stage is not null;

    /// <summary>Whether the candidate can write for users.</summary>
    public bool ServesCandidate => stage is { ServesCandidate: true };

    /// <summary>Whether a candidate's write that fails or is late leaves nothing.</summary>
    public bool CanUndo => stage is { CanUndo: true };

    /// <summary>Whether too many writes are late, or abandoned and still running, so that no more may begin.</summary>
    public bool IsExhausted =>
        Volatile.Read(ref _late) > settings.Current.MaxLate || Volatile.Read(ref _abandoned) >= settings.Current.MaxAbandoned;

    /// <summary>Writes on the caller's own flow, without a deadline.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled; nothing was written.</exception>
    public async Task<WriteAttempt<TResult>> WriteAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, WriteOrder order, CancellationToken caller)
    {
        await using var scope = await stage!.ServeAsync(new(order.Side, request!, order.WithImages, order.Scope), caller);
        return await CommitAsync(scope, await ObserveAsync(experiment, request, scope, caller), order.Side is Side.Control);
    }

    /// <summary>Writes until the deadline. A side that still runs after that loses its transaction.</summary>
    /// <param name="mayBegin">Called once the rows are locked, because a rollback may have come in the meantime.</param>
    /// <returns>Null where the side may not begin any more; nothing was written.</returns>
    /// <inheritdoc cref="WriteAsync"/>
    public async Task<WriteAttempt<TResult>?> TryAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, WriteOrder order, Func<bool> mayBegin, CancellationToken caller)
    {
        var deadline = order.Deadline;
        var scope = await stage!.ServeAsync(new(order.Side, request!, order.WithImages, order.Scope), caller);
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(caller);
        if (!mayBegin())
        {
            await DisposeAsync();
            return null;
        }

        var started = clock.GetTimestamp();
        var running = Task.Run(() => ObserveAsync(experiment, request, scope, cancellation.Token), CancellationToken.None);
        try
        {
            if (await EndsAsync(running, deadline, caller)) return await CommitAsync(scope, await running);
            Interlocked.Increment(ref _late);
            _ = running.ContinueWith(_ => Interlocked.Decrement(ref _late), TaskScheduler.Default);
            await cancellation.CancelAsync();
            if (!await EndsAsync(running, settings.Current.CancelGrace, CancellationToken.None)) await CutOffAsync(experiment, scope,
                running);
            caller.ThrowIfCancellationRequested();
            return Late();
        }
        finally
        {
            // A side that still runs uses the transaction, so that is disposed of afterwards. It was not committed, and cannot be any more.
            if (running.IsCompleted) await DisposeAsync();
            else _ = running.ContinueWith(_ => DisposeAsync().AsTask(), TaskScheduler.Default);
        }

        WriteAttempt<TResult> Late()
        {
            var late = new ShadowTimeoutException(deadline);
            var rows = scope.Before is { } before ? WrittenRows.Untouched(before) : null;
            return new(new(default, late, clock.GetElapsedTime(started), new()) { Rows = rows }, scope.IsUndone, scope.ImageTime);
        }

        async ValueTask DisposeAsync()
        {
            cancellation.Dispose();
            try
            {
                await scope.DisposeAsync();
            }
#pragma warning disable CA1031 // A connection that cannot be closed has no effect on the write, which has ended; the pool drops it.
            catch (Exception)
            {
            }
#pragma warning restore CA1031
        }
    }

    private Task<Observation<TResult>> ObserveAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, IServedWrite<TStore> scope,
            CancellationToken cancellationToken) =>
        WriteObserver<TStore>.RunAsync(experiment, request, () => scope.Store, clock, cancellationToken);

    /// <summary>
    /// Not cancelled, because the side has finished its work, even if the caller no longer waits. The side's deadline does not apply
    /// either: reading its rows is the service's work.
    /// </summary>
    private static async Task<WriteAttempt<TResult>> CommitAsync<TResult>(
        IServedWrite<TStore> scope, Observation<TResult> observation, bool isControl = false)
    {
        if (scope.ReadLaterAsync(observation.Value, observation.Ledger) is { } later)
            return new(observation, observation.Error is not null && scope.IsUndone, scope.ImageTime) { Later = later };
        var untouched = scope.Before is { } before ? WrittenRows.Untouched(before) : null;
        // Without a transaction of ours, what the control had written before it failed would be stored.
        if (observation.Error is { } failed && !(isControl && scope.MayHaveWritten(failed, observation.Ledger)))
            return new(observation with { Rows = untouched }, scope.IsUndone, scope.ImageTime);
        try
        {
            observation = observation with { Rows = await scope.CommitAsync(CancellationToken.None) };
            return new(observation, IsUndone: false, scope.ImageTime);
        }
#pragma warning disable CA1031 // The caller gets it, unchanged.
        catch (Exception failure)
        {
            return new(observation with { Value = default, Error = failure, Rows = untouched }, scope.IsUndone, scope.ImageTime);
        }
#pragma warning restore CA1031
    }

    /// <summary>
    /// Ends the session of a write that does not end, to release its locks. If that fails, the write keeps its locks until it ends. It
    /// counts as abandoned in both cases.
    /// </summary>
    private async Task CutOffAsync(Experiment experiment, IServedWrite<TStore> scope, Task running)
    {
        Interlocked.Increment(ref _abandoned);
        _ = running.ContinueWith(_ => Interlocked.Decrement(ref _abandoned), TaskScheduler.Default);
        try
        {
            await scope.AbandonAsync();
        }
#pragma warning disable CA1031 // For any failure: the control can write as soon as the locks are released.
        catch (Exception failure)
        {
            LogHolding(experiment.Operation, failure.GetType().Name);
        }
#pragma warning restore CA1031
    }

    /// <returns>Whether it has ended by then, with any result.</returns>
    private async Task<bool> EndsAsync(Task running, TimeSpan patience, CancellationToken caller)
    {
        await running.WaitAsync(patience, clock, caller).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return running.IsCompleted;
    }

    [LoggerMessage(14, LogLevel.Error,
        "A write of {Operation} by the candidate hangs, and its session could not be ended ({Fault}): it keeps its locks until it ends.")]
    private partial void LogHolding(string operation, string fault);
}
