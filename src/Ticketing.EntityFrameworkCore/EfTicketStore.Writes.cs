using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace Ticketing.EntityFrameworkCore;

public sealed partial class EfTicketStore
{
    /// <inheritdoc/>
    public async Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var lease = await LeaseAsync(cancellationToken);
        var row = new TicketRow
        {
            UserId = request.Caller.UserId,
            Subject = request.Subject,
            Description = request.Description,
            Priority = request.Priority,
            Category = request.Category,
        };
        lease.Context.Add(row);
        await lease.Context.SaveChangesAsync(cancellationToken);
        return new(row.Id, row.UserId, row.Subject, row.Description, row.Status, row.Priority, row.Category, row.AssignedTo,
            row.Resolution, row.ResolvedAt, row.CreatedAt, row.UpdatedAt);
    }

    /// <inheritdoc/>
    public async Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var transaction = await session.BeginAsync(cancellationToken);
        await using var lease = await LeaseAsync(cancellationToken);
        if (!await TryUpdateAsync(lease.Context, request, cancellationToken))
        {
            var access = await AccessAsync(lease.Context, request.TicketId, request.Caller, cancellationToken);
            if (access is not TicketAccess.Granted) return new(access, null);
            // Granted, and yet not changed: for staff alone to do, or a ticket that was not there a moment ago.
            return new(MayAssign(request) ? TicketAccess.NotFound : TicketAccess.Forbidden, null);
        }

        var stored = await lease.Context.Tickets
            .Where(ticket => ticket.Id == request.TicketId)
            .Select(ticket => new Ticket(
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
                ticket.UpdatedAt))
            .SingleAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new(TicketAccess.Granted, stored);
    }

    /// <inheritdoc/>
    public async Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var lease = await LeaseAsync(cancellationToken);
        if (!request.Caller.IsStaff)
        {
            var owner = await CompiledQueries.ForContext(lease.Context).OwnerOfTicket(lease.Context, request.TicketId, cancellationToken);
            return new(owner is null ? TicketAccess.NotFound : TicketAccess.Forbidden);
        }

        var deleted = await lease.Context.Tickets.Where(ticket => ticket.Id == request.TicketId).ExecuteDeleteAsync(cancellationToken);
        return new(deleted == 0 ? TicketAccess.NotFound : TicketAccess.Granted);
    }

    /// <inheritdoc/>
    public async Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var transaction = await session.BeginAsync(cancellationToken);
        await using var lease = await LeaseAsync(cancellationToken);
        var access = await AccessAsync(lease.Context, request.TicketId, request.Caller, cancellationToken);
        if (access is not TicketAccess.Granted) return new(access, null);
        var row = new CommentRow
        {
            TicketId = request.TicketId,
            UserId = request.Caller.UserId,
            Comment = request.Text,
            IsInternal = request.IsInternal && request.Caller.IsStaff,
        };
        lease.Context.Add(row);
        await lease.Context.SaveChangesAsync(cancellationToken);
        await lease.Context.Tickets.Where(ticket => ticket.Id == request.TicketId).ExecuteUpdateAsync(
            set => set.SetProperty(ticket => ticket.UpdatedAt, ticket => TicketingContext.LocalTimestamp()), cancellationToken);
        var comment = await CompiledQueries.ForContext(lease.Context).CommentById(lease.Context, row.Id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new(TicketAccess.Granted, comment);
    }

    private static async Task<TicketAccess> AccessAsync(
        TicketingContext context, int ticketId, Caller caller, CancellationToken cancellationToken)
    {
        var owner = await CompiledQueries.ForContext(context).OwnerOfTicket(context, ticketId, cancellationToken);
        if (owner is null) return TicketAccess.NotFound;
        return caller.IsStaff || owner == caller.UserId ? TicketAccess.Granted : TicketAccess.Forbidden;
    }

    private static async Task<bool> TryUpdateAsync(TicketingContext context, UpdateTicket request, CancellationToken cancellationToken)
    {
        if (!MayAssign(request)) return false;
        var tickets = context.Tickets.Where(ticket => ticket.Id == request.TicketId);
        if (!request.Caller.IsStaff) tickets = tickets.Where(ticket => ticket.UserId == request.Caller.UserId);
        return await tickets.ExecuteUpdateAsync(set => Assign(set, request), cancellationToken) > 0;
    }

    private static bool MayAssign(UpdateTicket request) => request.AssignedTo is null || request.Caller.IsStaff;

    private static void Assign(UpdateSettersBuilder<TicketRow> set, UpdateTicket request)
    {
        set.SetProperty(ticket => ticket.UpdatedAt, ticket => TicketingContext.LocalTimestamp());
        if (request.Status is { } status) set.SetProperty(ticket => ticket.Status, status);
        if (request.Priority is { } priority) set.SetProperty(ticket => ticket.Priority, priority);
        if (request.AssignedTo is { } assignee) set.SetProperty(ticket => ticket.AssignedTo, assignee.Value);
        if (request.Resolution is { } resolution) set.SetProperty(ticket => ticket.Resolution, resolution.Value);
        if (request.Status is "resolved")
            set.SetProperty(
                ticket => ticket.ResolvedAt,
                ticket => ticket.Status != "resolved" ? TicketingContext.LocalTimestamp() : ticket.ResolvedAt);
    }
}
