using System.Data;
using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Statements;

namespace Ticketing.Api.Tests.Parity;

/// <summary>Both sides over the seeded rows, on one snapshot, in three zones: whatever is asked, they answer the same.</summary>
public sealed class ReadParityTests(ParityDatabase database) : IClassFixture<ParityDatabase>
{
    private static readonly Caller Staff = new(1, "superadmin");

    public static TheoryData<string> Zones => ["UTC", "Asia/Kathmandu", "America/New_York"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Zones))]
    public Task Every_list_is_the_same(string zone) => OnOneSnapshotAsync(zone, async (control, candidate, connection) =>
    {
        var all = await RowsAsync(control, new(Staff, All: true));
        var statuses = all.Values.Select(ticket => ticket.Status).Append("").Append("no such status").Distinct();
        var priorities = all.Values.Select(ticket => ticket.Priority).Distinct();
        var assignees = all.Values.Select(ticket => ticket.AssignedTo).Distinct().Order().Take(8).Append(4711);
        List<ListTickets> requests =
        [
            .. statuses.Select(status => new ListTickets(Staff, All: true, Status: status)),
            .. priorities.Select(priority => new ListTickets(Staff, All: true, Priority: priority, Page: 2)),
            .. assignees.Select(assignee => new ListTickets(Staff, All: true, AssignedTo: assignee, Limit: 7)),
            .. Enumerable.Range(1, 21).Select(page => new ListTickets(Staff, All: true, Page: page, Limit: 100)),
            new(Staff, All: true, "open", "high", 5, 1, 3), new(Staff, All: true, Page: int.MaxValue, Limit: 100), new(Staff, All: true, Limit: 1),
        ];
        foreach (var request in requests)
            SameAnswer.Page(await control.ListAsync(request, Token), await candidate.ListAsync(request, Token), all);

        foreach (var owner in all.Values.Select(ticket => ticket.UserId).Distinct().Where(owner => owner % 3 == 1))
        {
            var own = new ListTickets(new(owner, "user"));
            var rows = await RowsAsync(control, own);
            foreach (var request in (ListTickets[])[own, own with { Page = 2, Limit = 5 }, own with { Status = "open" }, own with { Priority = "urgent", Limit = 3 }])
                SameAnswer.Page(await control.ListAsync(request, Token), await candidate.ListAsync(request, Token), rows);
        }
    });

    [Theory]
    [MemberData(nameof(Zones))]
    public Task Every_ticket_is_the_same_to_its_owner_a_stranger_and_staff(string zone) => OnOneSnapshotAsync(zone, async (control, candidate, _) =>
    {
        var all = await RowsAsync(control, new(Staff, All: true));
        foreach (var ticket in all.Values.Where(ticket => ticket.Id % 7 == 1))
        {
            foreach (var caller in (Caller[])[new(ticket.UserId, "user"), new(ticket.UserId + 1, "user"), Staff with { Role = "admin" }])
            {
                var request = new GetTicket(caller, ticket.Id);
                SameAnswer.Detail(await control.GetAsync(request, Token), await candidate.GetAsync(request, Token));
            }
        }

        foreach (var missing in (int[])[0, -1, int.MinValue, int.MaxValue])
            Assert.Equal(await control.GetAsync(new(Staff, missing), Token), await candidate.GetAsync(new(Staff, missing), Token));
    });

    [Theory]
    [MemberData(nameof(Zones))]
    public Task Every_statistic_is_the_same_to_the_last_digit(string zone) => OnOneSnapshotAsync(zone, async (control, candidate, connection) =>
    {
        await using var clock = new NpgsqlCommand("SELECT LOCALTIMESTAMP", connection);
        var now = (DateTime)(await clock.ExecuteScalarAsync(Token))!;
        var instants = Enumerable.Range(0, 10).Select(step => now.AddDays(-43 * step).AddTicks(step * 12_345_670L)).Concat(
            [new(2025, 3, 9, 2, 30, 0), new(2024, 2, 29, 12, 0, 0), new(1970, 1, 2), new(2020, 1, 1)]);
        foreach (var asOf in instants)
        {
            foreach (var timeframe in Enum.GetValues<Timeframe>())
            {
                var request = new GetStats(Staff, timeframe, asOf);
                SameAnswer.Statistics(await control.StatsAsync(request, Token), await candidate.StatsAsync(request, Token));
            }
        }
    });

    [Fact]
    public async Task The_candidate_reads_with_no_more_statements_and_with_the_shadows_rights()
    {
        await using var source = ParityDatabase.Source(database.Database.Shadow);
        await using var session = await TicketSession.OpenAsync(source, Token);
        var (control, candidate) = (ParityDatabase.Control(session), database.Candidate(session));
        foreach (var read in (Func<ITicketStore, Task>[])
        [
            store => store.ListAsync(new(Staff, All: true), Token),
            store => store.ListAsync(new(new(30, "user")), Token),
            store => store.GetAsync(new(Staff, 1), Token),
            store => store.GetAsync(new(Staff, int.MaxValue), Token),
            store => store.StatsAsync(new(Staff, Timeframe.Year, new(2025, 3, 31)), Token),
        ])
            Assert.Equal(await StatementsAsync(() => read(control)), await StatementsAsync(() => read(candidate)));
    }

    [Fact]
    public async Task A_negative_limit_fails_alike_on_both_sides()
    {
        await using var source = ParityDatabase.Source(database.Database.Shadow);
        await using var session = await TicketSession.OpenAsync(source, Token);
        var request = new ListTickets(Staff, All: true, Limit: -1);
        var control = await Assert.ThrowsAsync<PostgresException>(() => ParityDatabase.Control(session).ListAsync(request, Token));
        var candidate = await Assert.ThrowsAnyAsync<Exception>(() => database.Candidate(session).ListAsync(request, Token));
        Assert.Equal(PostgresErrors.Categorize(control), PostgresErrors.Categorize(candidate));
    }

    internal static async Task<int> StatementsAsync(Func<Task> operation)
    {
        var ledger = StatementLedger.Open();
        await operation();
        Assert.NotEqual(0, ledger.Statements);
        return ledger.Statements;
    }

    private static async Task<IReadOnlyDictionary<int, TicketListItem>> RowsAsync(ITicketStore control, ListTickets request)
    {
        var page = await control.ListAsync(request with { Limit = 1_000_000 }, Token);
        Assert.Equal(page.Total, page.Tickets.Count);
        return page.Tickets.ToDictionary(ticket => ticket.Id);
    }

    private async Task OnOneSnapshotAsync(string zone, Func<ITicketStore, ITicketStore, NpgsqlConnection, Task> compare)
    {
        await using var source = ParityDatabase.Source(database.Database.Shadow, zone);
        await using var connection = await source.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, Token);
        await using var session = TicketSession.Within(connection, transaction);
        await compare(ParityDatabase.Control(session), database.Candidate(session), connection);
    }
}
