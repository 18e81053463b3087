namespace Ticketing.Api.Tests.Parity;

/// <summary>What a store must do to the rows, whichever side it is.</summary>
public abstract class TicketStoreWriteTests(ParityDatabase database) : TicketStoreStatsTests(database)
{
    [Fact]
    public async Task A_new_ticket_takes_the_defaults_and_the_databases_clock()
    {
        var before = await ClockAsync();
        var created = await CreateAsync(new(AsUser, "A subject", "A description"));
        var after = await ClockAsync();

        Assert.Equal(("open", "medium", "general", User), (created.Status, created.Priority, created.Category, created.UserId));
        Assert.Equal((null, null, null), (created.AssignedTo, created.Resolution, created.ResolvedAt));
        Assert.InRange(created.CreatedAt!.Value, before, after);
        Assert.Equal(created.CreatedAt, created.UpdatedAt);
        Assert.Equal(created, await StoredAsync(created.Id));
    }

    [Fact]
    public async Task A_new_ticket_takes_what_it_was_given()
    {
        var created = await CreateAsync(new(AsStaff, "Ärger \u2067עם\u2069 🧨", "<script>'; --", "urgent", "bug"));

        Assert.Equal(("urgent", "bug", Admin), (created.Priority, created.Category, created.UserId));
        Assert.Equal(created, await StoredAsync(created.Id));
    }

    [Fact]
    public async Task A_ticket_of_nobody_is_refused_by_the_database() =>
        Assert.Equal("23503", await SqlStateAsync(CreateAsync(new(new(4711, "user"), "A subject", "A description"))));

    [Theory]
    [InlineData("open", true)]
    [InlineData("Resolved", true)]
    [InlineData(null, true)]
    [InlineData("resolved", false)]
    public async Task Resolved_at_is_set_on_the_way_into_resolved_only(string? from, bool isSet)
    {
        var ticket = await AddTicketAsync("2025-01-01", status: from, resolved: "2025-03-09 02:30:00");

        var before = await ClockAsync();
        var changed = (await UpdateAsync(new(AsUser, ticket, Status: "resolved"))).Ticket!;

        Assert.Equal("resolved", changed.Status);
        if (isSet) Assert.InRange(changed.ResolvedAt!.Value, before, await ClockAsync());
        else Assert.Equal(new DateTime(2025, 3, 9, 2, 30, 0), changed.ResolvedAt);
        if (isSet) Assert.Equal(changed.UpdatedAt, changed.ResolvedAt);
        Assert.Equal(changed, await StoredAsync(ticket));
    }

    [Fact]
    public async Task Resolved_at_is_never_cleared()
    {
        var ticket = await AddTicketAsync("2025-01-01", status: "resolved", resolved: "2025-01-02");

        Assert.Equal(new DateTime(2025, 1, 2), (await UpdateAsync(new(AsUser, ticket, Status: "open"))).Ticket!.ResolvedAt);
        Assert.Equal(new DateTime(2025, 1, 2), (await UpdateAsync(new(AsUser, ticket, Priority: "low"))).Ticket!.ResolvedAt);
    }

    [Fact]
    public async Task A_change_that_changes_nothing_bumps_the_update_time()
    {
        var ticket = await AddTicketAsync("2025-01-01", status: "open", priority: "low");

        var before = await ClockAsync();
        var same = (await UpdateAsync(new(AsUser, ticket, "open", "low"))).Ticket!;
        var bare = (await UpdateAsync(new(AsUser, ticket))).Ticket!;

        Assert.InRange(same.UpdatedAt!.Value, before, bare.UpdatedAt!.Value);
        Assert.Equal(same with { UpdatedAt = bare.UpdatedAt }, bare);
    }

    [Fact]
    public async Task Only_what_is_named_changes()
    {
        var ticket = await AddTicketAsync("2025-01-01", status: "Wartend", priority: null, category: "bug", assignee: Admin);
        var before = await StoredAsync(ticket);

        var resolution = (await UpdateAsync(new(AsUser, ticket, Resolution: new("Done")))).Ticket!;
        var unassigned = (await UpdateAsync(new(AsStaff, ticket, AssignedTo: new(null), Resolution: new(null)))).Ticket!;

        Assert.Equal(before with { Resolution = "Done", UpdatedAt = resolution.UpdatedAt }, resolution);
        Assert.Equal(before with { AssignedTo = null, UpdatedAt = unassigned.UpdatedAt }, unassigned);
    }

    [Fact]
    public async Task Only_staff_assign_and_a_missing_ticket_is_not_found_before_it_is_forbidden()
    {
        var own = await AddTicketAsync("2025-01-01");
        var foreign = await AddTicketAsync("2025-01-01", user: Admin);
        var before = await StoredAsync(own);

        Assert.Equal(new(TicketAccess.Forbidden, null), await UpdateAsync(new(AsUser, own, AssignedTo: new(Admin))));
        Assert.Equal(new(TicketAccess.Forbidden, null), await UpdateAsync(new(AsUser, own, AssignedTo: new(null))));
        Assert.Equal(new(TicketAccess.Forbidden, null), await UpdateAsync(new(AsUser, foreign, Status: "closed")));
        Assert.Equal(new(TicketAccess.NotFound, null), await UpdateAsync(new(AsUser, 4711, AssignedTo: new(Admin))));
        Assert.Equal(new(TicketAccess.NotFound, null), await UpdateAsync(new(AsStaff, 4711, Status: "closed")));
        Assert.Equal(before, await StoredAsync(own));
        Assert.Equal(Admin, (await UpdateAsync(new(AsStaff, own, AssignedTo: new(Admin)))).Ticket!.AssignedTo);
    }

