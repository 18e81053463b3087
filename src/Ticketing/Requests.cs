namespace Ticketing;

/// <summary>The caller: the row of <c>users</c> that the request was authenticated as.</summary>
/// <param name="Role">
/// <c>user</c>, <c>admin</c> or <c>superadmin</c>; a NULL or unknown role in the table counts as <c>user</c>.
/// </param>
public sealed record Caller(int UserId, string Role)
{
    /// <summary>Whether the caller is an admin or superadmin, who see and change every ticket.</summary>
    public bool IsStaff => Role is "admin" or "superadmin";
}

/// <summary>A page of tickets: the caller's own, or those of all users.</summary>
/// <param name="All">Every ticket rather than the caller's own; only ever set for staff.</param>
/// <param name="Status">Exact and case-sensitive; null or empty means no filter. Any text: the column has no constraint.</param>
/// <param name="Priority">As for <paramref name="Status"/>.</param>
/// <param name="AssignedTo">A filter of the staff list; null means no filter.</param>
/// <param name="Page">From 1.</param>
/// <param name="Limit">Tickets a page, 1 to 100.</param>
public sealed record ListTickets(
    Caller Caller, bool All = false, string? Status = null, string? Priority = null, int? AssignedTo = null, int Page = 1, int Limit = 20);

/// <summary>One ticket by its id.</summary>
public sealed record GetTicket(Caller Caller, int TicketId);

/// <summary>A new ticket. Its texts are already trimmed and within their bounds.</summary>
/// <param name="Priority">Null takes <c>medium</c>.</param>
/// <param name="Category">Null takes <c>general</c>.</param>
public sealed record CreateTicket(Caller Caller, string Subject, string Description, string? Priority = null, string? Category = null);

/// <summary>A change to a ticket. A null member leaves its column unchanged.</summary>
/// <param name="AssignedTo">Set to a user, or to null: unassigned. Staff only: other callers are forbidden.</param>
/// <param name="Resolution">Set to a text, or to null.</param>
public sealed record UpdateTicket(
    Caller Caller, int TicketId, string? Status = null, string? Priority = null, SetTo<int?>? AssignedTo = null,
    SetTo<string?>? Resolution = null);

/// <summary>A value to be stored, which may be null; without this wrapper the column is unchanged.</summary>
public readonly record struct SetTo<T>(T Value);

/// <summary>Removes a ticket.</summary>
public sealed record DeleteTicket(Caller Caller, int TicketId);

/// <summary>A comment on a ticket; allowed on closed tickets too.</summary>
/// <param name="IsInternal">Stored only if the caller is staff; the comment of another caller is public.</param>
public sealed record AddComment(Caller Caller, int TicketId, string Text, bool IsInternal = false);

/// <summary>The statistics of a timeframe.</summary>
/// <param name="AsOf">
/// The database's wall clock when the request arrived (<c>LOCALTIMESTAMP</c>, without zone). It is read once, so that both sides count the
/// same window.
/// </param>
public sealed record GetStats(Caller Caller, Timeframe Timeframe, DateTime AsOf);

/// <summary>The period that statistics cover.</summary>
public enum Timeframe
{
    /// <summary>7 days, written <c>7d</c>.</summary>
    Week,

    /// <summary>30 days, written <c>30d</c>.</summary>
    Month,

    /// <summary>90 days, written <c>90d</c>.</summary>
    Quarter,

    /// <summary>One year, written <c>1y</c>.</summary>
    Year,
}
