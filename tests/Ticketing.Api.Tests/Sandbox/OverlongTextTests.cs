using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.AspNetCore.Endpoints;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>A text that is longer than its column: no endpoint lets it in, but what is behind them must agree on it all the same.</summary>
public sealed class OverlongTextTests(PostgresFixture postgres)
{
    private const int Column = 255;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Refused_on_both_sides_it_is_a_match_and_nothing_is_stored()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("overlong_refused", Cancellation), settings: WritesUnderTrafficTests.Everything);
        await IsRefusedAsync(service);
        var status = await service.SettledAsync("tickets.create");
        Assert.Equal((1, 1), (status.Requests, status.Comparisons["match"]));
        Assert.Empty(await MismatchesAsync(service));
    }

    [Fact]
    public async Task Cut_and_stored_by_the_candidate_it_is_a_critical_mismatch_and_nothing_is_stored_for_real()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("overlong_cut", Cancellation),
            store => new TamperedStore(store)
            {
                OnCreate = (request, next, token) => request.Subject.Length <= Column
                    ? next() : store.CreateAsync(request with { Subject = request.Subject[..Column] }, token),
            },
            settings: WritesUnderTrafficTests.Everything);
        await IsRefusedAsync(service);
        var status = await service.SettledAsync("tickets.create");
        Assert.Equal((1, 1), (status.Requests, status.Comparisons["mismatch"]));
        var found = Assert.Single(await MismatchesAsync(service));
        Assert.Equal(("mismatch", "critical", "truncated_text"), (found.Outcome, found.Severity, found.Diagnosis.Cause));
    }

    /// <summary>By the service's own store, which compares what it is asked.</summary>
    private static async Task IsRefusedAsync(ShadowedService service)
    {
        await using var scope = service.Services.CreateAsyncScope();
        var tickets = scope.ServiceProvider.GetRequiredService<ITicketStore>();
        var create = new CreateTicket(new(ShadowedService.Staff, "superadmin"), new('a', Column + 1), "A description of it");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => tickets.CreateAsync(create, Cancellation));
        Assert.Equal("22001", refused.SqlState);
        Assert.Equal($"{PostgresFixture.Tickets}", await Sql.LineAsync(service.Database.Owner, "select count(*) from support_tickets"));
    }

    private static async Task<IReadOnlyList<MismatchSummary>> MismatchesAsync(ShadowedService service) =>
        JsonSerializer.Deserialize<MismatchList>(
            await service.AskAsync("/shadow/v1/mismatches?operation=tickets.create"), JsonSerializerOptions.Web)!.Mismatches;
}
