using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.EntityFrameworkCore;
using Shadowing.Postgres.Schema;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Api.Tickets;

namespace Ticketing.Api.Tests.Cases;

/// <summary>Inputs from public reports of teams that did such a migration; the letters are those of the issue.</summary>
public sealed class ReportedCasesTests(PostgresFixture postgres)
{
    private const int User = 30;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_schema_has_and_the_control_cannot_do_is_alike_on_both_sides_and_stored_as_without_a_shadow()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("cases_schema", Cancellation), settings: [.. WritesUnderTrafficTests.Everything]);
        // G: a column that the database computes.
        await service.AsOwnerAsync(
            "alter table support_tickets add column s tsvector generated always as (to_tsvector('simple', subject)) stored");
        await service.AsOwnerAsync("grant select (xmin) on support_tickets to ticketing_shadow");
        // The first few may still meet plans from before.
        var update = await service.SettledAsync("tickets.update");
        for (var ticket = 1; ticket <= 20 && update.Comparisons["match"] < 3; ticket++)
        {
            Assert.Equal(200, await PatchAsync(service, ticket + 20, "A resolution"));
            update = await service.SettledAsync("tickets.update");
        }

        Assert.Equal((3, 0), (update.Comparisons["match"], update.Comparisons["mismatch"]));

        // E: times that .NET cannot read. F: the control fails after its statement, sampled as it is, and what it stored stays stored.
        await service.AsOwnerAsync("update support_tickets set created_at = '0044-03-15 BC' where id = 11; "
            + "update support_tickets set created_at = '12025-01-01' where id = 12");
        foreach (var ticket in (int[])[11, 12])
        {
            Assert.Equal(500, await service.GetAsync($"/api/tickets/{ticket}"));
            Assert.Equal(500, await PatchAsync(service, ticket, "Stored though unread"));
        }

        Assert.Equal("2", await Sql.LineAsync(
            service.Database.Owner, "select count(*) from support_tickets where id in (11, 12) and resolution = 'Stored though unread'"));
        Assert.Equal(2, (await service.SettledAsync("tickets.get")).Comparisons["match"]);
        update = await service.SettledAsync("tickets.update");
        Assert.Equal((5, 0), (update.Comparisons["match"], update.Comparisons["mismatch"]));

        // N: a sequence at its end is nothing that the caller could mend.
        await service.AsOwnerAsync("select setval('support_tickets_id_seq', 5000); alter sequence support_tickets_id_seq maxvalue 5000");
        var (status, problem) = await service.SendAsync(
            HttpMethod.Post, "/api/tickets", new { subject = "A subject", description = "A description" });
        Assert.Equal((500, "internal_error"), (status, (string?)problem!["code"]));
        Assert.Equal(1, (await service.SettledAsync("tickets.create")).Comparisons["control_error"]);
        Assert.Empty(await MismatchesAsync(service));
    }

    [Fact]
    public async Task A_candidate_that_leaks_caches_refuses_and_stages_is_told_by_its_own_name_each_time()
    {
        var cached = new ConcurrentDictionary<int, TicketAnswer>();
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("cases_candidate", Cancellation),
            services =>
            {
                var registered = services.Last(one => one.ServiceType == typeof(CandidateStore)).ImplementationFactory!;
                services.AddSingleton<CandidateStore>(provider => session => new TamperedStore(((CandidateStore)registered(provider))(session))
                {
                    OnList = static async (request, next, _) => await next() is { Tickets.Count: > 60 } page && !request.All
                        ? page with { Tickets = [.. page.Tickets.Select(Differs), page.Tickets[0] with { Id = 1, UserId = User + 1 }] } : await next(),
                    OnGet = async (request, next, _) => cached.TryGetValue(request.TicketId, out var kept) ? kept
                        : cached[request.TicketId] = await next(),
                    OnUpdate = static (_, _, _) => Task.FromResult(new TicketChange(TicketAccess.NotFound, null)),
                    OnComment = async (_, next, token) =>
                    {
                        await using var stage = new NpgsqlCommand("create temp table staged (id int)", session.Connection, session.Transaction);
                        await stage.ExecuteNonQueryAsync(token);
                        return await next();
                    },
                });
            }, settings: [.. WritesUnderTrafficTests.Everything]);

        // I: told before any traffic.
        Assert.Contains((await service.StatusAsync()).Findings, finding =>
            finding.Object == "warm-up" && finding.Text.Contains("CREATE TABLE is refused", StringComparison.Ordinal));

        // D: a page of own tickets that differ in two members each, and one of another user behind them.
        await service.AsOwnerAsync($"""
            insert into support_tickets (user_id, subject, description) select {User}, 'Own ' || n, 'Mine' from generate_series(1, 66) n
            """);
        Assert.Equal(200, await service.GetAsync("/api/tickets?limit=66", User));
        await service.SettledAsync("tickets.list");
        var leak = Assert.Single(await MismatchesAsync(service));
        Assert.Equal(("critical", "access_filter_lost"), ((string?)leak["severity"], (string?)leak["diagnosis"]!["cause"]));

        // M: a cache that a write does not invalidate.
        Assert.Equal(200, await service.GetAsync("/api/tickets/7"));
        await service.SettledAsync("tickets.get");
        await service.AsOwnerAsync("update support_tickets set subject = 'Another', status = 'closed' where id = 7");
        Assert.Equal(200, await service.GetAsync("/api/tickets/7"));
        await service.SettledAsync("tickets.get");
        Assert.Equal("stale_answer", await CauseAsync(service, "tickets.get"));

        // L: a write that is refused as not found is not lost.
        Assert.Equal(200, await PatchAsync(service, 9, "A resolution"));
        await service.SettledAsync("tickets.update");
        Assert.Equal("found_differently", await CauseAsync(service, "tickets.update"));

        // I: staging in a temporary table works for users and cannot work in the sandbox.
        for (var comment = 0; comment < 15; comment++)
            Assert.Equal(201, (await service.SendAsync(HttpMethod.Post, "/api/tickets/9/comments", new { comment = "A comment" })).Status);
        var comments = await service.SettledAsync("tickets.comment");
        Assert.Equal(
            (15, 0, 0), (comments.Comparisons["incomparable"], comments.Comparisons["candidate_error"], comments.Skips["breaker_open"]));
        Assert.Contains((await service.StatusAsync()).Findings, finding =>
            finding.Object == "tickets.comment" && finding.Text.Contains("CREATE TABLE is refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_right_that_the_shadow_lacks_is_told_before_any_request_with_the_statement_that_grants_it()
    {
        var database = await postgres.CloneAsync("cases_lacking", Cancellation);
        await Sql.StateAsync(database.Owner, "revoke select on ticket_comments from ticketing_shadow");
        await using var service = await ShadowedService.StartAsync(database, warm: false);
        await Until.HoldsAsync(async () => (await service.StatusAsync()).Findings.Any(finding => finding.Object == "warm-up"
            && finding.Text.Contains("GRANT SELECT ON TABLE ticket_comments", StringComparison.Ordinal)));
        Assert.Contains("GRANT SELECT ON TABLE ticket_comments", await service.AskAsync("/shadow/v1/doctor"), StringComparison.Ordinal);
        Assert.Equal(0, (await service.StatusAsync("tickets.get")).Requests);
    }

    [Fact]
    public async Task A_candidate_with_a_row_version_writes_in_the_sandbox_and_its_conflict_is_told_by_its_name()
    {
        // H: the version is a column of the system, and not in any list of columns.
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("cases_version", Cancellation),
            services =>
            {
                var registered = services.Last(one => one.ServiceType == typeof(CandidateStore)).ImplementationFactory!;
                services.AddSingleton<CandidateStore>(provider => session => new TamperedStore(((CandidateStore)registered(provider))(session))
                {
                    OnUpdate = (request, next, token) => VersionedAsync(session, request, next, token),
                });
                services.AddSingleton(new CheckSetup(static async (connection, token) =>
                {
                    await using var context = new VersionedContext(connection);
                    return [.. (await ModelCheck.CompareAsync(context, connection, token)).Select(found =>
                        new SetupDisagreement(found.Object, found.Finding, found.Breaks))];
                }));
            }, settings: [.. WritesUnderTrafficTests.Everything]);
        Assert.Empty((await service.StatusAsync()).Findings);
        foreach (var ticket in (int[])[7, 8]) Assert.Equal(200, await PatchAsync(service, ticket, "A resolution"));
        var update = await service.SettledAsync("tickets.update");
        Assert.Equal((2, 0, 0), (update.Comparisons["match"], update.Comparisons["mismatch"], update.Comparisons["candidate_error"]));

        Assert.Equal(200, await PatchAsync(service, 9, "A resolution"));
        update = await service.SettledAsync("tickets.update");
        Assert.Equal((2, 1), (update.Comparisons["match"], update.Comparisons["candidate_error"]));
        var conflict = Assert.Single(await MismatchesAsync(service), mismatch => (string?)mismatch["outcome"] == "candidate_error");
        Assert.Equal("DbUpdateConcurrencyException", (string?)conflict["errorType"]);
    }

    private static async Task<TicketChange> VersionedAsync(
        TicketSession session, UpdateTicket request, Func<Task<TicketChange>> next, CancellationToken cancellationToken)
    {
        await using var context = new VersionedContext(session.Connection);
        await context.Database.UseTransactionAsync(session.Transaction, cancellationToken);
        var row = (await context.FindAsync<VersionedRow>([request.TicketId], cancellationToken))!;
        // As if another session had written between the read and the write.
        if (request.TicketId == 9) context.Entry(row).Property(ticket => ticket.Version).OriginalValue--;
        row.Resolution = request.Resolution?.Value;
        await context.SaveChangesAsync(cancellationToken);
        return await next();
    }

    private static TicketListItem Differs(TicketListItem ticket) => ticket with { Subject = ticket.Subject + "!", Priority = "low" };

    private static async Task<int> PatchAsync(ShadowedService service, int ticket, string resolution) =>
        (await service.SendAsync(HttpMethod.Patch, $"/api/tickets/{ticket}", new { resolution })).Status;

    [Fact]
    public async Task A_candidate_that_does_not_come_back_from_its_own_code_rests_alone_and_is_named()
    {
        // J: it stands for a regular expression that backtracks for minutes, without the processor that it would keep.
        using var back = new ManualResetEventSlim();
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("cases_spin", Cancellation),
            store => new TamperedStore(store)
            {
                OnGet = (_, next, _) =>
                {
                    back.Wait(Cancellation);
                    return next();
                },
            },
            settings: [("Shadowing:ShadowTimeout", "00:00:01"), ("Shadowing:CancelGrace", "00:00:00.050"), ("Shadowing:YieldAfter", "00:00:10")]);
        Assert.Equal(200, await service.GetAsync("/api/tickets/1"));
        var get = await service.SettledAsync("tickets.get");
        Assert.Equal(1, get.Comparisons["candidate_timeout"] + get.Comparisons["incomparable"]);
        Assert.Contains((await service.StatusAsync()).Findings, finding =>
            finding is { Object: "tickets.get" } && finding.Text.Contains("may keep a processor", StringComparison.Ordinal));
        Assert.Equal(200, await service.GetAsync("/api/tickets/2"));
        Assert.Equal(1, (await service.SettledAsync("tickets.get")).Skips["breaker_open"]);

        // The others go on.
        await Until.HoldsAsync(async () => await service.GetAsync("/api/tickets?scope=all") == 200
            && (await service.StatusAsync("tickets.list")).Comparisons is var list && list["match"] + list["tolerated"] > 0);
        Assert.Equal(0, (await service.StatusAsync("tickets.list")).Skips["breaker_open"]);

        back.Set();
        await Until.HoldsAsync(async () => await service.GetAsync("/api/tickets/1") == 200
            && (await service.StatusAsync("tickets.get")).Comparisons["match"] > 0);
        await Until.HoldsAsync(async () => (await service.StatusAsync()).Findings.All(finding => finding.Object != "tickets.get"));
    }

    private static async Task<JsonNode[]> MismatchesAsync(ShadowedService service) =>
        [.. JsonNode.Parse(await service.AskAsync("/shadow/v1/mismatches"))!["mismatches"]!.AsArray().OfType<JsonNode>()];

    private static async Task<string?> CauseAsync(ShadowedService service, string operation) => (string?)Assert.Single(
        await MismatchesAsync(service), mismatch => (string?)mismatch["operation"] == operation)["diagnosis"]!["cause"];

    private sealed class VersionedRow
    {
        public int Id { get; set; }

        public int UserId { get; set; }

        public string Subject { get; set; } = "";

        public string Description { get; set; } = "";

        public string? Resolution { get; set; }

        public uint Version { get; set; }
    }

    private sealed class VersionedContext(NpgsqlConnection connection) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) => optionsBuilder.UseNpgsql(connection);

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<VersionedRow>(ticket =>
        {
            ticket.ToTable("support_tickets");
            ticket.Property(row => row.Id).HasColumnName("id");
            ticket.Property(row => row.UserId).HasColumnName("user_id");
            ticket.Property(row => row.Subject).HasColumnName("subject").HasMaxLength(255);
            ticket.Property(row => row.Description).HasColumnName("description");
            ticket.Property(row => row.Resolution).HasColumnName("resolution");
            ticket.Property(row => row.Version).IsRowVersion();
        });
    }
}
