using ShadowTicketing.Api.Health;
using ShadowTicketing.Shadowing;
using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Shadowing;

/// <summary>
/// Runs every read on both sides before the service calls itself ready: the first query of each kind costs many times the rest, and
/// must be neither a user's nor taken for the candidate's fault. Tickets never wait for the shadow longer than its time limit here.
/// </summary>
internal sealed partial class WarmUp(
    OpenStore<ITicketStore> open, Readiness readiness, SetupWatch watch, ShadowSwitch shadowSwitch, TimeProvider clock, ILogger<WarmUp> logger)
    : BackgroundService
{
    private const int Rounds = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var retry = new PeriodicTimer(Retry, clock);
        try
        {
            while (!await TryAsync(Side.Control, Position.Served, stoppingToken)) await retry.WaitForNextTickAsync(stoppingToken);

            var shadow = shadowSwitch.Reasons.Contains(ShadowSwitch.Disabled) ? Task.CompletedTask : WarmShadowAsync(retry, stoppingToken);
            await Task.WhenAny(shadow, Task.Delay(Patience, clock, stoppingToken));
            readiness.MarkWarm();
            await shadow;
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    /// <summary>The shadow starts once its role has been checked and the candidate has run.</summary>
    private async Task WarmShadowAsync(PeriodicTimer retry, CancellationToken cancellationToken)
    {
        while (!await watch.CheckAsync(cancellationToken) || !await TryAsync(Side.Candidate, Position.Shadow, cancellationToken))
            await retry.WaitForNextTickAsync(cancellationToken);
        await TryAsync(Side.Control, Position.Shadow, cancellationToken);
        shadowSwitch.Hold(ShadowSwitch.WarmingUp, off: false);
        LogWarm();
    }

    private async Task<bool> TryAsync(Side side, Position position, CancellationToken cancellationToken)
    {
        try
        {
            await using var lease = await open(side, position, cancellationToken);
            for (var round = 0; round < Rounds; round++) await ReadAllAsync(lease.Store, cancellationToken);
            return true;
        }
#pragma warning disable CA1031 // Whatever the reason, the answer is to try again; the health endpoint and the status tell.
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(failure, side, position);
            return false;
        }
#pragma warning restore CA1031
    }

    private async Task ReadAllAsync(ITicketStore store, CancellationToken cancellationToken)
    {
        var staff = new Caller(0, "superadmin");
        var page = await store.ListAsync(new(staff, All: true, Limit: 1), cancellationToken);
        await store.ListAsync(new(staff), cancellationToken);
        await store.GetAsync(new(staff, page.Tickets is [var first, ..] ? first.Id : 0), cancellationToken);
        await store.StatsAsync(new(staff, Timeframe.Week, DateTime.SpecifyKind(clock.GetUtcNow().DateTime, DateTimeKind.Unspecified)), cancellationToken);
    }

    [LoggerMessage(50, LogLevel.Warning, "Warming up the {Side} in the {Position} position failed; it is tried again.")]
    private partial void LogFailed(Exception failure, Side side, Position position);

    [LoggerMessage(51, LogLevel.Information, "Both sides are warm; shadowing starts.")]
    private partial void LogWarm();
}
