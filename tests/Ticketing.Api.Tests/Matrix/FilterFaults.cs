using Shadowing.Diagnosing;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Filters and text: lines 6 to 13.</summary>
internal static class FilterFaults
{
#pragma warning disable CA1304, CA1311, CA1862, CA1845 // These run in the database, which knows no culture and no StringComparison.
    public static IEnumerable<CatalogueFault> All { get; } =
    [
        new("6", "status-in-any-case", "status = @s → lower(status) = lower(@s)")
        {
            List = new() { ByStatus = static (tickets, request) => string.IsNullOrEmpty(request.Status) ? tickets
                : tickets.Where(ticket => ticket.Status!.ToLower() == request.Status.ToLower()) },
            Traces = [Trace.Total, Trace.ExtraTicket, Trace.MissingTicket],
            Causes = [Cause.CaseHandling],
        },
        new("7", "trimmed-subject", "subject → Subject.Trim(), tabs and newlines too")
        {
            List = new() { Item = Projections.Item.With("Subject", static ticket => ticket.Subject.Trim()) },
            Traces = [Trace.Value("tickets[*].subject")],
            Causes = [Cause.TrimmedText],
        },
        new("10", "filter-by-null", "no filter where none is given → Contains(null)")
        {
            List = new() { ByPriority = static (tickets, request) => request.Priority is "" ? tickets : request.Priority is not null
                ? tickets.Where(ticket => ticket.Priority == request.Priority) : tickets.Where(ticket => ticket.Priority!.Contains(request.Priority!)) },
            Traces = [Trace.Total, Trace.MissingTicket],
            Causes = [Cause.FilterAlwaysFalse],
        },
        new("12", "page-before-filter", "WHERE … LIMIT → Take before Where")
        {
            List = new() { Page = static (parts, context, request) => parts.Filter(parts.Cut(context, parts.Order(context.Tickets), request), request) },
            Traces = [Trace.MissingTicket, Trace.ExtraTicket],
            Causes = [Cause.PagingBeforeFilter],
        },
        new("13", "empty-filter", "an empty filter means none → equality with the empty text")
        {
            List = new() { ByStatus = static (tickets, request) => request.Status is null ? tickets
                : tickets.Where(ticket => ticket.Status == request.Status) },
            Traces = [Trace.Total, Trace.MissingTicket, Trace.ExtraTicket],
            Causes = [Cause.EmptyFilter],
        },
    ];
#pragma warning restore CA1304, CA1311, CA1862, CA1845
}
