using Microsoft.EntityFrameworkCore;
using Ticketing.Demo.Faults;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Whole rows: line 65, and writes that are answered and not done, or done twice.</summary>
internal static class WriteFaultsOfRows
{
    public static IEnumerable<WriteFault> All { get; } =
    [
        new("65a", "soft-delete", "DELETE → the ticket is closed and stays, with its comments")
        {
            Delete = new() { Remove = static (context, id, cancellationToken) => context.Tickets.Where(ticket => ticket.Id == id)
                .ExecuteUpdateAsync(static set => set.SetProperty(ticket => ticket.Status, "closed"), cancellationToken) },
            Provokes = Provoking.Deletion,
            Traces = [Stored.ExtraTicket, Stored.ExtraComment],
            Causes = ["write_lost", "cascade_lost"],
        },
        new("65b", "comments-deleted-only", "DELETE with its cascade → the cascade by hand, and the ticket stays")
        {
            Delete = new() { Remove = static async (context, id, cancellationToken) =>
            {
                var found = await context.Tickets.CountAsync(ticket => ticket.Id == id, cancellationToken);
                await context.Comments.Where(comment => comment.TicketId == id).ExecuteDeleteAsync(cancellationToken);
                return found;
            } },
            Provokes = Provoking.Deletion,
            Traces = [Stored.ExtraTicket],
            Causes = ["cascade_lost", "write_lost"],
        },
        new("65c", "comments-left-behind", "ON DELETE CASCADE → the comments are hung on another ticket first")
        {
            Delete = new() { Remove = static async (context, id, cancellationToken) =>
            {
                var archive = await context.Tickets.Where(ticket => ticket.Id != id).MinAsync(ticket => (int?)ticket.Id, cancellationToken)
                    ?? id;
                await context.Comments.Where(comment => comment.TicketId == id)
                    .ExecuteUpdateAsync(set => set.SetProperty(comment => comment.TicketId, archive), cancellationToken);
                return await context.Tickets.Where(ticket => ticket.Id == id).ExecuteDeleteAsync(cancellationToken);
            } },
            Provokes = Provoking.Deletion,
            Traces = [Stored.ExtraComment],
            Causes = ["cascade_lost"],
        },
        new("65d", "severed-comments", "the database's cascade → ClientSetNull over a required key throws")
        {
            Delete = new() { Remove = static async (context, id, cancellationToken) =>
            {
                var row = await context.Tickets.AsTracking().Include(ticket => ticket.Comments)
                    .SingleOrDefaultAsync(ticket => ticket.Id == id, cancellationToken);
                if (row is null) return 0;
                context.Remove(row);
                return await context.SaveChangesAsync(cancellationToken);
            } },
            Contexts = OtherContexts.CommentsDetach,
            Provokes = Provoking.Deletion,
            Traces = [Trace.Failure],
            Causes = ["cascade_lost"],
        },
        new(WriteFault.Beyond, "deletion-of-all", "WHERE id = → the filtered query is made and not used")
        {
            Delete = new() { Remove = static async (context, id, cancellationToken) =>
                await context.Tickets.AnyAsync(ticket => ticket.Id == id, cancellationToken)
                    ? await context.Tickets.ExecuteDeleteAsync(cancellationToken) : 0 },
            Provokes = Provoking.Deletion,
            Traces = [Stored.MissingTicket, Stored.MissingComment],
            Causes = ["wrote_elsewhere"],
        },
        new(WriteFault.Beyond, "lost-creation-of-ticket", "COMMIT → the transaction is left uncommitted")
        {
            Create = new() { Commits = false },
            Provokes = Provoking.NewTicket,
            Traces = [Stored.MissingTicket],
            Causes = ["write_lost"],
        },
        new(WriteFault.Beyond, "lost-update", "COMMIT → the transaction is left uncommitted")
        {
            Update = new() { Commits = false },
            Provokes = Provoking.Change,
            Traces = [.. Lost("updated_at", "status", "priority", "assigned_to", "resolution", "resolved_at")],
            // An update to what is there already leaves no trace but the time of it.
            Causes = ["write_lost", "not_touched"],
        },
        new(WriteFault.Beyond, "lost-comment", "COMMIT → the transaction is left uncommitted")
        {
            Comment = new() { Commits = false },
            Provokes = Provoking.Comment,
            Traces = [Stored.MissingComment, .. Lost("updated_at")],
            Causes = ["write_lost"],
        },
        new(WriteFault.Beyond, "lost-deletion", "DELETE → Remove, and SaveChanges is forgotten")
        {
            Delete = new() { Remove = static async (context, id, cancellationToken) =>
            {
                var row = await context.Tickets.AsTracking().SingleOrDefaultAsync(ticket => ticket.Id == id, cancellationToken);
                if (row is null) return 0;
                context.Remove(row);
                return 1;
            } },
            Provokes = Provoking.Deletion,
            Traces = [Stored.ExtraTicket, Stored.ExtraComment],
            Causes = ["write_lost"],
        },
        new(WriteFault.Beyond, "ticket-twice", "one INSERT → another for good measure")
        {
            Create = new() { Save = static async (context, row, cancellationToken) =>
            {
                await Saving.AddAsync(context, row, cancellationToken);
                await Saving.AddAsync(context, Copy(row), cancellationToken);
            } },
            Provokes = Provoking.NewTicket,
            Traces = [Stored.ExtraTicket],
            Causes = ["written_twice"],
        },
        new(WriteFault.Beyond, "comment-twice", "one INSERT → the comment is added, and added again with its ticket")
        {
            Comment = new() { Save = static async (context, row, cancellationToken) =>
            {
                await Saving.AddAsync(context, row, cancellationToken);
                var ticket = await context.Tickets.AsTracking().SingleAsync(ticket => ticket.Id == row.TicketId, cancellationToken);
                ticket.Comments.Add(new() { UserId = row.UserId, Comment = row.Comment, IsInternal = row.IsInternal });
                await context.SaveChangesAsync(cancellationToken);
            } },
            Provokes = Provoking.Comment,
            Traces = [Stored.ExtraComment],
            Causes = ["written_twice"],
        },
    ];

    private static IEnumerable<FaultTrace> Lost(params string[] columns) =>
        columns.SelectMany(column => (FaultTrace[])[Stored.InTicket(column, Stored.Value), Stored.InTicket(column, Stored.Null)]);

    private static TicketRow Copy(TicketRow row) => new()
    {
        UserId = row.UserId,
        Subject = row.Subject,
        Description = row.Description,
        Priority = row.Priority,
        Category = row.Category,
    };
}
