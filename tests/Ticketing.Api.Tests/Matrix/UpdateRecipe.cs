using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Shadowing.EntityFrameworkCore;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The candidate's update, cut into its parts.</summary>
internal sealed record UpdateRecipe
{
    public delegate void Assign(UpdateSettersBuilder<TicketRow> set, UpdateTicket request);

    public delegate Task<bool> Saves(
        UpdateRecipe parts, TicketingContext context, UpdateTicket request, CancellationToken cancellationToken);

    public Func<UpdateTicket, bool> MayAssign { get; init; } = static request => request.AssignedTo is null || request.Caller.IsStaff;

    public Func<IQueryable<TicketRow>, UpdateTicket, IQueryable<TicketRow>> Which { get; init; } = static (tickets, request) =>
    {
        tickets = tickets.Where(ticket => ticket.Id == request.TicketId);
        return request.Caller.IsStaff ? tickets : tickets.Where(ticket => ticket.UserId == request.Caller.UserId);
    };

    public Assign Touch { get; init; } = static (set, _) =>
        set.SetProperty(ticket => ticket.UpdatedAt, ticket => TicketingContext.LocalTimestamp());

    public Assign Values { get; init; } = static (set, request) =>
    {
        if (request.Status is { } status) set.SetProperty(ticket => ticket.Status, status);
        if (request.Priority is { } priority) set.SetProperty(ticket => ticket.Priority, priority);
        if (request.AssignedTo is { } assignee) set.SetProperty(ticket => ticket.AssignedTo, assignee.Value);
        if (request.Resolution is { } resolution) set.SetProperty(ticket => ticket.Resolution, resolution.Value);
    };

    public Assign Resolve { get; init; } = static (set, request) =>
    {
        if (request.Status is "resolved")
            set.SetProperty(
                ticket => ticket.ResolvedAt,
                ticket => ticket.Status != "resolved" ? TicketingContext.LocalTimestamp() : ticket.ResolvedAt);
    };

    /// <summary>The parts above as one statement; whether there was such a ticket.</summary>
    public Saves Save { get; init; } = ExecuteAsync;

    public Func<TicketingContext, int, CancellationToken, Task<Ticket>> Read { get; init; } = static (context, id, cancellationToken) =>
        context.Tickets
        .Where(ticket => ticket.Id == id)
        .Select(ticket => new Ticket(
            ticket.Id, ticket.UserId, ticket.Subject, ticket.Description, ticket.Status, ticket.Priority, ticket.Category,
            ticket.AssignedTo, ticket.Resolution, ticket.ResolvedAt, ticket.CreatedAt, ticket.UpdatedAt))
        .SingleAsync(cancellationToken);

    public bool Commits { get; init; } = true;

    public static async Task<bool> ExecuteAsync(
        UpdateRecipe parts, TicketingContext context, UpdateTicket request, CancellationToken cancellationToken) =>
        await parts.Which(context.Tickets, request).ExecuteUpdateAsync(
            set =>
            {
                parts.Touch(set, request);
                parts.Values(set, request);
                parts.Resolve(set, request);
            },
            cancellationToken) > 0;

    public async Task<TicketChange> RunAsync(
        IDbContextFactory<TicketingContext> contexts, TicketSession session, UpdateTicket request, CancellationToken cancellationToken)
    {
        await using var transaction = await session.BeginAsync(cancellationToken);
        await using var lease = await contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
        if (!MayAssign(request) || !await Save(this, lease.Context, request, cancellationToken))
        {
            var owner = await CompiledQueries.ForContext(lease.Context).OwnerOfTicket(lease.Context, request.TicketId, cancellationToken);
            return new(owner is null ? TicketAccess.NotFound : TicketAccess.Forbidden, null);
        }

        var stored = await Read(lease.Context, request.TicketId, cancellationToken);
        if (Commits) await transaction.CommitAsync(cancellationToken);
        return new(TicketAccess.Granted, stored);
    }
}
