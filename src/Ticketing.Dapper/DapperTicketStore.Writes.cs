namespace Ticketing.Dapper;

public sealed partial class DapperTicketStore
{
    private const string OwnerOfTicket = "SELECT t.user_id FROM support_tickets t WHERE t.id = @TicketId";

    private const string DeleteTicketById = "DELETE FROM support_tickets WHERE id = @TicketId";

    private const string InsertComment =
        """
        INSERT INTO ticket_comments (ticket_id, user_id, comment, is_internal) VALUES (@TicketId, @UserId, @Text, @IsInternal)
        RETURNING id
        """;

    private const string TouchTicket = "UPDATE support_tickets SET updated_at = CURRENT_TIMESTAMP WHERE id = @TicketId";

    private const string CommentById = $"{CommentsWithAuthors} WHERE c.id = @CommentId";

    // Without the cast the CASE would be a timestamptz, and the time kept would go through the session's zone and back.
    private const string ResolveTicket =
        """
        resolved_at = CASE WHEN t.status IS DISTINCT FROM 'resolved' THEN CURRENT_TIMESTAMP::timestamp ELSE t.resolved_at END
        """;

    /// <inheritdoc/>
    public Task<Ticket> CreateAsync(CreateTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var priority = request.Priority is null ? "DEFAULT" : "@Priority";
        var category = request.Category is null ? "DEFAULT" : "@Category";
        return SingleAsync<Ticket>(
            $"""
            INSERT INTO support_tickets AS t (user_id, subject, description, priority, category)
            VALUES (@UserId, @Subject, @Description, {priority}, {category})
            RETURNING {TicketColumns}
            """,
            new { request.Caller.UserId, request.Subject, request.Description, request.Priority, request.Category },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<TicketChange> UpdateAsync(UpdateTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var access = await AccessAsync(request.TicketId, request.Caller, cancellationToken);
        if (access is TicketAccess.Granted && request.AssignedTo is not null && !request.Caller.IsStaff) access = TicketAccess.Forbidden;
        if (access is not TicketAccess.Granted) return new(access, null);
        var parameters = new
        {
            request.TicketId,
            request.Status,
            request.Priority,
            AssignedTo = request.AssignedTo?.Value,
            Resolution = request.Resolution?.Value,
        };
        var ticket = await SingleOrDefaultAsync<Ticket>(
            $"UPDATE support_tickets t SET {Assignments(request)} WHERE t.id = @TicketId RETURNING {TicketColumns}",
            parameters,
            cancellationToken);
        return new(ticket is null ? TicketAccess.NotFound : TicketAccess.Granted, ticket);
    }

    /// <inheritdoc/>
    public async Task<TicketDeletion> DeleteAsync(DeleteTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!request.Caller.IsStaff)
        {
            var owner = await SingleOrDefaultAsync<int?>(OwnerOfTicket, new { request.TicketId }, cancellationToken);
            return new(owner is null ? TicketAccess.NotFound : TicketAccess.Forbidden);
        }

        var deleted = await ExecuteAsync(DeleteTicketById, new { request.TicketId }, cancellationToken);
        return new(deleted == 0 ? TicketAccess.NotFound : TicketAccess.Granted);
    }

    /// <inheritdoc/>
    public async Task<CommentAnswer> CommentAsync(AddComment request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var access = await AccessAsync(request.TicketId, request.Caller, cancellationToken);
        if (access is not TicketAccess.Granted) return new(access, null);

        await using var transaction = await session.BeginAsync(cancellationToken);
        var parameters = new
        {
            request.TicketId,
            request.Caller.UserId,
            request.Text,
            IsInternal = request.IsInternal && request.Caller.IsStaff,
        };
        var commentId = await SingleAsync<int>(InsertComment, parameters, cancellationToken);
        await ExecuteAsync(TouchTicket, parameters, cancellationToken);
        var comment = await SingleAsync<TicketComment>(CommentById, new { CommentId = commentId }, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new(TicketAccess.Granted, comment);
    }

    private async Task<TicketAccess> AccessAsync(int ticketId, Caller caller, CancellationToken cancellationToken)
    {
        var owner = await SingleOrDefaultAsync<int?>(OwnerOfTicket, new { TicketId = ticketId }, cancellationToken);
        if (owner is null) return TicketAccess.NotFound;
        return caller.IsStaff || owner == caller.UserId ? TicketAccess.Granted : TicketAccess.Forbidden;
    }

    private static string Assignments(UpdateTicket request)
    {
        List<string> assignments = ["updated_at = CURRENT_TIMESTAMP"];
        if (request.Status is not null) assignments.Add("status = @Status");
        if (request.Status is "resolved") assignments.Add(ResolveTicket);
        if (request.Priority is not null) assignments.Add("priority = @Priority");
        if (request.AssignedTo is not null) assignments.Add("assigned_to = @AssignedTo");
        if (request.Resolution is not null) assignments.Add("resolution = @Resolution");
        return string.Join(", ", assignments);
    }
}
