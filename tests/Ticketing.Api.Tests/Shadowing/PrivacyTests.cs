using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Ticketing.Demo.Database;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>Nothing of what people wrote, nor who they are, is kept by the shadow anywhere: it is looked for everywhere.</summary>
[Collection(PersonalData.Search)]
public sealed class PrivacyTests(PostgresFixture postgres)
{
    private const string Mark = PersonalData.Mark;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_search_for_personal_data_finds_none_in_tables_logs_traces_exemplars_or_metrics()
    {
        var database = await postgres.CloneAsync("privacy", Cancellation);
        await PersonalData.MarkAsync(database);
        await using var collector = await OtlpCollector.StartAsync(Cancellation);
        IDbContextFactory<TicketingContext> contexts = null!;
        await using var service = await ShadowedService.StartAsync(
            database,
            store => new TamperedStore(store)
            {
                OnGet = (request, next, token) => TamperAsync(request, next, contexts, database, token),
                OnList = async (request, next, _) => Tamper(request, await next()),
            },
            settings: [.. collector.Settings, ("Shadowing:Breaker:MinimumThroughput", "10000"), ("Logging:LogLevel:Default", "Trace")]);
        contexts = service.Services.GetRequiredService<IDbContextFactory<TicketingContext>>();

        for (var id = 1; id <= 24; id++)
        {
            await service.GetAsync($"/api/tickets/{id}");
            await service.GetAsync($"/api/tickets?scope=all&limit=5&page={id}");
            await service.GetAsync($"/api/tickets?scope=all&status={Mark}{id % 3}");
        }

        var get = await service.SettledAsync("tickets.get");
        var list = await service.SettledAsync("tickets.list");
        Assert.NotEqual(0, get.Comparisons["mismatch"]);
        Assert.NotEqual(0, get.Comparisons["candidate_error"]);
        Assert.NotEqual(0, list.Comparisons["mismatch"]);

        var mismatches = await PersonalData.MismatchesAsync(service);
        Assert.True(mismatches.Count >= 6, string.Join('\n', mismatches));
        await PersonalData.IsNowhereAsync(service, collector);
    }

    /// <summary>Wrong in every way that carries values: in texts and names, in rows, and in failures that quote them.</summary>
    private static async Task<TicketAnswer> TamperAsync(
        GetTicket request, Func<Task<TicketAnswer>> next, IDbContextFactory<TicketingContext> contexts, TicketingDatabase database, CancellationToken token)
    {
        var answer = await next();
        if (answer.Ticket is not { } ticket) return answer;
        switch (request.TicketId % 8)
        {
            case 0: return answer with { Ticket = ticket with { Subject = ticket.Subject.ToUpperInvariant() } };
            case 1: return answer with { Ticket = ticket with { OwnerEmail = ticket.OwnerEmail + ".org", Description = "" } };
            case 2: return answer with { Ticket = ticket with { Comments = [] } };
            case 3: return answer with { Ticket = ticket with { OwnerFirstName = ticket.OwnerLastName, Resolution = Mark } };
            case 4: throw new InvalidOperationException($"There is no such person as {ticket.OwnerEmail}.");
            case 5: throw new PostgresException($"invalid input: \"{ticket.Subject}\"", "ERROR", "ERROR", "22P02", detail: ticket.OwnerEmail);
            case 6:
                // A mistake of the candidate's that PostgreSQL answers by quoting the row.
                await using (var context = await contexts.CreateDbContextAsync(token))
                await using (var connection = new NpgsqlConnection(database.Shadow))
                {
                    context.Database.SetDbConnection(connection);
                    await context.Tickets.Where(row => row.Id == ticket.Id && (int)(object)row.Subject > 0).ToListAsync(token);
                }

                return answer;
            default: return answer with { Ticket = ticket with { Comments = [.. ticket.Comments, .. ticket.Comments.Take(1)] } };
        }
    }

    private static TicketPage Tamper(ListTickets request, TicketPage page) => request.Page % 2 == 0 || page.Tickets.Count < 2
        ? page with { Total = page.Total + 1 }
        : page with { Tickets = [page.Tickets[1] with { OwnerLastName = null }, .. page.Tickets.Skip(1)] };
}
