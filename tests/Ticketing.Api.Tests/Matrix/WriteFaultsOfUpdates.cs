using Microsoft.EntityFrameworkCore;
using Ticketing.Demo.Faults;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>What an update sends and what it leaves out: lines 58 to 60, and updates that go elsewhere.</summary>
internal static class WriteFaultsOfUpdates
{
    public static IEnumerable<WriteFault> All { get; } =
    [
        new("58", "no-op-update", "UPDATE whatever changes → nothing is sent where nothing changed, and updated_at stays")
        {
            Update = new() { Save = static async (parts, context, request, cancellationToken) =>
            {
                var row = await parts.Which(context.Tickets.AsTracking(), request).SingleOrDefaultAsync(cancellationToken);
                if (row is null) return false;
                if (request.Status is { } status) row.Status = status;
                if (request.Priority is { } priority) row.Priority = priority;
                if (request.AssignedTo is { } assignee) row.AssignedTo = assignee.Value;
                if (request.Resolution is { } resolution) row.Resolution = resolution.Value;
                if (!context.ChangeTracker.HasChanges()) return true;
                context.ChangeTracker.Clear();
                return await UpdateRecipe.ExecuteAsync(parts, context, request, cancellationToken);
            } },
            Provokes = Provoking.ChangeOfNothing,
            Traces = [.. Untouched],
            Causes = ["not_touched"],
        },
        new("59a", "unbumped-update", "updated_at = now() → ExecuteUpdate without it")
        {
            Update = new() { Touch = static (_, _) => { } },
            Provokes = Provoking.ChangeOfPriority,
            Traces = [.. Untouched],
            Causes = ["not_touched"],
        },
        new("59b", "bumped-for-status-only", "updated_at = now() always → only where the status is set")
        {
            Update = new() { Touch = static (set, request) =>
            {
                if (request.Status is not null) new UpdateRecipe().Touch(set, request);
            } },
            Provokes = Provoking.ChangeOfPriority,
            Traces = [.. Untouched],
            Causes = ["not_touched"],
        },
        new("59c", "untouched-ticket", "a comment bumps its ticket → it does not")
        {
            Comment = new() { Touch = static (_, _, _) => Task.CompletedTask },
            Provokes = Provoking.Comment,
            Traces = [Stored.InTicket("updated_at", Stored.Value), Stored.InTicket("updated_at", Stored.Null)],
            Causes = ["not_touched"],
        },
        new("60a", "update-detached", "the named columns → Update(detached): all of them, NULL where nothing was sent")
        {
            Update = new() { Save = static async (parts, context, request, cancellationToken) =>
            {
                var current = await parts.Which(context.Tickets, request).SingleOrDefaultAsync(cancellationToken);
                if (current is null) return false;
                context.Update(new TicketRow
                {
                    Id = request.TicketId,
                    UserId = current.UserId,
                    Subject = current.Subject,
                    Description = current.Description,
                    Status = request.Status ?? current.Status,
                    Priority = request.Priority ?? current.Priority,
                    AssignedTo = request.AssignedTo?.Value,
                    Resolution = request.Resolution?.Value,
                });
                await context.SaveChangesAsync(cancellationToken);
                await CommentRecipe.TouchAsync(context.Tickets.Where(ticket => ticket.Id == request.TicketId), cancellationToken);
                return true;
            } },
            Provokes = Provoking.ChangeOfPriority,
            Traces = [.. Stored.Updated(Stored.Null, "category", "created_at", "assigned_to", "resolution", "resolved_at")],
            Causes = ["overwritten_columns"],
        },
        new("60b", "patch-as-put", "the named columns → all that can be named, NULL where nothing was sent")
        {
            Update = new() { Values = static (set, request) => set
                .SetProperty(ticket => ticket.Status, request.Status)
                .SetProperty(ticket => ticket.Priority, request.Priority)
                .SetProperty(ticket => ticket.AssignedTo, request.AssignedTo.GetValueOrDefault().Value)
                .SetProperty(ticket => ticket.Resolution, request.Resolution.GetValueOrDefault().Value) },
            Provokes = Provoking.ChangeOfPriority,
            Traces = [.. Stored.Updated(Stored.Null, "status", "priority", "assigned_to", "resolution")],
            Causes = ["overwritten_columns"],
        },
        new("60c", "values-of-the-request", "the named columns → CurrentValues.SetValues(request): what has the same name, NULL included")
        {
            Update = new() { Save = static async (parts, context, request, cancellationToken) =>
            {
                var row = await parts.Which(context.Tickets.AsTracking(), request).SingleOrDefaultAsync(cancellationToken);
                if (row is null) return false;
                context.Entry(row).CurrentValues.SetValues(new { request.Status, request.Priority });
                await context.SaveChangesAsync(cancellationToken);
                context.ChangeTracker.Clear();
                return await UpdateRecipe.ExecuteAsync(parts, context, request, cancellationToken);
            } },
            Provokes = Provoking.ChangeOfPriority,
            Traces =
            [
                .. Stored.Updated(Stored.Null, "status", "priority"),
                .. Stored.Updated(Stored.Value, "resolved_at"), .. Stored.Updated(Stored.Null, "resolved_at"),
            ],
            Causes = ["overwritten_columns"],
        },
        new(WriteFault.Beyond, "update-of-all", "WHERE id = → the filtered query is made and not used")
        {
            Update = new()
            {
                Save = static async (parts, context, request, cancellationToken) =>
                    await parts.Which(context.Tickets, request).AnyAsync(cancellationToken)
                    && await UpdateRecipe.ExecuteAsync(
                        parts with { Which = static (tickets, _) => tickets }, context, request, cancellationToken),
            },
            Provokes = Provoking.Change,
            Traces = Everywhere("updated_at", "status", "priority", "assigned_to", "resolution", "resolved_at"),
            Causes = ["wrote_elsewhere"],
        },
        new(WriteFault.Beyond, "touch-of-all", "WHERE id = → none: a comment bumps every ticket")
        {
            Comment = new() { Touch = static (context, _, cancellationToken) =>
                CommentRecipe.TouchAsync(context.Tickets, cancellationToken) },
            Provokes = Provoking.Comment,
            Traces = Everywhere("updated_at"),
            Causes = ["wrote_elsewhere"],
        },
        new(WriteFault.Beyond, "author-in-capitals", "nothing of the author → tracked, put in capitals for show, and saved with the comment")
        {
            Comment = new() { Save = static async (context, row, cancellationToken) =>
            {
                if (await context.Users.AsTracking().SingleOrDefaultAsync(user => user.Id == row.UserId, cancellationToken) is { } author)
                    author.FirstName = author.FirstName.ToUpperInvariant();
                await Saving.AddAsync(context, row, cancellationToken);
            } },
            Provokes = Provoking.Comment,
            Traces = [new("rows.users[*].first_name", Stored.Value), new("comment.authorFirstName", Stored.Value)],
            Causes = ["mass_assignment"],
        },
    ];

    private static FaultTrace[] Untouched => [.. Stored.Updated(Stored.Value, "updated_at"), .. Stored.Updated(Stored.Null, "updated_at")];

    private static FaultTrace[] Everywhere(params string[] columns) =>
        [.. columns.SelectMany(column => (FaultTrace[])[Stored.InTicket(column, Stored.Value), Stored.InTicket(column, Stored.Null)])];
}
