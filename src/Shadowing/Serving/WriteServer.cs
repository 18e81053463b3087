using Microsoft.Extensions.Logging;
using Shadowing.Confirming;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Writing;

namespace Shadowing.Serving;

/// <summary>What came of a write for real.</summary>
/// <param name="Observation">Its rows are null where they are not known.</param>
/// <param name="IsUndone">Whether it failed and nothing of it remains, for certain: only then may another side do it.</param>
/// <param name="ImageTime">What reading the rows has cost the caller.</param>
internal sealed record WriteAttempt<T>(Observation<T> Observation, bool IsUndone, TimeSpan ImageTime);

/// <summary>Which side is to write, and how.</summary>
/// <param name="WithImages">Whether the rows are to be read before and after.</param>
/// <param name="Deadline">How long it may take, once the rows are held.</param>
internal readonly record struct WriteOrder(Side Side, bool WithImages, TimeSpan Deadline);

/// <summary>
/// Writes for real, in a transaction that is ours: the rows are read before and after, and nothing is committed but by us, once the side
/// has said that it is done. So a side that fails, or takes too long, has not written.
/// </summary>
internal sealed partial class WriteServer<TStore>(
    SettingsInForce settings, TimeProvider clock, ILogger<WriteServer<TStore>> logger, IWriteStage<TStore>? stage = null)
{
    private int _late;
    private int _abandoned;

    /// <summary>Whether the application has registered where writes run; else none may.</summary>
    public bool HasStage => stage is not null;

    /// <summary>Whether so many writes are late, or were abandoned and are still going, that no more may be begun.</summary>
    public bool IsExhausted =>
        Volatile.Read(ref _late) > settings.Current.MaxLate || Volatile.Read(ref _abandoned) >= settings.Current.MaxAbandoned;

    /// <summary>Writes on the caller's own flow, for as long as it takes.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; nothing was written.</exception>
    public async Task<WriteAttempt<TResult>> WriteAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, Side side, CancellationToken caller)
    {
        await using var scope = await stage!.ServeAsync(side, request!, withImages: true, caller);
        return await CommitAsync(scope, await ObserveAsync(experiment, request, scope, caller));
    }

    /// <summary>Writes no longer than the deadline. A side that goes on all the same is cut off from what it wrote.</summary>
    /// <param name="mayBegin">Asked once the rows are held, which may have taken longer than a rollback.</param>
    /// <returns>Null where the side may not begin any more; nothing was written.</returns>
    /// <inheritdoc cref="WriteAsync"/>
    public async Task<WriteAttempt<TResult>?> TryAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, TRequest request, WriteOrder order, Func<bool> mayBegin, CancellationToken caller)
    {
        var (side, withImages, deadline) = order;
        var scope = await stage!.ServeAsync(side, request!, withImages, caller);
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
            // Whoever is still in the transaction must be out of it first. It was not committed, and cannot be any more.
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
#pragma warning disable CA1031 // A connection that cannot be closed decides nothing of the write, which has ended; the pool drops it.
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
    /// Not cancelled: what the side has done is as good as done, and whether the caller still waits decides nothing. And no time of the
    /// side's: to read its rows is our affair.
    /// </summary>
    private static async Task<WriteAttempt<TResult>> CommitAsync<TResult>(IServedWrite<TStore> scope, Observation<TResult> observation)
    {
        var untouched = scope.Before is { } before ? WrittenRows.Untouched(before) : null;
        if (observation.Error is not null) return new(observation with { Rows = untouched }, scope.IsUndone, scope.ImageTime);
        try
        {
            observation = observation with { Rows = await scope.CommitAsync(CancellationToken.None) };
            return new(observation, IsUndone: false, scope.ImageTime);
        }
#pragma warning disable CA1031 // It is the caller's to see, as it came.
        catch (Exception failure)
        {
            return new(observation with { Value = default, Error = failure, Rows = untouched }, scope.IsUndone, scope.ImageTime);
        }
#pragma warning restore CA1031
    }

    /// <summary>
    /// Takes the locks from a write that will not end. Where that fails it keeps them until it does, and is counted all the same.
    /// </summary>
    private async Task CutOffAsync(Experiment experiment, IServedWrite<TStore> scope, Task running)
    {
        Interlocked.Increment(ref _abandoned);
        _ = running.ContinueWith(_ => Interlocked.Decrement(ref _abandoned), TaskScheduler.Default);
        try
        {
            await scope.AbandonAsync();
        }
#pragma warning disable CA1031 // Whatever it is, the control can write as soon as the locks are gone.
        catch (Exception failure)
        {
            LogHolding(experiment.Operation, failure.GetType().Name);
        }
#pragma warning restore CA1031
    }

    /// <returns>Whether it has ended by then, however it did.</returns>
    private async Task<bool> EndsAsync(Task running, TimeSpan patience, CancellationToken caller)
    {
        await running.WaitAsync(patience, clock, caller).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return running.IsCompleted;
    }

    [LoggerMessage(14, LogLevel.Error,
        "A write of {Operation} by the candidate hangs, and its session could not be ended ({Fault}): it keeps its locks until it ends.")]
    private partial void LogHolding(string operation, string fault);
}
