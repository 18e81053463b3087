using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Ticketing.Demo.Faults;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Failing where the control does not, or otherwise, or not at all: lines 62 to 64.</summary>
internal static class WriteFaultsOfFailures
{
    private static readonly FaultTrace[] Failure = [Trace.Failure];

    public static IEnumerable<WriteFault> All { get; } =
    [
        new("62a", "missing-update-throws", "no row is not found → DbUpdateConcurrencyException")
        {
            Update = new() { Save = static async (parts, context, request, cancellationToken) =>
            {
                var (id, caller) = (request.TicketId, request.Caller);
                var anothers = context.Tickets.Where(ticket => ticket.Id == id && ticket.UserId != caller.UserId);
                if (!caller.IsStaff && await anothers.AnyAsync(cancellationToken)) return false;
                await UpdateRecipe.ExecuteAsync(parts with { Values = static (_, _) => { } }, context, request, cancellationToken);
                var row = context.Attach(new TicketRow { Id = id });
                if (request.Status is { } status) row.Property(ticket => ticket.Status).CurrentValue = status;
                if (request.Priority is { } priority) row.Property(ticket => ticket.Priority).CurrentValue = priority;
                if (request.AssignedTo is { } assignee) Set(row.Property(ticket => ticket.AssignedTo), assignee.Value);
                if (request.Resolution is { } resolution) Set(row.Property(ticket => ticket.Resolution), resolution.Value);
                await context.SaveChangesAsync(cancellationToken);
                return true;
            } },
            Provokes = Provoking.ChangeOfMissing,
            Traces = Failure,
            Causes = ["missing_row_throws"],
        },
        new("62b", "missing-deletion-throws", "no row is not found → DbUpdateConcurrencyException")
        {
            Delete = new() { Remove = static (context, id, cancellationToken) =>
            {
                context.Remove(new TicketRow { Id = id });
                return context.SaveChangesAsync(cancellationToken);
            } },
            Provokes = Provoking.DeletionOfMissing,
            Traces = Failure,
            Causes = ["missing_row_throws"],
        },
        new("62c", "comment-without-look", "no ticket is not found → the foreign key refuses the comment")
        {
            Comment = new() { Access = static (caller, owner) =>
                !caller.IsStaff && owner is { } somebody && somebody != caller.UserId ? TicketAccess.Forbidden : TicketAccess.Granted },
            Provokes = Provoking.CommentOnMissing,
            Traces = Failure,
            Causes = ["missing_row_throws"],
        },
        new("63a", "hidden-refusal", "23503 → an exception of the store's own, which does not say why")
        {
            Update = new() { Save = static async (parts, context, request, cancellationToken) =>
            {
                try
                {
                    return await SaveAsync(parts, context, request, cancellationToken);
                }
                catch (DbUpdateException)
                {
                    throw new InvalidOperationException("The ticket could not be saved.");
                }
            } },
            Provokes = Provoking.AssigneeUnknown,
            Traces = Failure,
            Causes = ["hidden_database_error"],
        },
        new("63b", "swallowed-refusal", "23503 → taken for a ticket that is not there")
        {
            Update = new() { Save = static async (parts, context, request, cancellationToken) =>
            {
                await context.Database.CurrentTransaction!.CreateSavepointAsync("saving", cancellationToken);
                try
                {
                    return await SaveAsync(parts, context, request, cancellationToken);
                }
                catch (DbUpdateException)
                {
                    await context.Database.CurrentTransaction!.RollbackToSavepointAsync("saving", cancellationToken);
                    return false;
                }
            } },
            Provokes = Provoking.AssigneeUnknown,
            Traces = Failure,
            Causes = ["accepted_what_is_refused", "hidden_database_error"],
        },
        new("63c", "unassigned-instead", "23503 → whoever does not exist is left out")
        {
            Update = new() { Save = static async (parts, context, request, cancellationToken) =>
            {
                var exists = request.AssignedTo?.Value is not { } assignee
                    || await context.Users.AnyAsync(user => user.Id == assignee, cancellationToken);
                return await UpdateRecipe.ExecuteAsync(
                    parts, context, exists ? request : request with { AssignedTo = null }, cancellationToken);
            } },
            Provokes = Provoking.AssigneeUnknown,
            Traces = [Trace.Failure, Stored.InTicket("updated_at", Stored.Value), Stored.InTicket("updated_at", Stored.Null)],
            Causes = ["accepted_what_is_refused"],
        },
        new("64", "retried-transaction", "a transaction → one that a retrying strategy does not let the code begin")
        {
            Comment = new(),
            Contexts = OtherContexts.Retrying,
            Provokes = Provoking.Comment,
            Traces = Failure,
            Causes = ["transaction_refused"],
        },
    ];

    /// <summary>Modified, whatever it was: of a row that was not read NULL would else pass for what is there.</summary>
    private static void Set<T>(PropertyEntry<TicketRow, T> property, T value) =>
        (property.CurrentValue, property.IsModified) = (value, true);

    /// <summary>Right, but for the exception that it wraps a refusal into: load, assign, save.</summary>
    private static async Task<bool> SaveAsync(
        UpdateRecipe parts, TicketingContext context, UpdateTicket request, CancellationToken cancellationToken)
    {
        if (await parts.Which(context.Tickets.AsTracking(), request).SingleOrDefaultAsync(cancellationToken) is not { } row) return false;
        if (request.AssignedTo is { } assignee) row.AssignedTo = assignee.Value;
        await context.SaveChangesAsync(cancellationToken);
        context.ChangeTracker.Clear();
        return await UpdateRecipe.ExecuteAsync(parts, context, request, cancellationToken);
    }
}
