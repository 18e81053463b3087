namespace Ticketing.Dapper;

public sealed partial class DapperTicketStore
{
    private const string OwnTickets =
        $"""
        SELECT {TicketColumns}, COUNT(c.id) AS CommentCount,
               NULL::varchar AS OwnerFirstName, NULL::varchar AS OwnerLastName, NULL::varchar AS OwnerEmail,
               NULL::varchar AS AssigneeFirstName, NULL::varchar AS AssigneeLastName
        FROM support_tickets t
        LEFT JOIN ticket_comments c ON c.ticket_id = t.id
        """;

    private const string AllTickets =
        $"""
        SELECT {TicketColumns}, COUNT(c.id) AS CommentCount,
               u.first_name AS OwnerFirstName, u.last_name AS OwnerLastName, u.email AS OwnerEmail,
               a.first_name AS AssigneeFirstName, a.last_name AS AssigneeLastName
        FROM support_tickets t
        JOIN users u ON u.id = t.user_id
        LEFT JOIN users a ON a.id = t.assigned_to
        LEFT JOIN ticket_comments c ON c.ticket_id = t.id
        """;

    private const string OwnPage = "GROUP BY t.id ORDER BY t.created_at DESC LIMIT @Limit OFFSET @Offset";

    private const string AllPage =
        """
        GROUP BY t.id, u.first_name, u.last_name, u.email, a.first_name, a.last_name
        ORDER BY t.created_at DESC LIMIT @Limit OFFSET @Offset
        """;

    private const string CountTickets = "SELECT COUNT(*) FROM support_tickets t";

    private const string TicketById =
        $"""
        SELECT {TicketColumns}, u.first_name AS OwnerFirstName, u.last_name AS OwnerLastName, u.email AS OwnerEmail,
               a.first_name AS AssigneeFirstName, a.last_name AS AssigneeLastName
        FROM support_tickets t
        JOIN users u ON u.id = t.user_id
        LEFT JOIN users a ON a.id = t.assigned_to
        WHERE t.id = @TicketId
        """;

    private const string CommentsWithAuthors =
        """
        SELECT c.id, c.ticket_id AS TicketId, c.user_id AS UserId, c.comment, c.is_internal AS IsInternal, c.created_at AS CreatedAt,
               u.first_name AS AuthorFirstName, u.last_name AS AuthorLastName, u.role AS AuthorRole
        FROM ticket_comments c
        LEFT JOIN users u ON u.id = c.user_id
        """;

    private const string CommentsOfTicket =
        $"""
        {CommentsWithAuthors}
        WHERE c.ticket_id = @TicketId AND (@IsStaff OR c.is_internal IS NOT TRUE)
        ORDER BY c.created_at ASC
        """;

    /// <inheritdoc/>
    public async Task<TicketPage> ListAsync(ListTickets request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var where = Where(request);
        var parameters = new
        {
            request.Caller.UserId,
            request.Status,
            request.Priority,
            request.AssignedTo,
            request.Limit,
            Offset = (request.Page - 1L) * request.Limit,
        };
        var page = request.All ? $"{AllTickets} {where} {AllPage}" : $"{OwnTickets} {where} {OwnPage}";
        var tickets = await QueryAsync<TicketListItem>(page, parameters, cancellationToken);
        var total = await SingleAsync<long>($"{CountTickets} {where}", parameters, cancellationToken);
        return new(tickets, total, request.Page, request.Limit);
    }

    /// <inheritdoc/>
    public async Task<TicketAnswer> GetAsync(GetTicket request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var parameters = new { request.TicketId, request.Caller.IsStaff };
        var row = await SingleOrDefaultAsync<TicketWithPeople>(TicketById, parameters, cancellationToken);
        if (row is null) return new(TicketAccess.NotFound, null);
        if (!request.Caller.IsStaff && row.UserId != request.Caller.UserId) return new(TicketAccess.Forbidden, null);
        var comments = await QueryAsync<TicketComment>(CommentsOfTicket, parameters, cancellationToken);
        return new(TicketAccess.Granted, row.With(comments));
    }

    private static string Where(ListTickets request)
    {
        List<string> conditions = [];
        if (!request.All) conditions.Add("t.user_id = @UserId");
        if (!string.IsNullOrEmpty(request.Status)) conditions.Add("t.status = @Status");
        if (!string.IsNullOrEmpty(request.Priority)) conditions.Add("t.priority = @Priority");
        if (request is { All: true, AssignedTo: not null }) conditions.Add("t.assigned_to = @AssignedTo");
        return conditions.Count == 0 ? "" : $"WHERE {string.Join(" AND ", conditions)}";
    }

    private sealed record TicketWithPeople(
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
        string? AssigneeLastName)
    {
        public TicketDetail With(IReadOnlyList<TicketComment> comments) =>
            new(Id, UserId, Subject, Description, Status, Priority, Category, AssignedTo, Resolution, ResolvedAt, CreatedAt, UpdatedAt,
                OwnerFirstName, OwnerLastName, OwnerEmail, AssigneeFirstName, AssigneeLastName, comments);
    }
}
