using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

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
        return Answered(row);
    }

    /// <inheritdoc/>
    public async Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var lease = await LeaseAsync(cancellationToken);
        var access = await AccessAsync(lease.Context, request.TicketId, request.Caller, cancellationToken);
        if (access is TicketAccess.Granted && request.AssignedTo is not null && !request.Caller.IsStaff) access = TicketAccess.Forbidden;
        if (access is not TicketAccess.Granted) return new(access, null);
        var stored = await lease.Context.Tickets.FromSql(Update(request)).AsNoTracking().ToListAsync(cancellationToken);
        return stored is [var row] ? new(TicketAccess.Granted, Answered(row)) : new(TicketAccess.NotFound, null);
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

    private static Ticket Answered(TicketRow row) => new(
        row.Id, row.UserId, row.Subject, row.Description, row.Status, row.Priority, row.Category, row.AssignedTo, row.Resolution,
        row.ResolvedAt, row.CreatedAt, row.UpdatedAt);

    // SQL of its own, because ExecuteUpdate returns no row: reading it back is a command more than the control sends, and deciding who may
    // by the number of rows changed costs each refusal one more. No value is part of the text, only placeholders are.
    private static FormattableString Update(UpdateTicket request)
    {
        var (sets, values) = (new List<string> { "updated_at = LOCALTIMESTAMP" }, new List<object?>());
        if (request.Status is { } status) Set("status", status);
        if (request.Priority is { } priority) Set("priority", priority);
        if (request.AssignedTo is { } assignee) Set("assigned_to", assignee.Value, "::int");
        if (request.Resolution is { } resolution) Set("resolution", resolution.Value, "::text");
        if (request.Status is "resolved")
            sets.Add("resolved_at = CASE WHEN status IS DISTINCT FROM 'resolved' THEN LOCALTIMESTAMP ELSE resolved_at END");
        values.Add(request.TicketId);
        return FormattableStringFactory.Create(
            $"""
            UPDATE support_tickets SET {string.Join(", ", sets)} WHERE id = {Placeholder(values.Count - 1)}
            RETURNING id, user_id, subject, description, status, priority, category, assigned_to, resolution, resolved_at, created_at,
                updated_at
            """,
            [.. values]);

        void Set(string column, object? value, string type = "")
        {
            values.Add(value);
            sets.Add($"{column} = {Placeholder(values.Count - 1)}{type}");
        }

        static string Placeholder(int at) => $"{{{at}}}";
    }
}
