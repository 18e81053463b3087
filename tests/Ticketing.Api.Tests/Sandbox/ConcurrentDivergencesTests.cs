using Shadowing.Model;
using static Ticketing.Api.Tests.Sandbox.Contenders;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Where the sides are known to differ if others write meanwhile, and where they did. A candidate that no longer differs fails the claim here.</summary>
public sealed class ConcurrentDivergencesTests(Contenders contenders) : IClassFixture<Contenders>
{
    // Its statement has its snapshot by then, and waits although it finds no row.
    private const string Gate =
        """
        create function wait_at_the_gate() returns trigger language plpgsql as
            'begin perform pg_advisory_xact_lock_shared(1); return null; end';
        create trigger wait_at_the_gate before update on support_tickets for each statement execute function wait_at_the_gate();
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ticket_that_is_just_being_created_is_not_found_by_either_and_not_forbidden()
    {
        await contenders.ExecuteAsync(Gate);
        var ticket = await contenders.ScalarAsync<int>("select (last_value + 1)::int from support_tickets_id_seq");
        Task<TicketChange> candidate;
        await using (var hold = await contenders.HoldAsync("select pg_advisory_xact_lock(1)"))
        {
            Assert.Equal(new(TicketAccess.NotFound, null), await contenders.RunAsync(Side.Control, CloseAsync));
            candidate = await contenders.UntilItWaitsAsync(Side.Candidate, CloseAsync);
            var created = await contenders.RunAsync(
                Side.Control, store => store.CreateAsync(new(Staff, "A subject", "A description"), Cancellation));
            Assert.Equal(ticket, created.Id);
            await hold.LetGoAsync();
        }

        Assert.Equal(new(TicketAccess.NotFound, null), await candidate);
        Assert.Equal("open", (await contenders.StoredAsync(ticket))!.Status);

        Task<TicketChange> CloseAsync(ITicketStore store) => store.UpdateAsync(new(Staff, ticket, Status: "closed"), Cancellation);
    }

    [Fact]
    public async Task Where_the_table_is_closed_to_writes_a_change_that_is_refused_waits_on_the_candidate_only()
    {
        var stranger = new Caller(await contenders.AddUserAsync(), "user");
        var ticket = await contenders.AddTicketAsync();
        // As for the making of an index.
        await using var hold = await contenders.HoldAsync("lock table support_tickets in share mode");
        TicketChange[] control = [await contenders.RunAsync(Side.Control, Foreign), await contenders.RunAsync(Side.Control, Missing)];
        var foreign = await contenders.UntilItWaitsAsync(Side.Candidate, Foreign);
        var missing = await contenders.UntilItWaitsAsync(Side.Candidate, Missing);
        await hold.LetGoAsync();
        Assert.Equal([new(TicketAccess.Forbidden, null), new(TicketAccess.NotFound, null)], control);
        Assert.Equal((control[0], control[1]), (await foreign, await missing));

        Task<TicketChange> Foreign(ITicketStore store) => store.UpdateAsync(new(stranger, ticket, Status: "closed"), Cancellation);

        Task<TicketChange> Missing(ITicketStore store) => store.UpdateAsync(new(stranger, int.MaxValue, Status: "closed"), Cancellation);
    }

    [Fact]
    public async Task Where_the_whole_table_is_locked_the_control_takes_the_time_after_the_wait_and_the_candidate_before()
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
        Assert.True((await changes[0]).Ticket!.UpdatedAt > end);
        Assert.True((await changes[1]).Ticket!.UpdatedAt < end);

        Task<Task<T>> WaitAsync<T>(Side side, Func<ITicketStore, Task<T>> write) => contenders.UntilItWaitsAsync(side, write);

        Func<ITicketStore, Task<CommentAnswer>> Comment(int n) =>
            store => store.CommentAsync(new(Staff, tickets[n], "Hello"), Cancellation);

        Func<ITicketStore, Task<TicketChange>> Change(int n) =>
            store => store.UpdateAsync(new(Staff, tickets[n], Status: "closed"), Cancellation);
    }
}
