using Shadowing.Model;
using static Ticketing.Api.Tests.Sandbox.Contenders;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>What a write keeps others from while it is open is the same on both sides, and once it has ended it is nothing.</summary>
public sealed class ConcurrentLocksTests(Contenders contenders) : IClassFixture<Contenders>
{
    private const string None = "none", KeyShare = "key share", NoKeyUpdate = "no key update", Update = "update";

    // From the weakest to the strongest: each conflicts with whatever the one before does, and more.
    private static readonly string[] Strengths = [KeyShare, "share", NoKeyUpdate, Update];

    private static readonly Dictionary<string, (Func<Rows, object> Request, Locks Expected)> Writes = new()
    {
        ["change"] = (static rows => new UpdateTicket(Staff, rows.Ticket, "resolved"), new(NoKeyUpdate)),
        ["change by the owner"] = (
            static rows => new UpdateTicket(rows.Owner, rows.Ticket, Priority: "high"), new(NoKeyUpdate)),
        ["assignment"] = (
            static rows => new UpdateTicket(Staff, rows.Ticket, AssignedTo: new(rows.User)),
            new(NoKeyUpdate, User: KeyShare)),
        ["unassignment"] = (
            static rows => new UpdateTicket(Staff, rows.Assigned, AssignedTo: new(null)),
            new(Assigned: NoKeyUpdate)),
        ["comment"] = (
            static rows => new AddComment(rows.Owner, rows.Ticket, "Hello"),
            new(NoKeyUpdate, User: KeyShare)),
        ["creation"] = (
            static rows => new CreateTicket(rows.Owner, "A subject", "A description"), new(User: KeyShare)),
        ["deletion"] = (static rows => new DeleteTicket(Staff, rows.Ticket), new(Update, Comment: Update)),
        ["forbidden change"] = (
            static rows => new UpdateTicket(rows.Owner, rows.Assigned, Status: "closed"), new()),
        ["forbidden assignment"] = (
            static rows => new UpdateTicket(rows.Owner, rows.Ticket, AssignedTo: new(1)), new()),
        ["forbidden comment"] = (
            static rows => new AddComment(rows.Owner, rows.Assigned, "Hello"), new()),
        ["forbidden deletion"] = (static rows => new DeleteTicket(rows.Owner, rows.Ticket), new()),
        ["change of nothing"] = (static rows => new UpdateTicket(Staff, int.MaxValue, Status: "closed"), new()),
        ["comment on nothing"] = (static rows => new AddComment(Staff, int.MaxValue, "Hello"), new()),
        ["deletion of nothing"] = (static rows => new DeleteTicket(Staff, int.MaxValue), new()),
    };

    public static TheoryData<string> Names => [.. Writes.Keys];

