using Shadowing.Model;
using static Ticketing.Api.Tests.Sandbox.Contenders;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Rows that a sandbox does not hold: users who are being deleted, and keys that somebody else is taking.</summary>
public sealed class ConcurrentReferencesTests(Contenders contenders) : IClassFixture<Contenders>
{
    public static TheoryData<Side, Side> Pairs => Pairings;

    public static TheoryData<Side> Sides => [Side.Control, Side.Candidate];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Pairs))]
    public async Task Assigning_to_a_user_who_is_being_deleted_is_refused_and_nothing_is_stored(Side first, Side second)
    {
        var user = await contenders.AddUserAsync();
        int[] tickets = [await contenders.AddTicketAsync(), await contenders.AddTicketAsync()];
        var before = (await contenders.StoredAsync(tickets[0]), await contenders.StoredAsync(tickets[1]));
        var (one, other) = await contenders.MeetAsync(Delete(user), first, Assign(tickets[0], user), second, Assign(tickets[1], user));
        Assert.Equal("23503 support_tickets_assigned_to_fkey", await RefusalAsync(one));
        Assert.Equal("23503 support_tickets_assigned_to_fkey", await RefusalAsync(other));
        Assert.Equal(before, (await contenders.StoredAsync(tickets[0]), await contenders.StoredAsync(tickets[1])));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task Assigning_to_a_user_whose_deletion_was_undone_is_done(Side first, Side second)
    {
        var user = await contenders.AddUserAsync();
        int[] tickets = [await contenders.AddTicketAsync(), await contenders.AddTicketAsync()];
        await using var hold = await contenders.HoldAsync(Delete(user));
        var one = await contenders.UntilItWaitsAsync(first, Assign(tickets[0], user));
        var other = await contenders.UntilItWaitsAsync(second, Assign(tickets[1], user));
        await hold.UndoAsync();
        Assert.Equal((user, user), ((await one).Ticket!.AssignedTo, (await other).Ticket!.AssignedTo));
        Assert.Equal((await one).Ticket, await contenders.StoredAsync(tickets[0]));
        Assert.Equal((await other).Ticket, await contenders.StoredAsync(tickets[1]));
    }

    [Theory, MemberData(nameof(Sides))]
    public async Task A_user_who_is_deleted_while_being_assigned_is_assigned_no_more(Side side)
    {
        var user = await contenders.AddUserAsync();
        var ticket = await contenders.AddTicketAsync();
        Task<TicketChange> change;
        Task<int> deletion;
        await using (var hold = await contenders.HoldAsync($"select from users where id = {user} for update"))
        {
            change = await contenders.UntilItWaitsAsync(side, Assign(ticket, user));
            deletion = await contenders.UntilItWaitsAsync(Delete(user));
            await hold.LetGoAsync();
        }

        var changed = (await change).Ticket!;
        Assert.Equal((user, 1), (changed.AssignedTo, await deletion));
        Assert.Equal(changed with { AssignedTo = null }, await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task What_a_user_writes_who_is_being_deleted_is_refused_and_nothing_is_stored(Side first, Side second)
    {
        var author = new Caller(await contenders.AddUserAsync(), "admin");
        var ticket = await contenders.AddTicketAsync();
        var before = await contenders.StoredAsync(ticket);
        var (creation, comment) = await contenders.MeetAsync(
            Delete(author.UserId), first, store => store.CreateAsync(new(author, "A subject", "A description"), Cancellation),
            second, store => store.CommentAsync(new(author, ticket, "Hello"), Cancellation));
        Assert.Equal("23503 support_tickets_user_id_fkey", await RefusalAsync(creation));
        Assert.Equal("23503 ticket_comments_user_id_fkey", await RefusalAsync(comment));
        Assert.Equal((before, 0), (await contenders.StoredAsync(ticket), await contenders.CommentsOfAsync(ticket)));
    }

    [Theory, MemberData(nameof(Sides))]
    public async Task A_user_who_is_deleted_while_he_comments_on_his_own_ticket_is_a_deadlock_and_costs_one_of_the_two(Side side)
    {
        var owner = new Caller(await contenders.AddUserAsync(), "user");
        var ticket = await contenders.AddTicketAsync(owner.UserId);
        Task deletion, comment;
        await using (var hold = await contenders.HoldAsync($"select from support_tickets where id = {ticket} for key share"))
        {
            // It has the user and wants the ticket, the comment has the ticket and wants the user.
            deletion = await contenders.UntilItWaitsAsync(Delete(owner.UserId));
            comment = await contenders.UntilItWaitsAsync(side, store => store.CommentAsync(new(owner, ticket, "Hello"), Cancellation));
            await hold.LetGoAsync();
        }

        // Which of the two the server gives up is its own affair.
        string?[] refusals = [await RefusalAsync(deletion), await RefusalAsync(comment)];
        Assert.Equal("40P01", Assert.Single(refusals, refusal => refusal is not null));
        Assert.Equal(refusals[1] is null ? 1 : 0, await contenders.CommentsOfAsync(ticket));
    }

    [Fact]
    public async Task A_compared_comment_waits_for_its_author_before_it_holds_the_ticket_as_any_comment_does()
    {
        var author = new Caller(await contenders.AddUserAsync(), "admin");
        var ticket = await contenders.AddTicketAsync();
        await contenders.ExecuteAsync($"update support_tickets set assigned_to = {author.UserId} where id = {ticket}");
        Task<CommentAnswer> comment;
        await using (var hold = await contenders.HoldAsync($"select from users where id = {author.UserId} for update"))
        {
            var request = new AddComment(author, ticket, "Hello");
            comment = await contenders.UntilItWaitsComparedAsync(request, store => store.CommentAsync(request, Cancellation));
            // It unassigns the ticket: with the ticket in the comment's hands, both would wait for ever.
            await hold.ScalarAsync(Delete(author.UserId));
            await hold.LetGoAsync();
        }

        Assert.Equal("23503 ticket_comments_user_id_fkey", await RefusalAsync(comment));
        Assert.Equal(0, await contenders.CommentsOfAsync(ticket));
    }

    [Fact]
    public async Task A_compared_assignment_to_whom_has_the_ticket_already_waits_for_nobody()
    {
        var user = await contenders.AddUserAsync();
        var ticket = await contenders.AddTicketAsync();
        await contenders.ExecuteAsync($"update support_tickets set assigned_to = {user} where id = {ticket}");
        await using var hold = await contenders.HoldAsync($"select from users where id = {user} for update");
        var request = new UpdateTicket(Staff, ticket, AssignedTo: new(user));
        await using var served = await contenders.Stage.ServeAsync(new(Side.Candidate, request, true), Cancellation);
        Assert.Equal(TicketAccess.Granted, (await served.Store.UpdateAsync(request, Cancellation)).Access);
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_new_ticket_whose_key_somebody_is_taking_waits_and_is_refused(Side first, Side second)
    {
        var (one, other) = await contenders.MeetAsync(
            Take("support_tickets", "user_id, subject, description", "1, 'A subject', 'A description'"),
            first, CreateAsync, second, CreateAsync);
        Assert.Equal("23505 support_tickets_pkey", await RefusalAsync(one));
        Assert.Equal("23505 support_tickets_pkey", await RefusalAsync(other));
        Assert.NotEqual((await contenders.RunAsync(first, CreateAsync)).Id, (await contenders.RunAsync(second, CreateAsync)).Id);

        static Task<Ticket> CreateAsync(ITicketStore store) => store.CreateAsync(new(Staff, "A subject", "A description"), Cancellation);
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_comment_whose_key_somebody_is_taking_waits_and_is_refused_and_touches_no_ticket(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        var before = await contenders.StoredAsync(ticket);
        var (one, other) = await contenders.MeetAsync(
            Take("ticket_comments", "ticket_id, user_id, comment", $"{ticket}, 1, 'Taken'"), first, CommentAsync, second, CommentAsync);
        Assert.Equal("23505 ticket_comments_pkey", await RefusalAsync(one));
        Assert.Equal("23505 ticket_comments_pkey", await RefusalAsync(other));
        Assert.Equal((before, 2), (await contenders.StoredAsync(ticket), await contenders.CommentsOfAsync(ticket)));

        Task<CommentAnswer> CommentAsync(ITicketStore store) => store.CommentAsync(new(Staff, ticket, "Hello"), Cancellation);
    }

    private static string Delete(int user) => $"delete from users where id = {user}";

    /// <summary>Rows under the two keys that the sequence gives next.</summary>
    private static string Take(string table, string columns, string values) =>
        $"insert into {table} (id, {columns}) select last_value + n, {values} from {table}_id_seq, generate_series(1, 2) n";

    private static Func<ITicketStore, Task<TicketChange>> Assign(int ticket, int user) =>
        store => store.UpdateAsync(new(Staff, ticket, Status: "resolved", AssignedTo: new(user)), Cancellation);
}
