using Microsoft.EntityFrameworkCore;
using Ticketing.Dapper;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Parity;

/// <summary>What a store must do, whichever side it is.</summary>
public abstract class TicketStoreTests(ParityDatabase database) : TicketStoreWriteTests(database)
{
    [Fact]
    public async Task Own_tickets_come_newest_first_and_undated_ones_before_them()
    {
        var old = await AddTicketAsync("2024-01-01");
        var undated = await AddTicketAsync(null);
        var recent = await AddTicketAsync("2025-01-01");
        await AddTicketAsync("2025-01-02", user: Admin);

        var page = await ListAsync(new(AsUser));

        Assert.Equal([undated, recent, old], page.Tickets.Select(ticket => ticket.Id));
        Assert.Equal(3, page.Total);
    }

    [Fact]
    public async Task Filters_are_exact_and_an_empty_one_is_none()
    {
        var open = await AddTicketAsync("2025-01-03", status: "open", priority: "high");
        var shouted = await AddTicketAsync("2025-01-02", status: "OPEN", priority: "high");
        var unknown = await AddTicketAsync("2025-01-01", status: "per cent % and _", priority: null);

        Assert.Equal([open], Ids(await ListAsync(new(AsUser, Status: "open"))));
        Assert.Equal([shouted], Ids(await ListAsync(new(AsUser, Status: "OPEN", Priority: "high"))));
        Assert.Equal([unknown], Ids(await ListAsync(new(AsUser, Status: "per cent % and _"))));
        Assert.Equal([open, shouted, unknown], Ids(await ListAsync(new(AsUser, Status: "", Priority: ""))));
        Assert.Empty(Ids(await ListAsync(new(AsUser, Priority: new string('x', 300)))));
    }

    [Fact]
    public async Task A_listed_ticket_counts_internal_comments_too()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        await AddTicketAsync("2024-01-01");
        await AddCommentAsync(ticket, null, isInternal: true);
        await AddCommentAsync(ticket, null, isInternal: null);
        await AddCommentAsync(ticket, null);

        var page = await ListAsync(new(AsUser));