    public static TheoryData<Side, Side> Pairs => Pairings;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Names))]
    public async Task Both_sides_lock_the_same_rows_as_strongly_and_the_same_tables(string write)
    {
        var (control, controlTables) = await LocksOfAsync(Side.Control, write);
        var (candidate, candidateTables) = await LocksOfAsync(Side.Candidate, write);
        Assert.Equal(Writes[write].Expected, control);
        Assert.Equal(Writes[write].Expected, candidate);
        // What the candidate locked for a write that it refuses it has let go of by now, with the savepoint that its transaction is here.
        if (Writes[write].Expected != new Locks()) Assert.Equal(controlTables, candidateTables);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_compared_write_locks_the_same_rows_as_strongly_before_it_begins_and_no_others(string write)
    {
        var rows = await AddRowsAsync();
        var request = Writes[write].Request(rows);
        await using var served = await contenders.Stage.ServeAsync(new(Side.Control, request, true), Cancellation);
        Assert.NotNull(served.Before);
        Assert.Equal(Writes[write].Expected, await HeldAsync(rows));
        await RunAsync(served.Store, request);
        Assert.Equal(Writes[write].Expected, await HeldAsync(rows));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_write_that_has_ended_holds_nothing(string write)
    {
        foreach (var side in Enum.GetValues<Side>())
        {
            var rows = await AddRowsAsync();
            await using var session = await TicketSession.OpenAsync(contenders.Served, Cancellation);
            await RunAsync(contenders.Store(side, session), Writes[write].Request(rows));
            Assert.Empty(await contenders.ColumnAsync<string>($"select mode from pg_locks where pid = {session.Connection.ProcessID}"));
        }
    }

    [Theory, MemberData(nameof(Pairs))]
    public async Task A_comment_is_inserted_while_a_change_is_open_and_waits_only_to_touch_the_ticket(Side first, Side second)
    {
        var rows = await AddRowsAsync();
        Task<CommentAnswer> comment;
        TicketChange change;
        await using (var connection = await contenders.Served.OpenConnectionAsync(Cancellation))
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await using var session = TicketSession.Within(connection, transaction);
            change = await contenders.Store(first, session).UpdateAsync(new(Staff, rows.Ticket, Status: "closed"), Cancellation);
            comment = await contenders.UntilItWaitsAsync(
                second, store => store.CommentAsync(new(Staff, rows.Ticket, "Hello"), Cancellation));
            // To insert it takes ROW EXCLUSIVE on the comments, and on the tickets only to touch one.
            var blocked = await contenders.ColumnAsync<string>(
                $"""
                select relation::regclass::text from pg_locks
                where mode = 'RowExclusiveLock' and granted and {connection.ProcessID} = any(pg_blocking_pids(pid))
                    and relation in ('support_tickets'::regclass, 'ticket_comments'::regclass) order by 1
                """);
            Assert.Equal(["support_tickets", "ticket_comments"], blocked);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(change.Ticket! with { UpdatedAt = (await comment).Comment!.CreatedAt }, await contenders.StoredAsync(rows.Ticket));
    }

    private async Task<(Locks Rows, string[] Tables)> LocksOfAsync(Side side, string write)
    {
        var rows = await AddRowsAsync();
        await using var connection = await contenders.Served.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var session = TicketSession.Within(connection, transaction);
        await RunAsync(contenders.Store(side, session), Writes[write].Request(rows));
        return (await HeldAsync(rows), await contenders.ColumnAsync<string>(
            $"""
            select distinct relation::regclass || ' ' || mode from pg_locks
            where pid = {connection.ProcessID} and relation in (select oid from pg_class where relnamespace = 'public'::regnamespace)
            order by 1
            """));
    }

    private static Task RunAsync(ITicketStore store, object request) => request switch
    {
        CreateTicket create => store.CreateAsync(create, Cancellation),
        UpdateTicket update => store.UpdateAsync(update, Cancellation),
        DeleteTicket delete => store.DeleteAsync(delete, Cancellation),
        _ => store.CommentAsync((AddComment)request, Cancellation),
    };

    private async Task<Locks> HeldAsync(Rows rows) => new(
        await StrengthAsync("support_tickets", rows.Ticket), await StrengthAsync("support_tickets", rows.Assigned),
        await StrengthAsync("users", rows.User), await StrengthAsync("users", Staff.UserId),
        await StrengthAsync("ticket_comments", rows.Comment));

    /// <summary>The strength of the lock that somebody holds on a row, told by those that others can still get.</summary>
    private async Task<string> StrengthAsync(string table, int id)
    {
        var available = 0L;
        foreach (var strength in Strengths)
        {
            available += await contenders.ScalarAsync<long>(
                $"select count(*) from (select from {table} where id = {id} for {strength} skip locked) probe");
        }

        // All four: nothing is held; each one less: the next stronger is.
        return available == Strengths.Length ? None : Strengths[Strengths.Length - 1 - available];
    }

    private async Task<Rows> AddRowsAsync()
    {
        var user = await contenders.AddUserAsync();
        var (ticket, assigned) = (await contenders.AddTicketAsync(user), await contenders.AddTicketAsync());
        await contenders.ExecuteAsync($"update support_tickets set assigned_to = {user} where id = {assigned}");
        var comment = await contenders.ScalarAsync<int>(
            $"insert into ticket_comments (ticket_id, user_id, comment) values ({ticket}, {Staff.UserId}, 'A comment') returning id");
        return new(user, ticket, assigned, comment);
    }

    /// <param name="Ticket">The user's own, with one comment.</param>
    /// <param name="Assigned">Somebody else's, assigned to the user.</param>
    internal sealed record Rows(int User, int Ticket, int Assigned, int Comment)
    {
        public Caller Owner => new(User, "user");
    }

    internal sealed record Locks(
        string Ticket = None, string Assigned = None, string User = None, string Staff = None, string Comment = None);
}
