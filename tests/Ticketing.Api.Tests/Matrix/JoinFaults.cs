using Microsoft.EntityFrameworkCore;
using Shadowing.Diagnosing;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Joins and shape: lines 27 to 40.</summary>
internal static class JoinFaults
{
    private const string Comments = "ticket.comments[*]";

    public static IEnumerable<CatalogueFault> All { get; } =
    [
        new("27a", "inner-joined-page", "LEFT JOIN → INNER JOIN, on the page only: total ≠ tickets")
        {
            List = new() { Cut = static (context, tickets, request) =>
            {
                var page = tickets.Skip(ListRecipe.Offset(request)).Take(request.Limit);
                return request.All ? Assigned(page, context) : page;
            } },
            Traces = [Trace.MissingTicket],
            Causes = [Cause.InnerJoin],
        },
        new("27b", "inner-joined-list", "LEFT JOIN → INNER JOIN, in the page and in the count")
        {
            List = new() { From = static (context, request) => request.All ? Assigned(context.Tickets, context) : context.Tickets },
            Traces = [Trace.Total, Trace.MissingTicket, Trace.ExtraTicket],
            Causes = [Cause.InnerJoin],
        },
        new("28", "filtered-author", "query filter on an optional relation: its members are NULL")
        {
            Get = new() { Authors = static context => context.Users.Where(user => user.Role == "user") },
            Traces = [Trace.Null($"{Comments}.authorFirstName"), Trace.Null($"{Comments}.authorLastName"), Trace.Null($"{Comments}.authorRole")],
            Causes = [Cause.LostNavigation],
        },
        new("29a", "internal-comments-shown", "the filter on internal comments is missing")
        {
            Get = new() { Visible = static (comments, _) => comments },
            Traces = [new(Comments, "extra_row")],
            Causes = [Cause.AccessFilterLost],
            IsCritical = true,
        },
        new("29b", "everybodys-list", "the filter on the owner is missing in the list")
        {
            List = new() { ByOwner = static (tickets, _) => tickets },
            Traces = [Trace.ExtraTicket, Trace.MissingTicket, Trace.Total],
            Causes = [Cause.AccessFilterLost],
            IsCritical = true,
        },
        new("29c", "everybodys-ticket", "the check of the owner is missing for one ticket")
        {
            Get = new() { MaySee = static (_, _) => true },
            Traces = [Trace.Value("access"), Trace.Null("ticket")],
            Causes = [Cause.AccessFilterLost],
            IsCritical = true,
        },
        new("30a", "multiplied-total", "count(distinct) → count over a join")
        {
            List = new() { Count = static (tickets, cancellationToken) =>
                tickets.SelectMany(ticket => ticket.Comments.DefaultIfEmpty()).LongCountAsync(cancellationToken) },
            Traces = [Trace.Total],
            Causes = [Cause.MultipliedRows],
        },
        new("30b", "filtered-count", "comment_count over all → over a filtered collection")
        {
            List = new() { Item = Projections.Item.With("CommentCount", static ticket => ticket.Comments.LongCount(comment => comment.IsInternal != true)) },
            Traces = [Trace.Value("tickets[*].commentCount")],
            Causes = [Cause.FilteredCount],
        },
        new("32", "comments-by-key", "ordered children → the collection's own order")
        {
            Get = new() { Order = static comments => comments.OrderBy(comment => comment.Id) },
            Traces = [new("ticket.comments", "order")],
            Causes = [Cause.DroppedOrder],
        },
        new("33", "no-include", "the collection is not loaded: empty")
        {
            Get = new() { LoadsComments = false },
            Traces = [new(Comments, "missing_row")],
            Causes = [Cause.MissingInclude],
        },
        new("34", "looped-loading", "one statement → one more for each row")
        {
            List = new() { Each = static async (context, ticket, cancellationToken) => ticket with
            {
                CommentCount = await context.Comments.LongCountAsync(comment => comment.TicketId == ticket.Id, cancellationToken),
            } },
            Traces = [new("", "statements")],
            Causes = [Cause.NPlusOne],
        },
        new("35a", "single-of-several", "LIMIT 1 → SingleOrDefault over a join")
        {
            Get = new() { From = static context => context.Tickets.SelectMany(ticket => ticket.Comments.DefaultIfEmpty(), (ticket, _) => ticket) },
            Traces = [Trace.Failure],
            Causes = [Cause.SecondRowThrows],
        },
        new("35b", "first-of-none", "no row is not found → First()")
        {
            Get = new() { One = static async (tickets, cancellationToken) => await tickets.FirstAsync(cancellationToken) },
            Traces = [Trace.Failure],
            Causes = [Cause.NoRowThrows],
        },
        new("40a", "page-off-by-one", "(page - 1) * size → page * size")
        {
            List = new() { Cut = static (_, tickets, request) =>
                tickets.Skip((int)Math.Min((long)request.Page * request.Limit, int.MaxValue)).Take(request.Limit) },
            Traces = [Trace.MissingTicket, Trace.ExtraTicket],
            Causes = [Cause.PageOffByOne],
        },
        new("40b", "skip-before-filter", "WHERE … OFFSET → Skip before Where")
        {
            List = new() { Page = static (parts, context, request) =>
                parts.Filter(parts.Order(context.Tickets).Skip(ListRecipe.Offset(request)), request).Take(request.Limit) },
            Traces = [Trace.ExtraTicket, Trace.MissingTicket],
            Causes = [Cause.PagingBeforeFilter, Cause.PageOffByOne],
        },
    ];

    private static IQueryable<TicketRow> Assigned(IQueryable<TicketRow> tickets, TicketingContext context) =>
        tickets.Join(context.Users, ticket => ticket.AssignedTo, user => user.Id, (ticket, _) => ticket);
}
