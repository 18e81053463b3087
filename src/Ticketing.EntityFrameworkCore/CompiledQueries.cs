using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Ticketing.EntityFrameworkCore;

/// <summary>The queries that run so often, and so alike, that translating them once pays.</summary>
/// <remarks>A compiled query belongs to the model it was first run on, and a process may hold more than one.</remarks>
internal sealed class CompiledQueries
{
    private static readonly ConditionalWeakTable<IModel, CompiledQueries> ByModel = [];

    public static CompiledQueries ForContext(TicketingContext context) => ByModel.GetOrAdd(context.Model, static _ => new());

    public Func<TicketingContext, int, CancellationToken, Task<TicketDetail?>> TicketById { get; } = EF.CompileAsyncQuery(
        (TicketingContext context, int ticketId, CancellationToken _) => context.Tickets
            .Where(ticket => ticket.Id == ticketId)
            .Select(ticket => new TicketDetail(
                ticket.Id,
                ticket.UserId,
                ticket.Subject,
                ticket.Description,
                ticket.Status,
                ticket.Priority,
                ticket.Category,
                ticket.AssignedTo,
                ticket.Resolution,
                ticket.ResolvedAt,
                ticket.CreatedAt,
                ticket.UpdatedAt,
                ticket.Owner.FirstName,
                ticket.Owner.LastName,
                ticket.Owner.Email,
                ticket.Assignee!.FirstName,
                ticket.Assignee.LastName,
                Array.Empty<TicketComment>()))
            .SingleOrDefault());

    // A statement of its own, as on the control: joined to the ticket, each comment would carry the whole description along.
    public Func<TicketingContext, int, bool, IAsyncEnumerable<TicketComment>> CommentsOfTicket { get; } = EF.CompileAsyncQuery(
        (TicketingContext context, int ticketId, bool isStaff) => context.Comments
            .Where(comment => comment.TicketId == ticketId && (isStaff || comment.IsInternal != true))
            .OrderBy(comment => comment.CreatedAt)
            .LeftJoin(context.Users, comment => comment.UserId, user => user.Id, (comment, author) => new TicketComment(
                comment.Id,
                comment.TicketId,
                comment.UserId,
                comment.Comment,
                comment.IsInternal,
                comment.CreatedAt,
                author!.FirstName,
                author.LastName,
                author.Role)));

    public Func<TicketingContext, int, CancellationToken, Task<TicketComment>> CommentById { get; } = EF.CompileAsyncQuery(
        (TicketingContext context, int commentId, CancellationToken _) => context.Comments
            .Where(comment => comment.Id == commentId)
            .LeftJoin(context.Users, comment => comment.UserId, user => user.Id, (comment, author) => new TicketComment(
                comment.Id,
                comment.TicketId,
                comment.UserId,
                comment.Comment,
                comment.IsInternal,
                comment.CreatedAt,
                author!.FirstName,
                author.LastName,
                author.Role))
            .Single());

    public Func<TicketingContext, int, CancellationToken, Task<int?>> OwnerOfTicket { get; } = EF.CompileAsyncQuery(
        (TicketingContext context, int ticketId, CancellationToken _) => context.Tickets
            .Where(ticket => ticket.Id == ticketId)
            .Select(ticket => (int?)ticket.UserId)
            .SingleOrDefault());
}
