namespace Ticketing.EntityFrameworkCore;

/// <summary>A row of <c>support_tickets</c>.</summary>
internal sealed class TicketRow
{
    public int Id { get; set; }

    public int UserId { get; set; }

    public string Subject { get; set; } = "";

    public string Description { get; set; } = "";

    public string? Status { get; set; }

    public string? Priority { get; set; }

    public string? Category { get; set; }

    public int? AssignedTo { get; set; }

    public string? Resolution { get; set; }

    public DateTime? ResolvedAt { get; set; }

    public DateTime? CreatedAt { get; set; }

    public DateTime? UpdatedAt { get; set; }

    public UserRow Owner { get; set; } = null!;

    public UserRow? Assignee { get; set; }

    public ICollection<CommentRow> Comments { get; } = [];
}

/// <summary>A row of <c>ticket_comments</c>.</summary>
internal sealed class CommentRow
{
    public int Id { get; set; }

    public int TicketId { get; set; }

    public int UserId { get; set; }

    public string Comment { get; set; } = "";

    public bool? IsInternal { get; set; }

    public DateTime? CreatedAt { get; set; }
}

/// <summary>What tickets need of a row of <c>users</c>, and nothing secret: the roles may read these columns only.</summary>
internal sealed class UserRow
{
    public int Id { get; set; }

    public string Email { get; set; } = "";

    public string FirstName { get; set; } = "";

    public string LastName { get; set; } = "";

    public string? Role { get; set; }
}
