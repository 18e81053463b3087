using Shadowing.Model;
using static Ticketing.Api.Tests.Sandbox.Contenders;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>
/// What the sandbox cannot see: two real writes to one ticket at once, on each side and on both. Nothing is left to chance: both wait for a
/// third session first, and get the row in the order in which they came.
/// </summary>
public sealed class ConcurrencyTests(Contenders contenders) : IClassFixture<Contenders>
{
    private static readonly DateTime Long = new(2020, 1, 2);

    public static TheoryData<Side, Side> Pairs => Pairings;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Pairs))]
    public async Task Two_changes_of_different_columns_are_both_kept(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        var (one, other) = await ChangeAsync(
            first, new(Staff, ticket, Status: "in_progress"), second, new(Staff, ticket, Priority: "urgent"));
        Assert.Equal(("in_progress", "low"), (one.Status, one.Priority));
        Assert.Equal(one with { Priority = "urgent", UpdatedAt = other.UpdatedAt }, other);
        Assert.True(one.UpdatedAt < other.UpdatedAt);
        Assert.Equal(other, await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task The_update_time_is_the_start_of_whoever_wrote_last_even_if_he_began_first(Side first, Side second)
    {
        var author = new Caller(await contenders.AddUserAsync(), "admin");
        var ticket = await contenders.AddTicketAsync();
        await using var hold = await contenders.HoldAsync(User(author.UserId));
        var comment = await contenders.UntilItWaitsAsync(first, store => store.CommentAsync(new(author, ticket, "Hello"), Cancellation));
        var change = await contenders.RunAsync(second, store => store.UpdateAsync(new(Staff, ticket, Priority: "urgent"), Cancellation));
        await hold.LetGoAsync();
        var began = (await comment).Comment!.CreatedAt;
        Assert.True(began < change.Ticket!.UpdatedAt);
        Assert.Equal(change.Ticket with { UpdatedAt = began }, await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task Of_two_that_resolve_a_ticket_the_first_sets_the_time_and_the_second_leaves_it(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        var (one, other) = await ChangeAsync(
            first, new(Staff, ticket, Status: "resolved"), second, new(Staff, ticket, Status: "resolved", Resolution: new("Done")));
        Assert.Equal(one.UpdatedAt, one.ResolvedAt);
        Assert.Equal(one with { Resolution = "Done", UpdatedAt = other.UpdatedAt }, other);
        Assert.True(other.ResolvedAt < other.UpdatedAt);
        Assert.Equal(other, await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_ticket_that_somebody_reopens_meanwhile_is_resolved_anew(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync(status: "resolved");
        var (one, other) = await ChangeAsync(first, new(Staff, ticket, Status: "open"), second, new(Staff, ticket, Status: "resolved"));
        Assert.Equal(("open", Long), (one.Status, one.ResolvedAt));
        Assert.Equal(("resolved", other.UpdatedAt), (other.Status, other.ResolvedAt));
        Assert.Equal(other, await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_ticket_that_is_reopened_keeps_the_time_at_which_somebody_resolved_it_meanwhile(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        var (one, other) = await ChangeAsync(first, new(Staff, ticket, Status: "resolved"), second, new(Staff, ticket, Status: "open"));
        Assert.Equal(("resolved", one.UpdatedAt), (one.Status, one.ResolvedAt));
        Assert.Equal(("open", one.ResolvedAt), (other.Status, other.ResolvedAt));
        Assert.Equal(other, await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_change_of_a_ticket_that_is_being_deleted_does_not_find_it(Side first, Side second)
    {
        var owner = new Caller(await contenders.AddUserAsync(), "user");
        foreach (var caller in new[] { Staff, owner })
        {
            var ticket = await contenders.AddTicketAsync(owner.UserId);
            var (deletion, change) = await contenders.MeetAsync(
                Ticket(ticket), first, store => store.DeleteAsync(new(Staff, ticket), Cancellation),
                second, store => store.UpdateAsync(new(caller, ticket, Status: "resolved"), Cancellation));
            Assert.Equal(new(TicketAccess.Granted), await deletion);
            Assert.Equal(new(TicketAccess.NotFound, null), await change);
            Assert.Null(await contenders.StoredAsync(ticket));
        }
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_ticket_that_is_being_changed_is_deleted_afterwards(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        var (change, deletion) = await contenders.MeetAsync(
            Ticket(ticket), first, store => store.UpdateAsync(new(Staff, ticket, Status: "closed"), Cancellation),
            second, store => store.DeleteAsync(new(Staff, ticket), Cancellation));
        Assert.Equal("closed", (await change).Ticket!.Status);
        Assert.Equal(new(TicketAccess.Granted), await deletion);
        Assert.Null(await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task Of_two_deletions_one_is_granted_and_the_other_finds_nothing(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        var (one, other) = await contenders.MeetAsync(
            Ticket(ticket), first, store => store.DeleteAsync(new(Staff, ticket), Cancellation),
            second, store => store.DeleteAsync(new(Staff, ticket), Cancellation));
        Assert.Equal((new(TicketAccess.Granted), new(TicketAccess.NotFound)), (await one, await other));
        Assert.Null(await contenders.StoredAsync(ticket));
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task What_waited_for_a_deletion_that_was_undone_is_done(Side first, Side second)
    {
        var ticket = await contenders.AddTicketAsync();
        await using var hold = await contenders.HoldAsync($"delete from support_tickets where id = {ticket}");
        var change = await contenders.UntilItWaitsAsync(
            first, store => store.UpdateAsync(new(Staff, ticket, Status: "closed"), Cancellation));
        var comment = await contenders.UntilItWaitsAsync(second, store => store.CommentAsync(new(Staff, ticket, "Hello"), Cancellation));
        await hold.UndoAsync();
        var (changed, said) = ((await change).Ticket!, (await comment).Comment!);
        Assert.True(changed.UpdatedAt < said.CreatedAt);
        // A comment asks for less of the row than a change does, so that both wake at once: either may be the last to write.
        Ticket[] either = [changed, changed with { UpdatedAt = said.CreatedAt }];
        Assert.Contains(await contenders.StoredAsync(ticket), either);
        Assert.Equal(1, await contenders.CommentsOfAsync(ticket));
    }

    private static string Ticket(int id) => $"select from support_tickets where id = {id} for update";

    private static string User(int id) => $"select from users where id = {id} for update";

    private async Task<(Ticket First, Ticket Second)> ChangeAsync(Side first, UpdateTicket change, Side second, UpdateTicket another)
    {
        var (one, other) = await contenders.MeetAsync(
            Ticket(change.TicketId), first, store => store.UpdateAsync(change, Cancellation),
            second, store => store.UpdateAsync(another, Cancellation));
        return ((await one).Ticket!, (await other).Ticket!);
    }
}
