namespace Ticketing;

/// <summary>Whether the caller may do what was asked. A missing ticket is reported as not found before anything is forbidden.</summary>
public enum TicketAccess
{
    /// <summary>The ticket was changed or is shown.</summary>
    Granted,

    /// <summary>There is no such ticket.</summary>
    NotFound,

    /// <summary>The ticket belongs to another user, or the change needs staff.</summary>
    Forbidden,
}

/// <summary>A row of <c>support_tickets</c>, every column. As in the table, times have no zone and six fractional digits.</summary>
public sealed record Ticket(
    int Id,
    int UserId,
    string Subject,
    string Description,
    string? Status,
    string? Priority,
    string? Category,
    int? AssignedTo,
    string? Resolution,
    DateTime? ResolvedAt,
    DateTime? CreatedAt,
    DateTime? UpdatedAt);

/// <summary>A ticket in a list.</summary>
/// <param name="CommentCount">All comments, including internal ones.</param>
/// <param name="OwnerFirstName">The owner's and assignee's names are read in the staff list only; null in a caller's own list.</param>
public sealed record TicketListItem(
    int Id,
    int UserId,
    string Subject,
    string Description,
    string? Status,
    string? Priority,
    string? Category,
    int? AssignedTo,
    string? Resolution,
    DateTime? ResolvedAt,
    DateTime? CreatedAt,
    DateTime? UpdatedAt,
    long CommentCount,
    string? OwnerFirstName = null,
    string? OwnerLastName = null,
    string? OwnerEmail = null,
    string? AssigneeFirstName = null,
    string? AssigneeLastName = null);

/// <summary>A page of tickets.</summary>
/// <param name="Total">All tickets that match the filters, counted by a statement of its own.</param>
public sealed record TicketPage(IReadOnlyList<TicketListItem> Tickets, long Total, int Page, int Limit);

/// <summary>A ticket with its owner, its assignee and its comments.</summary>
public sealed record TicketDetail(
    int Id,
    int UserId,
    string Subject,
    string Description,
    string? Status,
    string? Priority,
    string? Category,
    int? AssignedTo,
    string? Resolution,
    DateTime? ResolvedAt,
    DateTime? CreatedAt,
    DateTime? UpdatedAt,
    string OwnerFirstName,
    string OwnerLastName,
    string OwnerEmail,
    string? AssigneeFirstName,
    string? AssigneeLastName,
    IReadOnlyList<TicketComment> Comments);

/// <summary>A comment and its author; the author's members are null where the author's row is deleted.</summary>
public sealed record TicketComment(
    int Id,
    int TicketId,
    int UserId,
    string Comment,
    bool? IsInternal,
    DateTime? CreatedAt,
    string? AuthorFirstName,
    string? AuthorLastName,
    string? AuthorRole);

/// <summary>The answer to <see cref="GetTicket"/>.</summary>
/// <param name="Ticket">Null unless granted.</param>
public sealed record TicketAnswer(TicketAccess Access, TicketDetail? Ticket);

/// <summary>The answer to <see cref="UpdateTicket"/>.</summary>
/// <param name="Ticket">The row as stored; null unless granted.</param>
public sealed record TicketChange(TicketAccess Access, Ticket? Ticket);

/// <summary>The answer to <see cref="DeleteTicket"/>.</summary>
public sealed record TicketDeletion(TicketAccess Access);

/// <summary>The answer to <see cref="AddComment"/>.</summary>
/// <param name="Comment">The comment as stored; null unless granted.</param>
public sealed record CommentAnswer(TicketAccess Access, TicketComment? Comment);

/// <summary>Statistics of a timeframe.</summary>
/// <param name="ByStatus">Ordered by status, NULL last.</param>
/// <param name="ByPriority">high, medium, low, then all others; urgent comes among the others because the legacy CASE omits it.</param>
/// <param name="ByCategory">Most tickets first, no tie-break.</param>
/// <param name="ByDay">Latest day first.</param>
/// <param name="TopUsers">Ten at most, most tickets first, no tie-break.</param>
/// <param name="AverageHoursToResolve">Null where nothing was resolved.</param>
public sealed record TicketStats(
    StatsTotals Totals,
    IReadOnlyList<CountOf> ByStatus,
    IReadOnlyList<CountOf> ByPriority,
    IReadOnlyList<CountOf> ByCategory,
    IReadOnlyList<CountOfDay> ByDay,
    IReadOnlyList<CountOfUser> TopUsers,
    decimal? AverageHoursToResolve);

/// <summary>Totals of a timeframe; a ticket of NULL or unknown status is in <see cref="Total"/> only.</summary>
public sealed record StatsTotals(long Total, long Open, long InProgress, long Resolved, long Closed);

/// <summary>How many tickets have a value; null is a value.</summary>
public sealed record CountOf(string? Value, long Count);

/// <summary>How many tickets were created on a day.</summary>
public sealed record CountOfDay(DateOnly Day, long Count);

/// <summary>How many tickets a user opened.</summary>
public sealed record CountOfUser(int UserId, string FirstName, string LastName, string Email, long Count);
