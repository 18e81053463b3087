namespace Ticketing;

/// <summary>The seven operations on tickets, at the seam where the two sides are compared: typed, below caches and serialisation.</summary>
/// <remarks>
/// A store is built over one <see cref="TicketSession"/> and lives as long as one operation. It enforces who may see and change what,
/// because the hand-written SQL does; validation of input has happened before.
/// </remarks>
public interface ITicketStore
{
    /// <summary>One page of tickets, newest first; ties on the creation time come in no particular order.</summary>
    Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken);

    /// <summary>One ticket with its comments, oldest first. Internal comments are for staff only.</summary>
    Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken);

    /// <summary>Opens a ticket for the caller; what was not given takes the column's default.</summary>
    Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken);

    /// <summary>
    /// Changes what the request names and bumps <c>updated_at</c>; <c>resolved_at</c> is set only on a transition into resolved.
    /// </summary>
    Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes a ticket and, by cascade, its comments. Staff only; a ticket that does not exist is not found before it is forbidden.
    /// </summary>
    Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken);

    /// <summary>
    /// Adds a comment and touches the ticket in one transaction: the comment's creation time equals the ticket's update time.
    /// </summary>
    Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken);

    /// <summary>Counts over the tickets created within the timeframe that ends at the request's instant.</summary>
    Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken);
}
