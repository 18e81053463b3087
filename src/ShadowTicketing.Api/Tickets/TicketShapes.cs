using ShadowTicketing.Shadowing.Diagnosing;
using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Tickets;

/// <summary>The class of each request, known before it runs, and what of it may be kept.</summary>
internal static class TicketShapes
{
    /// <summary>Names of states and roles: they say nothing about anybody.</summary>
    private static readonly HashSet<string> Words =
    [
        "", "open", "in_progress", "resolved", "closed", "low", "medium", "high", "urgent", "general", "bug", "feature_request", "technical_support",
        "user", "admin", "superadmin",
    ];

    public static readonly Disclosure Discloses = new(Words, new HashSet<string> { "asOf" });

    public static string Of(ListTickets request) => Join(
        Role(request.Caller),
        request.All ? "all" : null,
        string.IsNullOrEmpty(request.Status) ? null : "status",
        string.IsNullOrEmpty(request.Priority) ? null : "priority",
        request.AssignedTo is null ? null : "assignee",
        request.Page switch { 1 => "page 1", 2 => "page 2", _ => "page 3+" });

    public static string Of(GetTicket request) => Role(request.Caller);

    public static string Of(GetStats request) => Join(Role(request.Caller), request.Timeframe switch
    {
        Timeframe.Week => "7d",
        Timeframe.Month => "30d",
        Timeframe.Quarter => "90d",
        _ => "1y",
    });

    public static string Of(CreateTicket request) =>
        Join(Role(request.Caller), request.Priority is null ? null : "priority", request.Category is null ? null : "category");

    public static string Of(UpdateTicket request) => Join(
        Role(request.Caller),
        request.Status is null ? null : "status",
        request.Priority is null ? null : "priority",
        request.AssignedTo is null ? null : "assignee",
        request.Resolution is null ? null : "resolution");

    public static string Of(DeleteTicket request) => Role(request.Caller);

    public static string Of(AddComment request) => Join(Role(request.Caller), request.IsInternal ? "internal" : null);

    private static string Role(Caller caller) => caller.IsStaff ? "staff" : "user";

    private static string Join(params string?[] parts) => string.Join(" / ", parts.OfType<string>());
}
