using Microsoft.EntityFrameworkCore;
using Shadowing.Diagnosing;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Nulls: lines 14 to 26.</summary>
internal static class NullFaults
{
    public static IEnumerable<CatalogueFault> All { get; } =
    [
        new("14a", "not-known-to-be-public", "is_internal IS NOT TRUE → IsInternal == false")
        {
            Get = new() { Visible = static (comments, request) => comments.Where(comment => request.Caller.IsStaff || comment.IsInternal == false) },
            Traces = [new("ticket.comments[*]", "missing_row")],
            Causes = [Cause.NullComparison],
        },
        new("14b", "null-passes-the-filter", "status = @s → !(Status != s), OR IS NULL added")
        {
            List = new() { ByStatus = static (tickets, request) => string.IsNullOrEmpty(request.Status) ? tickets
                : tickets.Where(ticket => ticket.Status == request.Status || ticket.Status == null) },
            Traces = [Trace.Total, Trace.ExtraTicket, Trace.MissingTicket],
            Causes = [Cause.NullComparison],
        },
        new("20", "coalesced-name", "a || b with NULL → COALESCE(a, '') || b")
        {
            Get = new() { Detail = Projections.Detail.With("AssigneeFirstName", static ticket => ticket.Assignee!.FirstName + "") },
            Traces = [Trace.Null("ticket.assigneeFirstName")],
            Causes = [Cause.NullToEmpty],
        },
        new("21", "average-of-nothing-is-zero", "avg of nothing is NULL → 0")
        {
            Stats = new() { AverageHours = static async (tickets, cancellationToken) =>
                await tickets.Select(Projections.HoursToResolve).AverageAsync(cancellationToken) ?? 0m },
            Traces = [Trace.Null("averageHoursToResolve")],
            Causes = [Cause.NullToDefault],
        },
        new("22", "average-of-nothing-fails", "avg of nothing is NULL → non-nullable Average")
        {
            Stats = new() { AverageHours = static async (tickets, cancellationToken) => await tickets
                .Where(ticket => ticket.ResolvedAt != null)
                .AverageAsync(ticket => TicketingContext.Extract("epoch", ticket.ResolvedAt!.Value - ticket.CreatedAt!.Value) / 3600m, cancellationToken) },
            Traces = [Trace.Failure],
            Causes = [Cause.AggregateOfNothing],
        },
        new("23", "null-as-key", "GROUP BY with a NULL group → ToDictionary")
        {
            Stats = new() { ByCategory = static async (tickets, cancellationToken) => [.. (await tickets
                .GroupBy(ticket => ticket.Category)
                .Select(group => new CountOf(group.Key, group.LongCount()))
                .ToDictionaryAsync(group => group.Value!, cancellationToken)).Values.OrderByDescending(group => group.Count)] },
            Traces = [Trace.Failure],
            Causes = [Cause.NullKey],
        },
        new("24a", "required-column", "nullable column → required member, fails")
        {
            List = new() { Item = Projections.Item.With("CreatedAt", static ticket => Required(ticket.CreatedAt!.Value)) },
            Traces = [Trace.Failure],
            Causes = [Cause.NullInRequiredMember],
        },
        new("24b", "default-for-null", "nullable column → required member, default value")
        {
            Get = new() { Detail = Projections.Detail.With("ResolvedAt", static ticket => ticket.ResolvedAt.GetValueOrDefault()) },
            Traces = [Trace.Null("ticket.resolvedAt")],
            Causes = [Cause.NullToDefault],
        },
        new("25", "nulls-last", "DESC, NULL first → NULL last")
        {
            List = new() { Order = static tickets => tickets.OrderByDescending(ticket => ticket.CreatedAt.HasValue).ThenByDescending(ticket => ticket.CreatedAt) },
            Traces = [Trace.MissingTicket, Trace.ExtraTicket, Trace.TicketOrder],
            Causes = [Cause.NullOrdering],
        },
        new("26", "empty-to-null", "the empty text → a converter makes it NULL")
        {
            List = new() { Item = Projections.Item.With("Category", static ticket => ticket.Category == "" ? null : ticket.Category) },
            Traces = [Trace.Null("tickets[*].category")],
            Causes = [Cause.EmptyToNull],
        },
    ];

    /// <summary>Runs here, on what was read: a value that must be there.</summary>
    private static DateTime Required(DateTime value) => value;
}
