using ShadowTicketing.Api.Health;
using ShadowTicketing.Shadowing;
using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Shadowing;

/// <summary>
/// Runs every read on both sides before the service calls itself ready: the first query of each kind costs many times the rest, and
/// must be neither a user's nor taken for the candidate's fault.
/// </summary>
/// <remarks>
/// Tickets wait for the served database only. The shadow starts once its role has been checked; a candidate that cannot be warmed up, or does
/// not come back, starts cold, and its requests show what is wrong with it.
/// </remarks>
internal sealed partial class WarmUp(
    OpenStore<ITicketStore> open, Readiness readiness, SetupWatch watch, ShadowSwitch shadowSwitch, TimeProvider clock, ILogger<WarmUp> logger)
    : BackgroundService
{
    private const int Rounds = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CandidatesTime = TimeSpan.FromSeconds(5);
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

    private async Task WarmShadowAsync(PeriodicTimer retry, CancellationToken cancellationToken)
    {
        while (!await watch.CheckAsync(cancellationToken)) await retry.WaitForNextTickAsync(cancellationToken);
        try
        {
            // On a thread of its own: a candidate may block from its first line.
            await Task.Run(() => TryAsync(Side.Candidate, Position.Shadow, cancellationToken), cancellationToken)
                .WaitAsync(CandidatesTime, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogCold();
        }

        shadowSwitch.Hold(ShadowSwitch.WarmingUp, off: false);
        LogWarm();
    }

    private async Task<bool> TryAsync(Side side, Position position, CancellationToken cancellationToken)
    {
        try
        {
            var staff = new Caller(0, "superadmin");
            var asOf = DateTime.SpecifyKind(clock.GetUtcNow().DateTime, DateTimeKind.Unspecified);
            for (var round = 0; round < Rounds; round++)
            {
                await using var lease = await open(side, position, cancellationToken);
                var page = await lease.Store.ListAsync(new(staff, All: true, Limit: 1), cancellationToken);
                await lease.Store.ListAsync(new(staff), cancellationToken);
                await lease.Store.GetAsync(new(staff, page.Tickets is [var first, ..] ? first.Id : 0), cancellationToken);
                await lease.Store.StatsAsync(new(staff, Timeframe.Week, asOf), cancellationToken);
            }

            return true;
        }
#pragma warning disable CA1031 // Whatever the reason: the control is tried again, the candidate starts cold.
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(failure, side, position);
            return false;
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(50, LogLevel.Warning, "Warming up the {Side} in the {Position} position failed.")]
    private partial void LogFailed(Exception failure, Side side, Position position);

    [LoggerMessage(51, LogLevel.Information, "Warm-up is over; shadowing starts.")]
    private partial void LogWarm();

    [LoggerMessage(52, LogLevel.Warning, "The candidate did not come back from its warm-up; it starts cold.")]
    private partial void LogCold();
}
