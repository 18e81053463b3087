using Shadowing.Model;
using Shadowing.Postgres.Keepers;
using Shadowing.Supervision;

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
    WarmUpRuns<TStore> runs, Readiness readiness, SetupWatch watch, ShadowSwitch shadowSwitch, KeeperRegister keepers,
    ILogger<WarmUp<TStore>> logger)
    : Keeper(
        new("warm-up", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)) { LongestPause = TimeSpan.FromSeconds(1) }, keepers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CandidatesTime = TimeSpan.FromSeconds(10);
    private long? _servedSince;
    private bool _isDone;

    protected override bool IsDone => _isDone;

    protected override bool StartsAtOnce => true;

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (_servedSince is null) await runs.ReadAsync(Side.Control, Position.Served, cancellationToken);
        var since = _servedSince ??= Clock.GetTimestamp();
        var warming = shadowSwitch.Reasons.Contains(ShadowSwitch.Disabled) ? Task.CompletedTask : WarmShadowAsync(cancellationToken);
        var left = Patience - Clock.GetElapsedTime(since);
        var patience = Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, Clock, cancellationToken);
        // The timer may end a moment before the clock says so.
        if (await Task.WhenAny(warming, patience) == patience || Clock.GetElapsedTime(since) >= Patience) readiness.MarkWarm();
        await warming;
        readiness.MarkWarm();
        _isDone = true;
    }

    private async Task WarmShadowAsync(CancellationToken cancellationToken)
    {
        await watch.CheckAsync(cancellationToken);
        try
        {
            // On a thread of its own: a candidate may block from its first line.
            await Task.Run(() => runs.WarmShadowAsync(shadowSwitch.HasSandbox, cancellationToken), cancellationToken)
                .WaitAsync(CandidatesTime, Clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogCold();
        }

        shadowSwitch.Hold(ShadowSwitch.WarmingUp, off: false);
        LogWarm();
    }

    [LoggerMessage(51, LogLevel.Information, "Warm-up is over; shadowing starts.")]
    private partial void LogWarm();

    [LoggerMessage(52, LogLevel.Warning, "The candidate did not come back from its warm-up; it starts cold.")]
    private partial void LogCold();
}
