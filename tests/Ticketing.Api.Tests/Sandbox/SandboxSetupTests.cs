using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Postgres.Keepers;
using Shadowing.Supervision;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>What is said of the sandbox, and what becomes of writes where it is unsafe, missing or too small: they are answered as always.</summary>
public sealed class SandboxSetupTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_status_names_what_no_comparison_of_writes_can_find()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("sandbox_blind", Cancellation));
        var sandbox = JsonNode.Parse(await service.AskAsync("/shadow/v1/status"))!["sandbox"]!;
        Assert.True((bool)sandbox["available"]!);
        string[] blind = [.. sandbox["blind"]!.AsArray().Select(spot => (string)spot!)];
        Assert.All(
            (string[])["lost updates", "lock behaviour", "unique constraints"],
            spot => Assert.Contains(blind, told => told.Contains(spot, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_sandbox_role_that_could_write_switches_shadowing_off_and_tickets_run_on()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("sandbox_role", Cancellation), settings: WritesUnderTrafficTests.Everything);
        var (watch, writer) = (service.Services.GetRequiredService<SetupWatch>(), new TicketWriter(service.Http));
        await service.AsOwnerAsync("grant insert on ticket_comments to ticketing_sandbox");
        await watch.CheckAsync(Cancellation);

        var status = await service.StatusAsync();
        Assert.Equal([ShadowSwitch.CriticalFinding], status.OffBecause);
        var finding = Assert.Single(status.Findings);
        Assert.Equal(("critical", "public.ticket_comments"), (finding.Severity, finding.Object));
        Assert.Contains("sandbox", finding.Text, StringComparison.Ordinal);
        await writer.CreateAsync("While it could write");
        Assert.Equal(1, (await service.StatusAsync("tickets.create")).Skips["off"]);

        await service.AsOwnerAsync("revoke insert on ticket_comments from ticketing_sandbox");
        await watch.CheckAsync(Cancellation);
        status = await service.StatusAsync();
        Assert.True(status.Enabled);
        Assert.Empty(status.Findings);
        await writer.CreateAsync("Once it could not");
        Assert.Equal(1, (await service.SettledAsync("tickets.create")).Comparisons["match"]);
    }

    [Fact]
    public async Task Without_a_sandbox_writes_are_answered_and_skipped_and_reads_are_compared_all_the_same()
    {
        var database = await postgres.CloneAsync("sandbox_missing", Cancellation);
        await using var service = await ShadowedService.StartAsync(
            database with { Sandbox = null! }, settings: WritesUnderTrafficTests.Everything);
        var writer = new TicketWriter(service.Http);
        var ticket = await writer.CreateAsync("Without a sandbox");
        await writer.CommentAsync(ticket, "Nor with one");
        await writer.ResolveAsync(ticket, "Done");
        Assert.Equal("resolved|Done|1", await Sql.LineAsync(
            database.Owner,
            $"select status, resolution, (select count(*) from ticket_comments where ticket_id = {ticket}) from support_tickets where id = {ticket}"));
        await writer.DeleteAsync(ticket);
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        foreach (var operation in WritesUnderTrafficTests.Operations)
        {
            var skipped = await service.SettledAsync(operation);
            Assert.Equal((1, 1), (skipped.Requests, skipped.Skips["sandbox_unavailable"]));
        }

        Assert.Equal(1, (await service.SettledAsync("tickets.get")).Comparisons["match"]);
        var status = await service.StatusAsync();
        Assert.Equal((true, false), (status.Enabled, status.Sandbox.Available));
        Assert.Contains(status.Findings, finding => finding is { Severity: "warning", Object: "ConnectionStrings:Sandbox" });
    }

    [Fact]
    public async Task A_write_that_concerns_more_rows_than_an_image_may_have_is_done_and_never_a_match()
    {
        var database = await postgres.CloneAsync("sandbox_cap", Cancellation);
        await using var service = await ShadowedService.StartAsync(
            database, settings: [.. WritesUnderTrafficTests.Everything, ("Shadowing:MaxImageRows", "10")]);
        // With their neighbours three tickets each, all of one user: four rows, and eleven comments of one ticket.
        await service.AsOwnerAsync(
            """
            delete from ticket_comments where ticket_id between 99 and 101 or ticket_id between 199 and 201;
            update support_tickets set user_id = 1, assigned_to = null where id between 99 and 101 or id between 199 and 201;
            insert into ticket_comments (ticket_id, user_id, comment) select 200, 1, 'A comment' from generate_series(1, 11)
            """);
        var writer = new TicketWriter(service.Http);
        await writer.ResolveAsync(100, "Of few rows");
        Assert.Equal(1, (await service.SettledAsync("tickets.update")).Comparisons["match"]);
        await writer.ResolveAsync(200, "Of many rows");
        var status = await service.SettledAsync("tickets.update");
        Assert.Equal((2, 1, 1), (status.Requests, status.Comparisons["match"], status.Comparisons["incomparable"]));
        Assert.Equal("resolved|Of many rows", await Sql.LineAsync(database.Owner, "select status, resolution from support_tickets where id = 200"));
        Assert.Matches(
            "shadow_comparisons_total\\{(?=[^}]*shadow_operation=\"tickets.update\")(?=[^}]*shadow_reason=\"too_large\")[^}]*\\} 1\\s",
            await service.AskAsync("/metrics", "text/plain"));
    }
}
