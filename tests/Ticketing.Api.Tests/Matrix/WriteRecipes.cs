using Microsoft.EntityFrameworkCore;
using Shadowing.EntityFrameworkCore;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The candidate's creation cut into its parts, so that a fault replaces one and leaves the rest right.</summary>
internal sealed record CreateRecipe
{
    public Func<CreateTicket, TicketRow> Row { get; init; } = NewRow;

    public Func<TicketingContext, TicketRow, CancellationToken, Task> Save { get; init; } = Saving.AddAsync;

    /// <summary>Whether it is stored at once. A transaction that is not committed is what else there is.</summary>
    public bool Commits { get; init; } = true;

    public static TicketRow NewRow(CreateTicket request) => new()
    {
        UserId = request.Caller.UserId,
        Subject = request.Subject,
        Description = request.Description,
        Priority = request.Priority,
        Category = request.Category,
    };

    public async Task<Ticket> RunAsync(
        IDbContextFactory<TicketingContext> contexts, TicketSession session, CreateTicket request, CancellationToken cancellationToken)
    {
        await using var forgotten = Commits ? null : await session.BeginAsync(cancellationToken);
        await using var lease = await contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
        var row = Row(request);
        await Save(lease.Context, row, cancellationToken);
        return Saving.Answer(row);
    }
}

/// <summary>The candidate's deletion, cut into its parts.</summary>
internal sealed record DeleteRecipe
{
    public Func<Caller, bool> MayDelete { get; init; } = static caller => caller.IsStaff;

    /// <returns>How many tickets went.</returns>
    public Func<TicketingContext, int, CancellationToken, Task<int>> Remove { get; init; } = static (context, id, cancellationToken) =>
        context.Tickets.Where(ticket => ticket.Id == id).ExecuteDeleteAsync(cancellationToken);

    public async Task<TicketDeletion> RunAsync(
        IDbContextFactory<TicketingContext> contexts, TicketSession session, DeleteTicket request, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
        if (MayDelete(request.Caller))
        {
            var removed = await Remove(lease.Context, request.TicketId, cancellationToken);
            return new(removed == 0 ? TicketAccess.NotFound : TicketAccess.Granted);
        }

        var owner = await CompiledQueries.ForContext(lease.Context).OwnerOfTicket(lease.Context, request.TicketId, cancellationToken);
        return new(owner is null ? TicketAccess.NotFound : TicketAccess.Forbidden);
    }
}

/// <summary>The candidate's comment, cut into its parts.</summary>
internal sealed record CommentRecipe
{
    public Func<Caller, int?, TicketAccess> Access { get; init; } = static (caller, owner) => owner is null ? TicketAccess.NotFound
        : caller.IsStaff || owner == caller.UserId ? TicketAccess.Granted : TicketAccess.Forbidden;

    public Func<AddComment, CommentRow> Row { get; init; } = NewRow;

    public Func<TicketingContext, CommentRow, CancellationToken, Task> Save { get; init; } = Saving.AddAsync;

    public Func<TicketingContext, AddComment, CancellationToken, Task> Touch { get; init; } =
        static (context, request, cancellationToken) => TouchAsync(context.Tickets.Where(ticket => ticket.Id == request.TicketId), cancellationToken);

    public Func<TicketingContext, CommentRow, CancellationToken, Task<TicketComment>> Read { get; init; } =
        static (context, row, cancellationToken) =>
        CompiledQueries.ForContext(context).CommentById(context, row.Id, cancellationToken);

    public bool Commits { get; init; } = true;

    public static CommentRow NewRow(AddComment request) => new()
    {
        TicketId = request.TicketId,
        UserId = request.Caller.UserId,
        Comment = request.Text,
        IsInternal = request.IsInternal && request.Caller.IsStaff,
    };

    public static Task TouchAsync(IQueryable<TicketRow> tickets, CancellationToken cancellationToken) => tickets.ExecuteUpdateAsync(
        static set => set.SetProperty(ticket => ticket.UpdatedAt, ticket => TicketingContext.LocalTimestamp()), cancellationToken);

    public async Task<CommentAnswer> RunAsync(
        IDbContextFactory<TicketingContext> contexts, TicketSession session, AddComment request, CancellationToken cancellationToken)
    {
        await using var transaction = await session.BeginAsync(cancellationToken);
        await using var lease = await contexts.TakeAsync(session.Connection, session.Transaction, cancellationToken);
        var owner = await CompiledQueries.ForContext(lease.Context).OwnerOfTicket(lease.Context, request.TicketId, cancellationToken);
        var access = Access(request.Caller, owner);
        if (access is not TicketAccess.Granted) return new(access, null);
        var row = Row(request);
        await Save(lease.Context, row, cancellationToken);
        await Touch(lease.Context, request, cancellationToken);
        var comment = await Read(lease.Context, row, cancellationToken);
        if (Commits) await transaction.CommitAsync(cancellationToken);
        return new(access, comment);
    }
}

/// <summary>What recipes and faults save with.</summary>
internal static class Saving
{
    public static Task AddAsync(TicketingContext context, object row, CancellationToken cancellationToken)
    {
        context.Add(row);
        return context.SaveChangesAsync(cancellationToken);
    }

    public static Ticket Answer(TicketRow row) => new(
        row.Id, row.UserId, row.Subject, row.Description, row.Status, row.Priority, row.Category, row.AssignedTo,
        row.Resolution, row.ResolvedAt, row.CreatedAt, row.UpdatedAt);
}
