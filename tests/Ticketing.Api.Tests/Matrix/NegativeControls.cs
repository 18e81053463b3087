namespace Ticketing.Api.Tests.Matrix;

/// <summary>Other ways to write the same: nothing may be reported.</summary>
internal static class NegativeControls
{
    private static readonly int[] Nobody = [];

#pragma warning disable CA1309, CA2251 // It runs in the database, and the long way round is the point.
    public static IEnumerable<CatalogueFault> All { get; } =
    [
        new("36", "tie-break-added", "order without tie-break → with the key behind it") { List = new() { Order = static tickets =>
            tickets.OrderByDescending(ticket => ticket.CreatedAt).ThenBy(ticket => ticket.Id) } },
        new("36", "tie-break-added-to-comments", "order without tie-break → with the key behind it") { Get = new() { Order = static comments =>
            comments.OrderBy(comment => comment.CreatedAt).ThenByDescending(comment => comment.Id) } },
        new("decimal avg", "average-apart", "avg of numeric → the same as a statement of its own") { Stats = new() },
        new("string.Compare", "string-compare", "status = @s → string.Compare(…) == 0") { List = new() { ByStatus = static (tickets, request) =>
            string.IsNullOrEmpty(request.Status) ? tickets : tickets.Where(ticket => string.Compare(ticket.Status, request.Status) == 0) } },
        new("empty-list Contains", "none-excluded", "no condition → !Contains of an empty list") { List = new() { From = static (context, _) =>
            context.Tickets.Where(ticket => !Nobody.Contains(ticket.UserId)) } },
        new("infinity timestamps", "infinity-in-lists", "-infinity and infinity in the rows, on both sides") { List = new() },
        new("infinity timestamps", "infinity-in-tickets", "-infinity and infinity in the rows, on both sides") { Get = new() },
        new("infinity timestamps", "infinity-in-statistics", "-infinity and infinity in the rows, on both sides") { Stats = new() },
    ];
#pragma warning restore CA1309, CA2251
}
