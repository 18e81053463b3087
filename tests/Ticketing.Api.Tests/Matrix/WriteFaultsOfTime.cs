using Microsoft.EntityFrameworkCore;
using Ticketing.Demo.Faults;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Whose clock, how precisely, and whether at all: lines 46 to 49.</summary>
internal static class WriteFaultsOfTime
{
    public static IEnumerable<WriteFault> All { get; } =
    [
        new("46a", "echoed-creation", "the row as stored → the entity as it was sent, its times with seven digits")
        {
            Create = new() { Row = static request => Stamped(request, Now()) },
            Provokes = Provoking.NewTicket,
            Traces = [new("createdAt", Stored.Value), new("updatedAt", Stored.Value), .. Created],
            Causes = ["echoed_entity", "foreign_clock"],
        },
        new("46b", "stale-entity", "the row as stored → the tracked entity, from before the update")
        {
            Update = new()
            {
                Save = static async (parts, context, request, cancellationToken) =>
                    await parts.Which(context.Tickets.AsTracking(), request).SingleOrDefaultAsync(cancellationToken) is not null
                    && await UpdateRecipe.ExecuteAsync(parts, context, request, cancellationToken),
                Read = static async (context, id, cancellationToken) =>
                    Saving.Answer(await context.Tickets.AsTracking().SingleAsync(ticket => ticket.Id == id, cancellationToken)),
            },
            Provokes = Provoking.Change,
            Traces =
            [
                new("ticket.updatedAt", Stored.Value), new("ticket.updatedAt", Stored.Null),
                .. Either("ticket.status"), .. Either("ticket.priority"), .. Either("ticket.assignedTo"),
                .. Either("ticket.resolution"), .. Either("ticket.resolvedAt"),
            ],
            Causes = ["echoed_entity"],
        },
        new("46c", "echoed-comment", "the comment with its author → the entity, which knows none")
        {
            Comment = new() { Read = static (_, row, _) => Task.FromResult(new TicketComment(
                row.Id, row.TicketId, row.UserId, row.Comment, row.IsInternal, row.CreatedAt, null, null, null)) },
            Provokes = Provoking.Comment,
            Traces =
            [
                new("comment.authorFirstName", Stored.Null),
                new("comment.authorLastName", Stored.Null), new("comment.authorRole", Stored.Null),
            ],
            Causes = ["echoed_entity"],
        },
        new("47a", "unset-creation", "now() → a required member that nobody sets: -infinity")
        {
            Create = new() { Row = static request => Stamped(request, default) },
            Provokes = Provoking.NewTicket,
            Traces = [.. Created, new("createdAt", Stored.Value), new("updatedAt", Stored.Value)],
            Causes = ["unset_time"],
        },
        new("47b", "unset-comment", "now() → a required member that nobody sets, in local time: 0001-01-01")
        {
            Comment = new() { Row = static request => Stamped(
                request, TimeZoneInfo.ConvertTimeFromUtc(default, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"))) },
            Provokes = Provoking.Comment,
            Traces = [.. Stored.Commented(Stored.Value, "created_at")],
            Causes = ["unset_time"],
        },
        new("48a", "application-clock", "now() → an interceptor that stamps with the application's clock")
        {
            Create = new(),
            Contexts = OtherContexts.Stamping(static () => new(Now().Ticks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond)),
            Provokes = Provoking.NewTicket,
            Traces = [.. Created, new("createdAt", Stored.Value), new("updatedAt", Stored.Value)],
            Causes = ["foreign_clock"],
        },
        new("48b", "application-milliseconds", "now() in µs → the application's clock in ms")
        {
            Create = new() { Row = static request => Stamped(request, InMilliseconds()) },
            Provokes = Provoking.NewTicket,
            Traces = [.. Created, new("createdAt", Stored.Value), new("updatedAt", Stored.Value)],
            Causes = ["foreign_clock"],
        },
        new("48c", "application-update", "updated_at = now() → the application's clock in ms")
        {
            Update = new() { Touch = static (set, _) => set.SetProperty(ticket => ticket.UpdatedAt, InMilliseconds()) },
            Provokes = Provoking.Change,
            Traces = [.. Stored.Updated(Stored.Value, "updated_at")],
            Causes = ["foreign_clock"],
        },
        new("48d", "application-resolution", "resolved_at = now() → the application's clock in ms")
        {
            Update = new() { Resolve = static (set, request) =>
            {
                if (request.Status is "resolved")
                    set.SetProperty(
                        ticket => ticket.ResolvedAt, ticket => ticket.Status != "resolved" ? InMilliseconds() : ticket.ResolvedAt);
            } },
            Provokes = Provoking.Resolving,
            Traces = [.. Stored.Updated(Stored.Value, "resolved_at")],
            Causes = ["foreign_clock"],
        },
        new("49a", "two-readings", "now() for both rows → clock_timestamp() for each")
        {
            Comment = new()
            {
                Save = static async (context, row, cancellationToken) =>
                {
                    await Saving.AddAsync(context, row, cancellationToken);
                    await context.Database.ExecuteSqlAsync(
                        $"UPDATE ticket_comments SET created_at = clock_timestamp() WHERE id = {row.Id}", cancellationToken);
                },
                Touch = static (context, request, cancellationToken) => context.Database.ExecuteSqlAsync(
                    $"UPDATE support_tickets SET updated_at = clock_timestamp() WHERE id = {request.TicketId}", cancellationToken),
            },
            Provokes = Provoking.Comment,
            Traces = [.. Stored.Commented(Stored.Value, "created_at"), Stored.InTicket("updated_at", Stored.Value)],
            Causes = ["two_clocks", "foreign_clock"],
        },
        new("49b", "two-application-readings", "now() for both rows → the application's clock, read for each")
        {
            Comment = new()
            {
                Row = static request => Stamped(request, Now()),
                Touch = static (context, request, cancellationToken) => context.Tickets
                    .Where(ticket => ticket.Id == request.TicketId)
                    .ExecuteUpdateAsync(static set => set.SetProperty(ticket => ticket.UpdatedAt, Now()), cancellationToken),
            },
            Provokes = Provoking.Comment,
            Traces = [.. Stored.Commented(Stored.Value, "created_at"), Stored.InTicket("updated_at", Stored.Value)],
            Causes = ["two_clocks", "foreign_clock"],
        },
        new("49c", "two-clocks", "now() for both rows → an interceptor stamps the new one with the application's clock")
        {
            Comment = new(),
            Contexts = OtherContexts.Stamping(InMilliseconds),
            Provokes = Provoking.Comment,
            Traces = [.. Stored.Commented(Stored.Value, "created_at")],
            Causes = ["two_clocks", "foreign_clock"],
        },
    ];

    private static FaultTrace[] Created => [Stored.InTicket("created_at", Stored.Value), Stored.InTicket("updated_at", Stored.Value)];

    private static FaultTrace[] Either(string path) => [new(path, Stored.Value), new(path, Stored.Null)];

    private static TicketRow Stamped(CreateTicket request, DateTime time)
    {
        var row = CreateRecipe.NewRow(request);
        (row.CreatedAt, row.UpdatedAt) = (time, time);
        return row;
    }

    private static CommentRow Stamped(AddComment request, DateTime time)
    {
        var row = CommentRecipe.NewRow(request);
        row.CreatedAt = time;
        return row;
    }

    /// <summary>The application's clock, to a tenth of a microsecond, without zone.</summary>
    private static DateTime Now() => TimeProvider.System.GetUtcNow().DateTime;

    /// <summary>
    /// The application's clock at its next whole millisecond: later than the transaction's beginning whatever that is, so that the fault never stores
    /// the right time by chance.
    /// </summary>
    private static DateTime InMilliseconds() => new(((Now().Ticks / TimeSpan.TicksPerMillisecond) + 1) * TimeSpan.TicksPerMillisecond);
}
