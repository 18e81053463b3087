using Shadowing.Model;
using static Ticketing.Api.Tests.Sandbox.Contenders;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>
/// Where the sides are known to differ if others write meanwhile, and where they did. A candidate that differs otherwise fails the claim here.
/// </summary>
public sealed class ConcurrentDivergencesTests(Contenders contenders) : IClassFixture<Contenders>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ticket_that_is_just_being_created_is_not_found_by_either_and_neither_waits_for_it()
    {
        var ticket = await contenders.ScalarAsync<int>("select (last_value + 1)::int from support_tickets_id_seq");
        await using (var hold = await contenders.HoldAsync(
            $"insert into support_tickets (user_id, subject, description) values ({Staff.UserId}, 'A subject', 'A description')"))
        {
            foreach (var side in (Side[])[Side.Control, Side.Candidate])
                Assert.Equal(new(TicketAccess.NotFound, null), await contenders.RunAsync(side, CloseAsync));
            await hold.LetGoAsync();
        }

        Assert.Equal("open", (await contenders.StoredAsync(ticket))!.Status);

        Task<TicketChange> CloseAsync(ITicketStore store) => store.UpdateAsync(new(Staff, ticket, Status: "closed"), Cancellation);
    }

    [Fact]
    public async Task Where_the_table_is_closed_to_writes_a_change_that_is_refused_waits_on_neither_side()
    {
        var stranger = new Caller(await contenders.AddUserAsync(), "user");
        var ticket = await contenders.AddTicketAsync();
        // As for the making of an index.
        await using var hold = await contenders.HoldAsync("lock table support_tickets in share mode");
        foreach (var side in (Side[])[Side.Control, Side.Candidate])
        {
            Assert.Equal(new(TicketAccess.Forbidden, null), await contenders.RunAsync(side, Foreign));
            Assert.Equal(new(TicketAccess.NotFound, null), await contenders.RunAsync(side, Missing));
        }

        Task<TicketChange> Foreign(ITicketStore store) => store.UpdateAsync(new(stranger, ticket, Status: "closed"), Cancellation);

        Task<TicketChange> Missing(ITicketStore store) => store.UpdateAsync(new(stranger, int.MaxValue, Status: "closed"), Cancellation);
    }

    [Fact]
    public async Task Where_the_whole_table_is_locked_a_comment_has_the_time_after_the_wait_on_the_control_and_before_it_on_the_candidate()
    {
        var tickets = new int[4];
        for (var i = 0; i < tickets.Length; i++) tickets[i] = await contenders.AddTicketAsync();
        await using var hold = await contenders.HoldAsync("lock table support_tickets in access exclusive mode");
        Task<CommentAnswer>[] comments = [await WaitAsync(Side.Control, Comment(0)), await WaitAsync(Side.Candidate, Comment(1))];
        Task<TicketChange>[] changes = [await WaitAsync(Side.Control, Change(2)), await WaitAsync(Side.Candidate, Change(3))];
        var end = (DateTime)(await hold.ScalarAsync("select clock_timestamp()::timestamp"))!;
        await hold.LetGoAsync();
        Assert.True((await comments[0]).Comment!.CreatedAt > end);
        Assert.True((await comments[1]).Comment!.CreatedAt < end);
        foreach (var change in changes) Assert.True((await change).Ticket!.UpdatedAt > end);

        Task<Task<T>> WaitAsync<T>(Side side, Func<ITicketStore, Task<T>> write) => contenders.UntilItWaitsAsync(side, write);

        Func<ITicketStore, Task<CommentAnswer>> Comment(int n) =>
            store => store.CommentAsync(new(Staff, tickets[n], "Hello"), Cancellation);

        Func<ITicketStore, Task<TicketChange>> Change(int n) =>
            store => store.UpdateAsync(new(Staff, tickets[n], Status: "closed"), Cancellation);
    }
}
