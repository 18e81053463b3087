using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Hosting;

/// <summary>A replica that works becomes ready: one that never does stops a rolling restart.</summary>
public sealed class ReadinessTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A timer may end up to a millisecond before a clock of finer grain says so.</summary>
    [Fact]
    public async Task A_service_whose_patience_ends_before_its_clock_says_so_is_ready_all_the_same()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("readiness", Cancellation), services => services.AddSingleton<TimeProvider>(new EarlyPatience()));
        await Until.HoldsAsync(async () => (await service.Http.GetAsync("/health/ready", Cancellation)).StatusCode == HttpStatusCode.OK);
    }

    /// <summary>The real clock, except that waits of 10 to 15 seconds, as the warm-up's is, are over at once.</summary>
    private sealed class EarlyPatience : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(
                callback, state, dueTime > TimeSpan.FromSeconds(10) && dueTime <= TimeSpan.FromSeconds(15) ? TimeSpan.Zero : dueTime, period);
    }
}
