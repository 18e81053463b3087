using System.Net.Http.Headers;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using ShadowTicketing.Api.Operations;
using ShadowTicketing.Demo.Database;
using ShadowTicketing.Tickets;
using ShadowTicketing.Tickets.EfCore;

namespace ShadowTicketing.Api.Tests.Shadowing;

/// <summary>Nothing of what people wrote, nor who they are, is kept by the shadow anywhere: it is looked for everywhere.</summary>
public sealed class PrivacyTests(PostgresFixture postgres)
{
    /// <summary>In every name, address and text of the database, and in what is asked for.</summary>
    private const string Mark = "Zyxomma7";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_search_for_personal_data_finds_none_in_tables_logs_traces_exemplars_or_metrics()
    {
        var database = await postgres.CloneAsync("privacy", Cancellation);
        await MarkAsync(database);
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

        var mismatches = await AskAsync(service, "/shadow/v1/mismatches");
        var found = System.Text.Json.JsonSerializer.Deserialize<MismatchList>(mismatches, System.Text.Json.JsonSerializerOptions.Web)!.Mismatches;
        Assert.True(found.Count >= 6, mismatches);
        var details = await Task.WhenAll(found.Select(mismatch => AskAsync(service, $"/shadow/v1/mismatches/{mismatch.Signature}")));
        await Until.HoldsAsync(async () => (await EvidenceAsync(database)).Contains(found[0].Signature, StringComparison.Ordinal));
        await Until.HoldsAsync(() => Task.FromResult(collector.All("/logs").Length > 0));
        await Until.HoldsAsync(() => Task.FromResult(collector.All("/traces").Contains("candidate_error", StringComparison.Ordinal)));

        Dictionary<string, string> places = new()
        {
            ["mismatches"] = mismatches + string.Concat(details),
            ["status"] = await AskAsync(service, "/shadow/v1/status") + await AskAsync(service, "/shadow/v1/transients"),
            ["metrics and exemplars"] = await AskAsync(service, "/metrics", "application/openmetrics-text"),
            ["evidence tables"] = await EvidenceAsync(database),
            ["logs"] = string.Join('\n', service.Logs.GetSnapshot().Select(record => $"{record.Message} {record.Exception} {record.StructuredState?.Count}"
                + string.Join(' ', record.StructuredState ?? []) + string.Join(' ', record.Scopes))),
            ["traces"] = collector.All("/traces"),
            ["exported logs"] = collector.All("/logs"),
            ["exported metrics"] = collector.All("/metrics"),
        };
        Assert.All(places, place => Assert.True(place.Value.Length > 100, place.Key));
        Assert.All(places, place => Assert.True(
            !place.Value.Contains(Mark, StringComparison.OrdinalIgnoreCase), $"{place.Key}: {Around(place.Value)}"));
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

    private static async Task MarkAsync(TicketingDatabase database)
    {
        await using var source = NpgsqlDataSource.Create(database.Owner);
        await using var command = source.CreateCommand(
            $"""
            update users set first_name = '{Mark}' || id, last_name = '{Mark}' || id, email = '{Mark}' || id || '@mark.test';
            update support_tickets set subject = '{Mark} ' || id, description = '{Mark} ' || id, resolution = '{Mark} ' || id, status = '{Mark}' || id % 3;
            update ticket_comments set comment = '{Mark} ' || id;
            """);
        command.CommandTimeout = 60;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Every row of every table of the schema, as text.</summary>
    private static async Task<string> EvidenceAsync(TicketingDatabase database)
    {
        await using var source = NpgsqlDataSource.Create(database.Evidence);
        var tables = new List<string>();
        await using (var command = source.CreateCommand("select tablename from pg_tables where schemaname = 'shadow'"))
        await using (var reader = await command.ExecuteReaderAsync(Cancellation))
        {
            while (await reader.ReadAsync(Cancellation)) tables.Add(reader.GetString(0));
        }

        var all = new StringBuilder();
        foreach (var table in tables)
        {
            await using var command = source.CreateCommand($"select coalesce(string_agg(row_to_json(t)::text, ' '), '') from shadow.{table} t");
            all.Append(await command.ExecuteScalarAsync(Cancellation));
        }

        return all.ToString();
    }

    private static async Task<string> AskAsync(ShadowedService service, string path, string accept = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        request.Headers.Authorization = new("Bearer", ShadowedService.ViewerToken);
        using var response = await service.Http.SendAsync(request, Cancellation);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Cancellation);
    }

    private static string Around(string text) =>
        text.IndexOf(Mark, StringComparison.OrdinalIgnoreCase) is >= 0 and var at ? text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 100)] : "";
}
