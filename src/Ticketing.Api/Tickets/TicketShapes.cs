using Shadowing.Experiments;

namespace Ticketing.Api.Tickets;

/// <summary>The shape of each request, known before it runs, and which of its texts may be kept.</summary>
internal static class TicketShapes
{
    /// <summary>Names of states and roles, which are not personal data.</summary>
    private static readonly HashSet<string> Words =
    [
        "", "open", "in_progress", "resolved", "closed", "low", "medium", "high", "urgent", "general", "bug", "feature_request",
        "technical_support",
        "user", "admin", "superadmin",
    ];

    public static readonly Disclosure Discloses = new(Words, new HashSet<string> { "asOf" });

    /// <summary>Stands for all callers who are staff.</summary>
    public static readonly Caller AnyStaff = new(0, "admin");

    // Read on the caller's own flow for every request. Built once, so that it costs only a lookup.
    private static readonly string[] Lists =
    [
        .. from bits in Enumerable.Range(0, 32)
           from page in new[] { "page 1", "page 2", "page 3+" }
           select Join(
               (bits & 1) != 0 ? "staff" : "user", (bits & 2) != 0 ? "all" : null, (bits & 4) != 0 ? "status" : null,
               (bits & 8) != 0 ? "priority" : null, (bits & 16) != 0 ? "assignee" : null, page),
    ];

    public static string ShapeOf(ListTickets request) => Lists[
        (3 * ((request.Caller.IsStaff ? 1 : 0) + (request.All ? 2 : 0) + (string.IsNullOrEmpty(request.Status) ? 0 : 4)
            + (string.IsNullOrEmpty(request.Priority) ? 0 : 8) + (request.AssignedTo is null ? 0 : 16)))
        + Math.Clamp(request.Page - 1, 0, 2)];

    public static string ShapeOf(GetTicket request) => Role(request.Caller);

    public static string ShapeOf(GetStats request) => (request.Caller.IsStaff, request.Timeframe) switch
    {
        (true, Timeframe.Week) => "staff / 7d",
        (true, Timeframe.Month) => "staff / 30d",
        (true, Timeframe.Quarter) => "staff / 90d",
        (true, _) => "staff / 1y",
        _ => "user",
    };

    public static string ShapeOf(CreateTicket request) =>
        Join(Role(request.Caller), request.Priority is null ? null : "priority", request.Category is null ? null : "category");

    public static string ShapeOf(UpdateTicket request) => Join(
        Role(request.Caller),
        request.Status is null ? null : "status",
        request.Priority is null ? null : "priority",
        request.AssignedTo is null ? null : "assignee",
        request.Resolution is null ? null : "resolution");

    public static string ShapeOf(DeleteTicket request) => Role(request.Caller);

    public static string ShapeOf(AddComment request) => Join(Role(request.Caller), request.IsInternal ? "internal" : null);

    private static string Role(Caller caller) => caller.IsStaff ? "staff" : "user";

    private static string Join(params string?[] parts) => string.Join(" / ", parts.OfType<string>());
}
