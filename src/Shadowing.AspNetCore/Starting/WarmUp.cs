using Shadowing.Model;
using Shadowing.Postgres.Connections;
using Shadowing.Postgres.Keepers;
using Shadowing.Supervision;
using Shadowing.Writing;

namespace Shadowing.AspNetCore.Starting;

/// <summary>
/// Runs the application's reads on both sides, and its writes in the sandbox, before the service reports itself ready. The first query of
/// each kind costs many times as much as later ones: no user should wait for it, and it must not count as the candidate's fault.
/// </summary>
/// <remarks>
/// The service is ready once the control's reads are warm and the shadow is warm too, or 15 seconds have passed. The shadow starts once its
/// role has been checked. A candidate that fails to warm up, or does not return, starts cold; its requests then show its fault.
/// </remarks>
internal sealed partial class WarmUp<TStore>(
    WarmUpPlan<TStore> plan, OpenStore<TStore> open, IWriteStage<TStore> writes,
        [FromKeyedServices(ServedDatabase.Key)] ConnectionPools served,
    Readiness readiness, SetupWatch watch, ShadowSwitch shadowSwitch, KeeperRegister keepers, TimeProvider clock,
        ILogger<WarmUp<TStore>> logger)
    : Keeper(
        new("warm-up", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)) { LongestPause = TimeSpan.FromSeconds(1) }, keepers, clock)
{
    private const int Rounds = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CandidatesTime = TimeSpan.FromSeconds(10);
    private long? _servedSince;
    private bool _isDone;

    protected override bool IsDone => _isDone;

    protected override bool StartsAtOnce => true;

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (_servedSince is null) await WarmReadsAsync(Side.Control, Position.Served, cancellationToken);
        var since = _servedSince ??= Clock.GetTimestamp();
        var warming = shadowSwitch.Reasons.Contains(ShadowSwitch.Disabled) ? Task.CompletedTask : WarmShadowAsync(cancellationToken);
        var left = Patience - Clock.GetElapsedTime(since);
        await Task.WhenAny(warming, Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, Clock, cancellationToken));
        if (warming.IsCompletedSuccessfully || Clock.GetElapsedTime(since) >= Patience) readiness.MarkWarm();
        await warming;
        _isDone = true;
    }

    private async Task WarmShadowAsync(CancellationToken cancellationToken)
    {
        await watch.CheckAsync(cancellationToken);
        try
        {
            // On a thread of its own: a candidate may block from its first line.
            await Task.Run(() => WarmAsync(cancellationToken), cancellationToken).WaitAsync(CandidatesTime, Clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogCold();
        }

        shadowSwitch.Hold(ShadowSwitch.WarmingUp, off: false);
        LogWarm();
    }

    private async Task WarmAsync(CancellationToken cancellationToken)
    {
        await TryReadsAsync(cancellationToken);
        if (!shadowSwitch.HasSandbox) return;
        for (var round = 0; round < Rounds; round++)
            foreach (var side in Enum.GetValues<Side>()) await TryWritesAsync(side, cancellationToken);
    }

    /// <summary>In the sandbox. That warms up the code, and the statements of the sandbox's connections.</summary>
    private async Task TryWritesAsync(Side side, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = await writes.OpenSandboxAsync(side, plan.Image, new Dictionary<string, long>(), cancellationToken);
            await plan.WriteAsync(scope.Store, cancellationToken);
            await scope.ReadAsync(cancellationToken);
        }
#pragma warning disable CA1031 // For any failure: the candidate starts cold, and its writes then show the fault.
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(failure, side, Position.Shadow);
        }
#pragma warning restore CA1031
    }

    private async Task TryReadsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WarmReadsAsync(Side.Candidate, Position.Shadow, cancellationToken);
        }
#pragma warning disable CA1031 // As for the writes.
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(failure, Side.Candidate, Position.Shadow);
        }
#pragma warning restore CA1031
    }

    private async Task WarmReadsAsync(Side side, Position position, CancellationToken cancellationToken)
    {
        // Probed before the first statement, so that the statements prepared after it stay warm. The watch has probed the shadow's pool.
        if (position is Position.Served) await served.ProbeAsync(cancellationToken);
        for (var round = 0; round < Rounds; round++)
        {
            await using var lease = await open(side, position, writes: false, cancellationToken);
            await plan.ReadAsync(lease.Store, cancellationToken);
        }
    }

    [LoggerMessage(50, LogLevel.Warning, "Warming up the {Side} in the {Position} position failed.")]
    private partial void LogFailed(Exception failure, Side side, Position position);

    [LoggerMessage(51, LogLevel.Information, "Warm-up is over; shadowing starts.")]
    private partial void LogWarm();

    [LoggerMessage(52, LogLevel.Warning, "The candidate did not come back from its warm-up; it starts cold.")]
    private partial void LogCold();
}
