using Shadowing.Model;
using static Ticketing.Api.Tests.Sandbox.Contenders;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Comments that meet each other, deletions and assignments: no side loses one, leaves one behind, or waits in a circle.</summary>
public sealed class ConcurrentCommentsTests(Contenders contenders) : IClassFixture<Contenders>
{
    // Written while the ticket's row is locked, so in the order in which the writers commit.
    private const string History =
        """
        create table if not exists touches (id bigserial primary key, ticket_id int, updated_at timestamp);
        create or replace function note_touch() returns trigger language plpgsql security definer set search_path = public as
            'begin insert into touches (ticket_id, updated_at) values (new.id, new.updated_at); return null; end';
        create or replace trigger note_touch after update on support_tickets for each row execute function note_touch();
        """;

    public static TheoryData<Side, Side> Pairs => Pairings;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_comment_on_a_ticket_that_is_being_deleted_is_refused_by_the_reference_to_it(Side first, Side second)
    {
        var owner = new Caller(await contenders.AddUserAsync(), "user");
        foreach (var caller in new[] { Staff, owner })
        {
            var ticket = await contenders.AddTicketAsync(owner.UserId);
            var (deletion, comment) = await contenders.MeetAsync(
                Ticket(ticket, "update"), first, store => store.DeleteAsync(new(Staff, ticket), Cancellation),
                second, store => store.CommentAsync(new(caller, ticket, "Hello"), Cancellation));
            Assert.Equal("23503 ticket_comments_ticket_id_fkey", await RefusalAsync(comment));
            Assert.Equal(new(TicketAccess.Granted), await deletion);
            Assert.Equal(0, await contenders.CommentsOfAsync(ticket));
        }
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_comment_that_is_being_added_goes_with_the_ticket(Side first, Side second)
    {
        // Held off by the one it waits for the ticket before it is inserted, by the other after.
        foreach (var strength in new[] { "update", "no key update" })
        {
            var ticket = await contenders.AddTicketAsync();
            var (comment, deletion) = await contenders.MeetAsync(
                Ticket(ticket, strength), first, store => store.CommentAsync(new(Staff, ticket, "Hello"), Cancellation),
                second, store => store.DeleteAsync(new(Staff, ticket), Cancellation));
            Assert.Equal(TicketAccess.Granted, (await comment).Access);
            Assert.Equal(new(TicketAccess.Granted), await deletion);
            Assert.Equal((null, 0), (await contenders.StoredAsync(ticket), await contenders.CommentsOfAsync(ticket)));
        }
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_comment_overtakes_a_deletion_that_waits_for_a_change_and_goes_with_the_ticket(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        var (deletion, comment) = await contenders.MeetAsync(
            $"update support_tickets set priority = 'high' where id = {ticket}",
            first, store => store.DeleteAsync(new(Staff, ticket), Cancellation),
            second, store => store.CommentAsync(new(Staff, ticket, "Hello"), Cancellation));
        Assert.Equal(TicketAccess.Granted, (await comment).Access);
        Assert.Equal(new(TicketAccess.Granted), await deletion);
        Assert.Equal((null, 0), (await contenders.StoredAsync(ticket), await contenders.CommentsOfAsync(ticket)));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_comment_and_an_assignment_that_want_ticket_and_user_in_opposite_orders_both_get_them(Side first, Side second)
    {
        var author = new Caller(await contenders.AddUserAsync(), "admin");
        var ticket = await contenders.AddTicketAsync();
        var (comment, change) = await contenders.MeetAsync(
            $"select from users where id = {author.UserId} for update",
            first, store => store.CommentAsync(new(author, ticket, "Hello"), Cancellation),
            second, store => store.UpdateAsync(new(Staff, ticket, AssignedTo: new(author.UserId)), Cancellation));
        var (said, changed) = ((await comment).Comment!, (await change).Ticket!);
        // The assignment had the ticket already when it came to wait for the user.
        Assert.True(said.CreatedAt < changed.UpdatedAt);
        Assert.Equal(changed with { UpdatedAt = said.CreatedAt }, await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task Of_many_comments_at_once_none_is_lost_and_the_ticket_bears_the_time_of_the_last_to_commit(Side first, Side second)
    {
        const int Sessions = 8, Each = 10;
        await contenders.ExecuteAsync(History);
        var ticket = await contenders.AddTicketAsync();
        var begun = new Task<CommentAnswer>[Sessions];
        await using (var hold = await contenders.HoldAsync(Ticket(ticket, "no key update")))
        {
            for (var i = 0; i < Sessions; i++) begun[i] = await contenders.UntilItWaitsAsync(SideOf(i), CommentAsync);
            await hold.LetGoAsync();
        }

        var comments = (await Task.WhenAll(begun.Select(GoOnAsync))).SelectMany(said => said).OrderBy(comment => comment.Id).ToArray();
        Assert.Equal(Sessions * Each, comments.Length);
        Assert.Equal(
            comments.Select(comment => comment.Id),
            await contenders.ColumnAsync<int>($"select id from ticket_comments where ticket_id = {ticket} order by 1"));
        Assert.Equal(
            comments.Select(comment => comment.CreatedAt!.Value),
            await contenders.ColumnAsync<DateTime>($"select created_at from ticket_comments where ticket_id = {ticket} order by id"));
        var touches = await contenders.ColumnAsync<DateTime>($"select updated_at from touches where ticket_id = {ticket} order by id");
        Assert.Equal(comments.Select(comment => comment.CreatedAt!.Value).Order(), touches.Order());
        Assert.Equal(touches[^1], (await contenders.StoredAsync(ticket))!.UpdatedAt);

        Side SideOf(int session) => session % 2 == 0 ? first : second;

        async Task<List<TicketComment>> GoOnAsync(Task<CommentAnswer> begun, int session)
        {
            List<TicketComment> said = [(await begun).Comment!];
            while (said.Count < Each) said.Add((await contenders.RunAsync(SideOf(session), CommentAsync)).Comment!);
            return said;
        }

        Task<CommentAnswer> CommentAsync(ITicketStore store) => store.CommentAsync(new(Staff, ticket, "Hello"), Cancellation);
    }

    private static string Ticket(int id, string strength) => $"select from support_tickets where id = {id} for {strength}";
}
