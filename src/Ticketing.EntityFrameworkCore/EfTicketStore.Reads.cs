using Microsoft.EntityFrameworkCore;

namespace Ticketing.EntityFrameworkCore;

public sealed partial class EfTicketStore
{
    /// <inheritdoc/>
    public async Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var lease = await LeaseAsync(cancellationToken);
        var matching = Filter(lease.Context.Tickets, request);
        // Ids are ints, so behind the largest offset that fits there is nothing to skip to.
        var offset = (int)Math.Min((request.Page - 1L) * request.Limit, int.MaxValue);
        var page = matching.OrderByDescending(ticket => ticket.CreatedAt).Skip(offset).Take(request.Limit);
        var tickets = await (request.All ? WithPeople(page) : WithoutPeople(page)).ToListAsync(cancellationToken);
        var total = await matching.LongCountAsync(cancellationToken);
        return new(tickets, total, request.Page, request.Limit);
    }

    /// <inheritdoc/>
    public async Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var lease = await LeaseAsync(cancellationToken);
        var queries = CompiledQueries.ForContext(lease.Context);
        var ticket = await queries.TicketById(lease.Context, request.TicketId, cancellationToken);
        if (ticket is null) return new(TicketAccess.NotFound, null);
        if (!request.Caller.IsStaff && ticket.UserId != request.Caller.UserId) return new(TicketAccess.Forbidden, null);
        var comments = await queries.CommentsOfTicket(lease.Context, request.TicketId, request.Caller.IsStaff)
            .ToListAsync(cancellationToken);
        return new(TicketAccess.Granted, ticket with { Comments = comments });
    }

    private static IQueryable<TicketRow> Filter(IQueryable<TicketRow> tickets, ListTickets request)
    {
        if (!request.All) tickets = tickets.Where(ticket => ticket.UserId == request.Caller.UserId);
        if (!string.IsNullOrEmpty(request.Status)) tickets = tickets.Where(ticket => ticket.Status == request.Status);
        if (!string.IsNullOrEmpty(request.Priority)) tickets = tickets.Where(ticket => ticket.Priority == request.Priority);
        if (request is { All: true, AssignedTo: { } assignee }) tickets = tickets.Where(ticket => ticket.AssignedTo == assignee);
        return tickets;
    }

    private static IQueryable<TicketListItem> WithPeople(IQueryable<TicketRow> tickets) => tickets.Select(ticket => new TicketListItem(
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
        ticket.Comments.LongCount(),
        ticket.Owner.FirstName,
        ticket.Owner.LastName,
        ticket.Owner.Email,
        ticket.Assignee!.FirstName,
        ticket.Assignee.LastName));

    private static IQueryable<TicketListItem> WithoutPeople(IQueryable<TicketRow> tickets) => tickets.Select(ticket => new TicketListItem(
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
        ticket.Comments.LongCount(),
        null,
        null,
        null,
        null,
        null));
}
