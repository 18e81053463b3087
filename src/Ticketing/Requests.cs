namespace Ticketing;

/// <summary>Who asks: the row of <c>users</c> that the request was authenticated as.</summary>
/// <param name="Role">
/// <c>user</c>, <c>admin</c> or <c>superadmin</c>; a NULL or unknown role in the table arrives here as <c>user</c>.
/// </param>
public sealed record Caller(int UserId, string Role)
{
    /// <summary>Admins and superadmins see and change every ticket.</summary>
    public bool IsStaff => Role is "admin" or "superadmin";
}

/// <summary>A page of tickets: the caller's own, or everybody's.</summary>
/// <param name="All">Every ticket rather than the caller's own; only ever set for staff.</param>
/// <param name="Status">Exact and case-sensitive; null or empty means no filter. Any text: the column is free.</param>
/// <param name="Priority">As for <paramref name="Status"/>.</param>
/// <param name="AssignedTo">A filter of the staff list; null means no filter.</param>
/// <param name="Page">From 1.</param>
/// <param name="Limit">Tickets a page, 1 to 100.</param>
public sealed record ListTickets(
    Caller Caller, bool All = false, string? Status = null, string? Priority = null, int? AssignedTo = null, int Page = 1, int Limit = 20);

/// <summary>One ticket by its id.</summary>
public sealed record GetTicket(Caller Caller, int TicketId);

/// <summary>A new ticket. Texts are trimmed and within their bounds already.</summary>
/// <param name="Priority">Null takes <c>medium</c>.</param>
/// <param name="Category">Null takes <c>general</c>.</param>
public sealed record CreateTicket(Caller Caller, string Subject, string Description, string? Priority = null, string? Category = null);

/// <summary>A change to a ticket. A null member is left as it is.</summary>
/// <param name="AssignedTo">Set to a user, or to null: unassigned. Staff only: anybody else is forbidden.</param>
/// <param name="Resolution">Set to a text, or to null.</param>
public sealed record UpdateTicket(
    Caller Caller, int TicketId, string? Status = null, string? Priority = null, SetTo<int?>? AssignedTo = null,
    SetTo<string?>? Resolution = null);

/// <summary>A value to be stored, where null is a value of its own and absence is the lack of this wrapper.</summary>
public readonly record struct SetTo<T>(T Value);

/// <summary>Removes a ticket.</summary>
public sealed record DeleteTicket(Caller Caller, int TicketId);

/// <summary>A comment on a ticket; allowed on closed tickets too.</summary>
/// <param name="IsInternal">Stored only if the caller is staff; anybody else's comment is public.</param>
public sealed record AddComment(Caller Caller, int TicketId, string Text, bool IsInternal = false);

/// <summary>The statistics of a timeframe.</summary>
/// <param name="AsOf">
/// The database's wall clock when the request arrived (<c>LOCALTIMESTAMP</c>, without zone): pinned once, so that both sides count the same
/// window.
/// </param>
public sealed record GetStats(Caller Caller, Timeframe Timeframe, DateTime AsOf);

/// <summary>How far back statistics look.</summary>
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