    [Fact]
    public async Task A_missing_assignee_is_refused_by_the_database_and_nothing_is_stored()
    {
        var ticket = await AddTicketAsync("2025-01-01", status: "open");
        var before = await StoredAsync(ticket);

        Assert.Equal("23503", await SqlStateAsync(UpdateAsync(new(AsStaff, ticket, "closed", AssignedTo: new(4711)))));

        Assert.Equal(before, await StoredAsync(ticket));
    }

    [Fact]
    public async Task A_comment_and_its_ticket_carry_the_same_instant()
    {
        var ticket = await AddTicketAsync("2025-01-01", status: "closed");

        var before = await ClockAsync();
        var (access, comment) = await CommentAsync(new(AsUser, ticket, "Hello", IsInternal: true));

        Assert.Equal(TicketAccess.Granted, access);
        Assert.InRange(comment!.CreatedAt!.Value, before, await ClockAsync());
        Assert.Equal(comment.CreatedAt, (await StoredAsync(ticket)).UpdatedAt);
        Assert.Equal(new(comment.Id, ticket, User, "Hello", false, comment.CreatedAt, "Ursula", "Example", "user"), comment);
        Assert.Equal([comment], (await GetAsync(ticket, AsUser)).Ticket!.Comments);
    }

    [Fact]
    public async Task Staff_comment_internally_where_they_ask_for_it()
    {
        var ticket = await AddTicketAsync("2025-01-01");

        Assert.True((await CommentAsync(new(AsStaff, ticket, "Hidden", IsInternal: true))).Comment!.IsInternal);
        Assert.False((await CommentAsync(new(AsStaff, ticket, "Public"))).Comment!.IsInternal);
    }

    [Fact]
    public async Task Strangers_do_not_comment()
    {
        var foreign = await AddTicketAsync("2025-01-01", user: Admin);

        Assert.Equal(new(TicketAccess.Forbidden, null), await CommentAsync(new(AsUser, foreign, "Hello")));
        Assert.Equal(new(TicketAccess.NotFound, null), await CommentAsync(new(AsUser, 4711, "Hello")));
        Assert.Equal(0, await CountAsync("ticket_comments"));
    }

    [Fact]
    public async Task A_refused_comment_leaves_the_ticket_and_the_transaction_around_it_alone()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        var before = await StoredAsync(ticket);
        await using (var connection = await ConnectAsync())
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            await using var session = TicketSession.Within(connection, transaction);
            Assert.Equal("23503", await SqlStateAsync(Store(session).CommentAsync(new(new(4711, "admin"), ticket, "Hello"), Token)));
            Assert.Equal("23503", await SqlStateAsync(Store(session).CommentAsync(new(new(4711, "admin"), ticket, "Again"), Token)));
            Assert.Equal(TicketAccess.Granted, (await Store(session).GetAsync(new(AsUser, ticket), Token)).Access);
            await transaction.CommitAsync(Token);
        }

        Assert.Equal(before, await StoredAsync(ticket));
        Assert.Equal(0, await CountAsync("ticket_comments"));
    }

    [Fact]
    public async Task What_the_holder_of_the_transaction_rolls_back_was_never_written()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        var before = await StoredAsync(ticket);
        await using (var connection = await ConnectAsync())
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            await using var session = TicketSession.Within(connection, transaction);
            var store = Store(session);
            await store.CreateAsync(new(AsUser, "A subject", "A description"), Token);
            await store.CommentAsync(new(AsUser, ticket, "Hello"), Token);
            await store.UpdateAsync(new(AsUser, ticket, "resolved"), Token);
            Assert.Equal("resolved", (await store.GetAsync(new(AsUser, ticket), Token)).Ticket!.Status);
            await store.DeleteAsync(new(AsStaff, ticket), Token);
            await transaction.RollbackAsync(Token);
        }

        Assert.Equal(before, await StoredAsync(ticket));
        Assert.Equal((1, 0), (await CountAsync("support_tickets"), await CountAsync("ticket_comments")));
    }

    [Fact]
    public async Task Deleting_a_ticket_takes_its_comments_along()
    {
        var ticket = await AddTicketAsync("2025-01-01");
        var other = await AddTicketAsync("2025-01-01");
        await AddCommentAsync(ticket, null);
        await AddCommentAsync(other, null);

        Assert.Equal(new(TicketAccess.Granted), await DeleteAsync(ticket, AsStaff));

        Assert.Equal((1, 1), (await CountAsync("support_tickets"), await CountAsync("ticket_comments")));
        Assert.Equal(new(TicketAccess.NotFound), await DeleteAsync(ticket, AsStaff));
    }

    [Fact]
    public async Task Only_staff_delete_and_a_missing_ticket_is_not_found_before_it_is_forbidden()
    {
        var own = await AddTicketAsync("2025-01-01");

        Assert.Equal(new(TicketAccess.Forbidden), await DeleteAsync(own, AsUser));
        Assert.Equal(new(TicketAccess.NotFound), await DeleteAsync(4711, AsUser));
        Assert.Equal(1, await CountAsync("support_tickets"));
    }
}
