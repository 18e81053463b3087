using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Sandbox;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>As <see cref="PrivacyTests"/>, of writes: whole rows are compared, and PostgreSQL quotes them where it refuses one.</summary>
[Collection(PersonalData.Search)]
public sealed class WritePrivacyTests(PostgresFixture postgres)
{
    private const string Mark = PersonalData.Mark;
    private const int Rounds = 6;
    private const int NobodysId = 2_147_000_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_search_for_what_was_written_finds_none_of_it_in_tables_logs_traces_exemplars_or_metrics()
    {
        var database = await postgres.CloneAsync("privacy_writes", Cancellation);
        await PersonalData.MarkAsync(database);
        await using var collector = await OtlpCollector.StartAsync(Cancellation);
        await using var service = await ShadowedService.StartAsync(
            database,
            store => new TamperedStore(store)
            {
                OnCreate = (request, next, token) => TamperAsync(store, request, next, token),
                OnUpdate = (request, next, token) => TamperAsync(store, request, next, token),
                OnComment = (request, next, token) => TamperAsync(store, request, next, token),
            },
            settings:
            [
                .. WritesUnderTrafficTests.Everything, .. collector.Settings,
                ("Shadowing:Breaker:MinimumThroughput", "10000"), ("Shadowing:ShadowTimeout", "00:00:30"),
                ("Logging:LogLevel:Default", "Trace"),
            ]);

        // Some of the first have more comments than an image may have rows.
        var tickets = await Sql.LinesAsync(
            database.Owner,
            $"select t.id from support_tickets t where (select count(*) from ticket_comments c where c.ticket_id = t.id) < 20 order by t.id limit {Rounds}");
        for (var round = 1; round <= Rounds; round++)
        {
            var (text, ticket) = ($"{Mark} {round}", $"/api/tickets/{tickets[round - 1]}");
            Assert.Equal(201, (await service.SendAsync(HttpMethod.Post, "/api/tickets", new { subject = text, description = $"{Mark} described" })).Status);
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Patch, ticket, new { status = "resolved", resolution = text })).Status);
            Assert.Equal(201, (await service.SendAsync(HttpMethod.Post, $"{ticket}/comments", new { comment = text })).Status);
        }

        foreach (var (operation, errors) in new[] { ("tickets.create", 3), ("tickets.update", 2), ("tickets.comment", 3) })
        {
            var status = await service.SettledAsync(operation);
            var found = $"{operation}: {string.Join(' ', status.Comparisons.Concat(status.Skips).Where(one => one.Value > 0))}";
            Assert.True((status.Comparisons["mismatch"], status.Comparisons["candidate_error"]) == (3, errors), found);
        }

        // Rows that differ in a column, and whole rows that only one side has; refusals of PostgreSQL's and of the candidate's own.
        var mismatches = string.Concat(await PersonalData.MismatchesAsync(service));
        Assert.All(
            (string[])
            [
                "rows.support_tickets[*].subject", "rows.ticket_comments[*].comment", "extra_row", "missing_row", "23502", "23503",
                "InvalidOperationException",
            ],
            kind => Assert.True(mismatches.Contains(kind, StringComparison.Ordinal), $"{kind} is not in {mismatches}"));
        await PersonalData.IsNowhereAsync(service, collector);
    }

    private static async Task<Ticket> TamperAsync(ITicketStore store, CreateTicket request, Func<Task<Ticket>> next, CancellationToken token)
    {
        switch (RoundOf(request.Subject))
        {
            case 1: return await store.CreateAsync(request with { Subject = request.Subject.ToUpperInvariant(), Priority = Mark }, token);
            case 2:
                await next();
                return await next();
            case 3: return new(NobodysId, 1, request.Subject, Mark, null, null, null, null, Mark, null, null, null);
            // PostgreSQL quotes the row that must not have a NULL.
            case 4: return await store.CreateAsync(request with { Description = null! }, token);
            case 5: throw new InvalidOperationException($"{request.Subject} cannot be stored.");
            case 6: return await store.CreateAsync(request with { Caller = new(NobodysId, "user") }, token);
            default: return await next();
        }
    }

    private static async Task<TicketChange> TamperAsync(
        ITicketStore store, UpdateTicket request, Func<Task<TicketChange>> next, CancellationToken token)
    {
        switch (RoundOf(request.Resolution?.Value))
        {
            case 1: return await store.UpdateAsync(request with { Resolution = new(request.Resolution!.Value.Value + "!"), Status = Mark }, token);
            case 2: return await store.UpdateAsync(request with { TicketId = request.TicketId + 1 }, token);
            case 3:
                await store.DeleteAsync(new(request.Caller, request.TicketId), token);
                return new(TicketAccess.NotFound, null);
            case 4: throw new InvalidOperationException($"{request.Resolution?.Value} cannot be stored.");
            // Nobody has this id: a foreign key is violated.
            case 5: return await store.UpdateAsync(request with { AssignedTo = new(NobodysId) }, token);
            default: return await next();
        }
    }

    private static async Task<CommentAnswer> TamperAsync(
        ITicketStore store, AddComment request, Func<Task<CommentAnswer>> next, CancellationToken token)
    {
        switch (RoundOf(request.Text))
        {
            case 1: return await store.CommentAsync(request with { Text = request.Text.ToUpperInvariant() }, token);
            case 2:
                await next();
                return await next();
            case 3: return await store.CommentAsync(request with { IsInternal = true }, token);
            case 4: throw new InvalidOperationException($"{request.Text} cannot be stored.");
            case 5: return await store.CommentAsync(request with { Text = null! }, token);
            case 6: return await store.CommentAsync(request with { Caller = request.Caller with { UserId = NobodysId } }, token);
            default: return await next();
        }
    }

    /// <summary>As a request's text ends; none where the service warms up.</summary>
    private static int RoundOf(string? text) => text?[^1] is { } last and >= '1' and <= '9' ? last - '0' : 0;
}
