using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Shadowing.Postgres.Keepers;
using Shadowing.Supervision;
using Ticketing.Api.Tests.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The service prunes by itself.</summary>
public sealed class PruningKeeperTests(PostgresFixture postgres)
{
    private const string Old =
        """
        insert into shadow.alert values ('k', 'an old alert', now(), 'tickets.get', now() - interval '31 days');
        insert into shadow.traffic values ('tickets.get', now() - interval '16 days', 1);
        insert into shadow.acceptance values ('s', 'tickets.get', '', '', '', now(), now() - interval '91 days');
        insert into shadow.sweep (operation, fingerprint, rate, exhaustive, state, started_by, reason, ended_at)
            values ('tickets.get', 'old', 1, true, 'done', '', '', now() - interval '91 days')
        """;

    private const string Left =
        """
        select (select count(*) from shadow.alert) + (select count(*) from shadow.acceptance) + (select count(*) from shadow.sweep)
            + (select count(*) from shadow.traffic where minute < now() - interval '15 days')
        """;

    [Fact]
    public async Task Ten_minutes_after_the_start_all_that_is_too_old_is_deleted()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("pruning_keeper", cancellation));
        Assert.Single(service.Services.GetServices<IHostedService>().OfType<PruningKeeper>());
        Assert.Null(await Sql.StateAsync(service.Database.Evidence, Old));
        Assert.Equal("4", await Sql.LineAsync(service.Database.Evidence, Left));

        var clock = new FakeTimeProvider();
        var keepers = new KeeperRegister(
            service.Services.GetRequiredService<SupervisionMetrics>(), clock, service.Services.GetRequiredService<ILogger<KeeperRegister>>());
        using var keeper = ActivatorUtilities.CreateInstance<PruningKeeper>(service.Services, keepers);
        await keeper.StartAsync(cancellation);
        clock.Advance(TimeSpan.FromMinutes(10));
        await Until.HoldsAsync(async () => await Sql.LineAsync(service.Database.Evidence, Left) == "0");
        await keeper.StopAsync(cancellation);
    }
}
