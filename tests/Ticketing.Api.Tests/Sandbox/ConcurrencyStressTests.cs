using System.Collections.Concurrent;
using Shadowing.Model;
using static Ticketing.Api.Tests.Sandbox.Contenders;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Four sessions and five tickets: whatever order the writes came in, the tables hold what the answers say.</summary>
public sealed class ConcurrencyStressTests(Contenders contenders) : IClassFixture<Contenders>
{
    private const int Sessions = 4, Tickets = 5;

    private static readonly int Each = Effort.Of(50, all: 100);

    // All that a write may be refused with here. In particular nothing of class 40: no deadlock, and no serialisation failure.
    private const string DeletedMeanwhile = "23503 ticket_comments_ticket_id_fkey";

    private static readonly string[][] Values =
    [
        ["open", "in_progress", "resolved", "closed"], ["low", "medium", "high", "urgent"], ["Done", "Not done", "Maybe"], ["1", "2", "3"],
    ];

    public static TheoryData<Side, Side> Pairs => Pairings;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Pairs))]
    public async Task Whatever_sessions_write_at_once_is_answered_and_the_tables_hold_what_the_answers_say(Side first, Side second)
    {
        var before = await contenders.ScalarAsync<int>("select max(id) from support_tickets");
        var log = new Log();
        var desk = new int[Tickets];
        for (var i = 0; i < Tickets; i++)
        {
            desk[i] = await contenders.AddTicketAsync();
            log.Created.Add((await contenders.StoredAsync(desk[i]))!);
        }

        // All four are under way, and in each other's way, before any goes on.
        var begun = new (UpdateTicket Request, Task<TicketChange> Answer)[Sessions];
        await using (var hold = await contenders.HoldAsync($"select from support_tickets where id = {desk[0]} for update"))
        {
            for (var i = 0; i < Sessions; i++)
            {
                var change = Change(i, desk[0], new(i));
                begun[i] = (change, await contenders.UntilItWaitsAsync(SideOf(i), store => store.UpdateAsync(change, Cancellation)));
            }

            await hold.LetGoAsync();
        }

        await Task.WhenAll(begun.Select(GoOnAsync));
        await HoldsWhatWasAnsweredAsync(before, log);
        TestContext.Current.TestOutputHelper?.WriteLine(log.ToString());
        // It was worth it: each kind of write was granted, and some met a ticket that was gone.
        Assert.All([log.Changes.Count, log.Comments.Count, log.Deleted.Count, log.Missing], count => Assert.NotEqual(0, count));
        Assert.Equal(Sessions * Each, log.Answers);

        Side SideOf(int session) => session % 2 == 0 ? first : second;

        async Task GoOnAsync((UpdateTicket Request, Task<TicketChange> Answer) begun, int session)
        {
            var random = new Random(session);
            log.Add(session, begun.Request, await begun.Answer);
            for (var turn = 1; turn < Each; turn++)
            {
                var slot = random.Next(Tickets);
                var ticket = Volatile.Read(ref desk[slot]);
                var change = Change(session, ticket, random);
                var found = random.Next(10) switch
                {
                    0 => log.Add(ticket, await RunAsync(store => store.DeleteAsync(new(Staff, ticket), Cancellation))),
                    < 4 => await CommentAsync(ticket),
                    _ => log.Add(session, change, await RunAsync(store => store.UpdateAsync(change, Cancellation))),
                };
                // A ticket that is deleted stays on the desk until somebody misses it.
                if (!found) await ReplaceAsync(slot);
            }

            Task<T> RunAsync<T>(Func<ITicketStore, Task<T>> write) => contenders.RunAsync(SideOf(session), write);

            async Task ReplaceAsync(int slot)
            {
                var created = await RunAsync(store => store.CreateAsync(new(Staff, "A subject", "A description"), Cancellation));
                log.Created.Add(created);
                Volatile.Write(ref desk[slot], created.Id);
            }

            async Task<bool> CommentAsync(int ticket)
            {
                var comment = RunAsync(store => store.CommentAsync(new(Staff, ticket, "Hello"), Cancellation));
                var refusal = await RefusalAsync(comment);
                return refusal is null ? log.Add(await comment) : log.Refuse(refusal);
            }
        }
    }

    /// <summary>Each session has a column of its own, which it may leave alone: there stands what it wrote last, or it was lost.</summary>
    private static UpdateTicket Change(int session, int ticket, Random random)
    {
        var value = Values[session][random.Next(Values[session].Length)];
        return random.Next(2) == 0 ? new(Staff, ticket) : session switch
        {
            0 => new(Staff, ticket, Status: value),
            1 => new(Staff, ticket, Priority: value),
            2 => new(Staff, ticket, Resolution: new(value)),
            _ => new(Staff, ticket, AssignedTo: new(value[0] - '0')),
        };
    }

    private static object? Column(int session, Ticket ticket) =>
        session switch { 0 => (ticket.Status, ticket.ResolvedAt), 1 => ticket.Priority, 2 => ticket.Resolution, _ => ticket.AssignedTo };

    private async Task HoldsWhatWasAnsweredAsync(int before, Log log)
    {
        var standing = log.Created.Where(ticket => !log.Deleted.Contains(ticket.Id)).ToDictionary(ticket => ticket.Id);
        Assert.Equal(
            standing.Keys.Order(), await contenders.ColumnAsync<int>($"select id from support_tickets where id > {before} order by 1"));
        Assert.Equal(
            log.Comments.Where(comment => standing.ContainsKey(comment.TicketId)).Select(comment => comment.Id).Order(),
            await contenders.ColumnAsync<int>($"select id from ticket_comments where ticket_id > {before} order by 1"));
        foreach (var created in log.Created)
        {
            var last = Enumerable.Range(0, Sessions).Select(session => Column(session, created)).ToArray();
            foreach (var (session, request, ticket) in log.Changes.Where(change => change.Ticket.Id == created.Id))
            {
                if (request == new UpdateTicket(Staff, created.Id)) Assert.Equal(last[session], Column(session, ticket));
                last[session] = Column(session, ticket);
            }
        }

        foreach (var created in standing.Values)
        {
            var stored = (await contenders.StoredAsync(created.Id))!;
            var changes = log.Changes.Where(change => change.Ticket.Id == created.Id).ToArray();
            Ticket LastOf(int session) => changes.LastOrDefault(change => change.Session == session).Ticket ?? created;
            Assert.Equal(
                created with
                {
                    Status = LastOf(0).Status,
                    ResolvedAt = LastOf(0).ResolvedAt,
                    Priority = LastOf(1).Priority,
                    Resolution = LastOf(2).Resolution,
                    AssignedTo = LastOf(3).AssignedTo,
                    UpdatedAt = stored.UpdatedAt,
                },
                stored);
            DateTime?[] times =
            [
                created.UpdatedAt, .. changes.Select(change => change.Ticket.UpdatedAt),
                .. log.Comments.Where(comment => comment.TicketId == created.Id).Select(comment => comment.CreatedAt),
            ];
            Assert.Contains(stored.UpdatedAt, times);
        }
    }

    /// <summary>What the sessions were answered; the changes in the order of each session.</summary>
    private sealed class Log
    {
        private int _missing;
        private int _refused;

        public ConcurrentBag<Ticket> Created { get; } = [];

        public ConcurrentBag<int> Deleted { get; } = [];

        public ConcurrentBag<TicketComment> Comments { get; } = [];

        public ConcurrentQueue<(int Session, UpdateTicket Request, Ticket Ticket)> Changes { get; } = [];

        public int Missing => _missing + _refused;

        public int Answers => Changes.Count + Comments.Count + Deleted.Count + Missing;

        /// <returns>Whether the ticket was there, as with each of these.</returns>
        public bool Add(int session, UpdateTicket request, TicketChange change) =>
            Found(change.Access, () => Changes.Enqueue((session, request, change.Ticket!)));

        public bool Add(CommentAnswer comment) => Found(comment.Access, () => Comments.Add(comment.Comment!));

        public bool Add(int ticket, TicketDeletion deletion) => Found(deletion.Access, () => Deleted.Add(ticket));

        public bool Refuse(string refusal)
        {
            Assert.Equal(DeletedMeanwhile, refusal);
            Interlocked.Increment(ref _refused);
            return false;
        }

        public override string ToString() =>
            $"{Changes.Count} changes, {Comments.Count} comments, {Deleted.Count} deletions, {_missing} not found, {_refused} refused";

        private bool Found(TicketAccess access, Action note)
        {
            if (access is TicketAccess.Granted) note();
            else Interlocked.Increment(ref _missing);
            Assert.NotEqual(TicketAccess.Forbidden, access);
            return access is TicketAccess.Granted;
        }
    }
}