        Assert.Equal([3, 0], page.Tickets.Select(listed => listed.CommentCount));
    }

    [Fact]
    public async Task The_staff_list_has_everybodys_tickets_with_their_people()
    {
        await AddTicketAsync("2025-01-01", assignee: Admin);
        await AddTicketAsync("2025-01-02", user: Admin);

        var all = await ListAsync(new(AsStaff, All: true));
        var own = await ListAsync(new(AsStaff, AssignedTo: 77));

        Assert.Equal([null, "Ada"], all.Tickets.Select(ticket => ticket.AssigneeFirstName));
        Assert.Equal(["Ada@example.test", "Ursula@example.test"], all.Tickets.Select(ticket => ticket.OwnerEmail));
        Assert.Null(Assert.Single(own.Tickets).OwnerFirstName);
    }

    [Fact]
    public async Task Staff_filter_by_assignee()
    {
        var assigned = await AddTicketAsync("2025-01-01", assignee: Admin);
        await AddTicketAsync("2025-01-02");

        var page = await ListAsync(new(AsStaff, All: true, AssignedTo: Admin));

        Assert.Equal([assigned], Ids(page));
        Assert.Equal(1, page.Total);
    }

    [Fact]
    public async Task A_page_behind_the_last_is_empty_and_knows_the_total()
    {
        await AddTicketAsync("2025-01-01");

        var page = await ListAsync(new(AsUser, Page: int.MaxValue, Limit: 100));

        Assert.Empty(page.Tickets);
        Assert.Equal((1, int.MaxValue, 100), (page.Total, page.Page, page.Limit));
    }

    [Fact]
    public async Task Pages_follow_each_other()
    {
        foreach (var day in Enumerable.Range(1, 5)) await AddTicketAsync($"2025-01-0{day}");

        Assert.Equal([5, 4], Ids(await ListAsync(new(AsUser, Limit: 2))));
        Assert.Equal([3, 2], Ids(await ListAsync(new(AsUser, Page: 2, Limit: 2))));
        Assert.Equal([1], Ids(await ListAsync(new(AsUser, Page: 3, Limit: 2))));
    }

    [Fact]
    public async Task A_missing_ticket_is_not_found_before_it_is_forbidden()
    {
        var foreign = await AddTicketAsync("2025-01-01", user: Admin);

        Assert.Equal(new(TicketAccess.NotFound, null), await GetAsync(4711, AsUser));
        Assert.Equal(new(TicketAccess.Forbidden, null), await GetAsync(foreign, AsUser));
        Assert.Equal(TicketAccess.Granted, (await GetAsync(foreign, AsStaff)).Access);
    }

    [Fact]
    public async Task Internal_comments_reach_staff_only_and_an_unmarked_one_is_public()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        var hidden = await AddCommentAsync(ticket, "2025-01-02", isInternal: true);
        var unmarked = await AddCommentAsync(ticket, "2025-01-03", isInternal: null);
        var open = await AddCommentAsync(ticket, "2025-01-01");

        Assert.Equal([open, unmarked], (await GetAsync(ticket, AsUser)).Ticket!.Comments.Select(comment => comment.Id));
        Assert.Equal([open, hidden, unmarked], (await GetAsync(ticket, AsStaff)).Ticket!.Comments.Select(comment => comment.Id));
    }

    [Fact]
    public async Task An_undated_comment_comes_last()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        var undated = await AddCommentAsync(ticket, null);
        var dated = await AddCommentAsync(ticket, "2025-01-03", author: Admin);

        var comments = (await GetAsync(ticket, AsUser)).Ticket!.Comments;

        Assert.Equal(
            [new(dated, ticket, Admin, "A comment", false, new(2025, 1, 3), "Ada", "Example", "admin"),
             new(undated, ticket, User, "A comment", false, null, "Ursula", "Example", "user")],
            comments);
    }

    [Fact]
    public async Task Nulls_and_unknown_values_are_read_as_they_are()
    {
        var nulls = await AddTicketAsync(null, updated: null);
        var unknown = await AddTicketAsync("2025-01-01", status: "Wartend", priority: "", category: " bug", assignee: Admin);

        var blank = (await GetAsync(nulls, AsUser)).Ticket!;
        var odd = (await GetAsync(unknown, AsUser)).Ticket!;

        Assert.Equal((null, null, null, null), (blank.Status, blank.Priority, blank.Category, blank.AssignedTo));
        Assert.Equal((null, null, null), (blank.CreatedAt, blank.UpdatedAt, blank.AssigneeFirstName));
        Assert.Equal(("Wartend", "", " bug", "Ada"), (odd.Status, odd.Priority, odd.Category, odd.AssigneeFirstName));
    }

    [Theory]
    [InlineData("2025-03-09 02:30:00.000001")]
    [InlineData("2025-11-02 01:30:00.999999")]
    [InlineData("1969-12-31 23:59:59.999999")]
    [InlineData("0001-01-01 00:00:00")]
    public async Task A_wall_clock_time_is_read_to_the_microsecond_and_without_a_zone(string time)
    {
        var ticket = await AddTicketAsync(time, resolved: time);

        var read = (await GetAsync(ticket, AsUser)).Ticket!;

        var expected = DateTime.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal((expected, expected), (read.CreatedAt, read.ResolvedAt));
        Assert.Equal(DateTimeKind.Unspecified, read.CreatedAt!.Value.Kind);
    }

    [Fact]
    public async Task The_ends_of_time_are_read_as_the_ends_of_time()
    {
        var ticket = await AddTicketAsync("infinity", updated: "-infinity");

        var read = (await GetAsync(ticket, AsUser)).Ticket!;
        var listed = Assert.Single((await ListAsync(new(AsUser))).Tickets);

        Assert.Equal((DateTime.MaxValue, DateTime.MinValue), (read.CreatedAt, read.UpdatedAt));
        Assert.Equal((DateTime.MaxValue, DateTime.MinValue), (listed.CreatedAt, listed.UpdatedAt));
    }

    [Fact]
    public async Task An_author_whose_row_is_gone_leaves_the_comment()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await ScalarAsync<object?>(connection, "ALTER TABLE ticket_comments DROP CONSTRAINT ticket_comments_user_id_fkey");
        await ScalarAsync<object?>(connection, "INSERT INTO ticket_comments (ticket_id, user_id, comment) VALUES ($1, 4711, 'Orphaned')", ticket);
        await using var session = TicketSession.Within(connection, transaction);

        var comment = Assert.Single((await Store(session).GetAsync(new(AsUser, ticket), Token)).Ticket!.Comments);

        Assert.Equal(("Orphaned", null, null, null), (comment.Comment, comment.AuthorFirstName, comment.AuthorLastName, comment.AuthorRole));
    }

    [Fact]
    public async Task Reads_work_on_a_read_only_snapshot()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        await ScalarAsync<object?>(connection, "SET TRANSACTION READ ONLY");
        await using var session = TicketSession.Within(connection, transaction);
        var store = Store(session);

        var before = await store.ListAsync(new(AsUser), Token);
        await AddTicketAsync("2025-01-02");
        var after = await store.ListAsync(new(AsUser), Token);

        Assert.Equal([ticket], Ids(before));
        Assert.Equal([ticket], Ids(after));
        Assert.Equal("25006", await SqlStateAsync(store.DeleteAsync(new(AsStaff, ticket), Token)));
    }

    private static IEnumerable<int> Ids(TicketPage page) => page.Tickets.Select(ticket => ticket.Id);
}

public sealed class DapperTicketStoreTests(ParityDatabase database) : TicketStoreTests(database), IClassFixture<ParityDatabase>
{
    private protected override ITicketStore Store(TicketSession session) => new DapperTicketStore(session);
}

public sealed class EfTicketStoreTests(ParityDatabase database) : TicketStoreTests(database), IClassFixture<ParityDatabase>
{
    [Fact]
    public async Task A_context_goes_back_to_the_pool_without_the_connection_it_was_lent()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        await CommentAsync(new(AsUser, ticket, "Hello"));
        await SqlStateAsync(UpdateAsync(new(AsStaff, ticket, AssignedTo: new(4711))));

        await using var context = await Database.Contexts.CreateDbContextAsync(Token);

        Assert.Empty(context.Database.GetDbConnection().ConnectionString);
        Assert.Null(context.Database.CurrentTransaction);
        Assert.Empty(context.ChangeTracker.Entries());
    }

    private protected override ITicketStore Store(TicketSession session) => new EfTicketStore(Database.Contexts, session);
}
