using Microsoft.Extensions.DependencyInjection;
using Shadowing.Confirming;
using Shadowing.Postgres.Keepers;
using Shadowing.Supervision;
using Ticketing.Api.Tests.Rollout;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The served role and the shadow's may see different rows; what is compared then says nothing about users, and is never counted as if it did.</summary>
public sealed class PositionsTests(PostgresFixture postgres)
{
    /// <summary>Both roles have the same policy, so that nothing shows in the catalogue; what it lets them see differs all the same.</summary>
    private const string HideFromShadow =
        """
        alter table support_tickets enable row level security;
        create policy by_user on support_tickets using (current_user in ('ticketing_served', 'ticketing_evidence'));
        """;

    private const string ShowToAll = "drop policy by_user on support_tickets; create policy by_user on support_tickets using (true)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Row_security_for_the_served_role_alone_is_found_without_traffic()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("positions_policy", Cancellation));
        var watch = service.Services.GetRequiredService<SetupWatch>();
        await service.AsOwnerAsync(
            """
            alter table support_tickets enable row level security;
            create policy everything on support_tickets to ticketing_served using (true) with check (true);
            """);
        await watch.CheckAsync(Cancellation);
        var status = await service.StatusAsync();
        Assert.Equal([ShadowSwitch.CriticalFinding], status.OffBecause);
        var finding = Assert.Single(status.Findings, finding => finding.Object == "support_tickets");
        Assert.Equal("critical", finding.Severity);
        Assert.Contains("ticketing_shadow: no policy, so no rows", finding.Text, StringComparison.Ordinal);
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));

        await service.AsOwnerAsync("alter policy everything on support_tickets to ticketing_served, ticketing_shadow");
        await watch.CheckAsync(Cancellation);
        Assert.True((await service.StatusAsync()).Enabled);
    }

    [Fact]
    public async Task A_name_that_means_another_table_to_the_shadow_is_found_without_traffic()
    {
        var database = await postgres.CloneAsync("positions_path", Cancellation);
        await using (var service = await ShadowedService.StartAsync(database))
        {
            await service.AsOwnerAsync(
                """
                create schema other; grant usage on schema other to ticketing_shadow;
                create table other.support_tickets (like public.support_tickets); grant select on other.support_tickets to ticketing_shadow;
                """);
        }

        await using var misled = await ShadowedService.StartAsync(
            database with { Shadow = database.Shadow + ";Search Path=other,public" }, warm: false);
        await Until.HoldsAsync(async () => (await misled.StatusAsync()).Findings.Any(finding =>
            finding is { Severity: "critical", Object: "support_tickets" } && finding.Text.Contains("another table", StringComparison.Ordinal)));
        Assert.False((await misled.StatusAsync()).Enabled);
    }

    [Fact]
    public async Task What_only_the_served_role_sees_is_neither_match_nor_transient_and_holds_shadowing_off_until_both_see_it()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("positions_runtime", Cancellation), store => new TamperedStore(store)
        {
            // Wrong for every user, which nobody would notice where the shadow sees no row.
            OnGet = async (_, next, _) =>
            {
                var answer = await next();
                return answer.Ticket is { } ticket ? answer with { Ticket = ticket with { CreatedAt = ticket.CreatedAt?.Date } } : answer;
            },
        }, settings: ServedWritesTests.Roomy);
        await service.AsOwnerAsync(HideFromShadow);
        // The self-test holds the control against itself, and so finds it as well.
        for (var request = 1; request <= PositionWatch.Limit && (await service.StatusAsync()).Enabled; request++)
        {
            Assert.Equal(200, await service.GetAsync($"/api/tickets/{request}"));
            var status = await service.SettledAsync("tickets.get");
            Assert.Equal((request, 0, 0), (status.Comparisons["incomparable"], status.Comparisons["match"], status.Comparisons["transient"]));
        }

        Assert.Equal([ShadowSwitch.PositionsDiffer], (await service.StatusAsync()).OffBecause);
        Assert.Contains((await service.StatusAsync()).Findings, finding => finding is { Severity: "critical", Object: "tickets.get" });
        Assert.Equal(200, await service.GetAsync("/api/tickets/9"));
        Assert.Equal(1, (await service.StatusAsync("tickets.get")).Skips["off"]);

        var positions = service.Services.GetRequiredService<PositionWatch>();
        await positions.RecheckAsync(Cancellation);
        Assert.NotNull(positions.Differing);
        await service.AsOwnerAsync(ShowToAll);
        await positions.RecheckAsync(Cancellation);
        Assert.True((await service.StatusAsync()).Enabled);
        Assert.Empty((await service.StatusAsync()).Findings);
        Assert.Equal(200, await service.GetAsync("/api/tickets/9"));
        Assert.Equal(1, (await service.SettledAsync("tickets.get")).Comparisons["mismatch"]);
    }

    [Fact]
    public async Task A_candidate_that_serves_rows_that_the_shadow_cannot_see_is_not_accused_and_the_control_answers_from_then_on()
    {
        await using var replica = await Replica.StartAsync(await postgres.CloneAsync("positions_serving", Cancellation), settings: ServedWritesTests.Roomy);
        await replica.ProveAsync();
        await replica.ServeAsync();
        await replica.Service.AsOwnerAsync(HideFromShadow);
        for (var request = 1; request <= PositionWatch.Limit && (await replica.Service.StatusAsync()).Enabled; request++)
        {
            Assert.Equal(200, await replica.Service.GetAsync($"/api/tickets/{request}"));
            Assert.Equal(request, (await replica.Service.SettledAsync("tickets.get")).Comparisons["incomparable"]);
        }

        Assert.Equal(0, (await replica.Service.StatusAsync("tickets.get")).Comparisons["mismatch"]);
        var rollout = await replica.RolloutAsync();
        Assert.Null((string?)rollout["heldBecause"]);
        Assert.Equal(0, (double)rollout["effectiveServePercent"]!);
    }

    [Fact]
    public async Task A_row_that_really_moved_is_transient_and_the_pair_on_the_snapshot_is_its_case()
    {
        var moves = true;
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("positions_moved", Cancellation), store => new TamperedStore(store)
        {
            OnGet = async (request, next, token) =>
            {
                if (moves) await Database.Sql.StateAsync(Moved!, $"update support_tickets set subject = 'Moved' where id = {request.TicketId}");
                moves = false;
                return await next();
            },
        }, settings: ServedWritesTests.Roomy);
        Moved = service.Database.Owner;
        Assert.Equal(200, await service.GetAsync("/api/tickets/3"));
        Assert.Equal(1, (await service.SettledAsync("tickets.get")).Comparisons["transient"]);
        Assert.Null(service.Services.GetRequiredService<PositionWatch>().Differing);
    }

    private string? Moved { get; set; }
}
