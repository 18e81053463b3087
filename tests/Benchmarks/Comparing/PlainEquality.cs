using Ticketing;

namespace Benchmarks.Comparing;

/// <summary>The peer: equality written out by hand, as fast as C# is. It says whether two answers are equal, and nothing else.</summary>
internal static class PlainEquality
{
    public static bool Same(TicketPage one, TicketPage other) =>
        one.Total == other.Total && one.Page == other.Page && one.Limit == other.Limit && Same(one.Tickets, other.Tickets);

    public static bool Same(IReadOnlyList<TicketListItem> one, IReadOnlyList<TicketListItem> other)
    {
        if (one.Count != other.Count) return false;
        for (var i = 0; i < one.Count; i++)
        {
            if (!Same(one[i], other[i])) return false;
        }

        return true;
    }

    public static bool Same(TicketAnswer one, TicketAnswer other) =>
        one.Access == other.Access && (one.Ticket, other.Ticket) is ({ } left, { } right) && Same(left, right);

    private static bool Same(TicketListItem one, TicketListItem other) =>
        one.Id == other.Id && one.UserId == other.UserId && one.Subject == other.Subject && one.Description == other.Description
        && one.Status == other.Status && one.Priority == other.Priority && one.Category == other.Category
        && one.AssignedTo == other.AssignedTo && one.Resolution == other.Resolution && one.ResolvedAt == other.ResolvedAt
        && one.CreatedAt == other.CreatedAt && one.UpdatedAt == other.UpdatedAt && one.CommentCount == other.CommentCount
        && one.OwnerFirstName == other.OwnerFirstName && one.OwnerLastName == other.OwnerLastName && one.OwnerEmail == other.OwnerEmail
        && one.AssigneeFirstName == other.AssigneeFirstName && one.AssigneeLastName == other.AssigneeLastName;

    private static bool Same(TicketDetail one, TicketDetail other)
    {
        var isSame = one.Id == other.Id && one.UserId == other.UserId && one.Subject == other.Subject && one.Description == other.Description
            && one.Status == other.Status && one.Priority == other.Priority && one.Category == other.Category
            && one.AssignedTo == other.AssignedTo && one.Resolution == other.Resolution && one.ResolvedAt == other.ResolvedAt
            && one.CreatedAt == other.CreatedAt && one.UpdatedAt == other.UpdatedAt && one.OwnerFirstName == other.OwnerFirstName
            && one.OwnerLastName == other.OwnerLastName && one.OwnerEmail == other.OwnerEmail
            && one.AssigneeFirstName == other.AssigneeFirstName && one.AssigneeLastName == other.AssigneeLastName
            && one.Comments.Count == other.Comments.Count;
        for (var i = 0; isSame && i < one.Comments.Count; i++) isSame = Same(one.Comments[i], other.Comments[i]);
        return isSame;
    }

    private static bool Same(TicketComment one, TicketComment other) =>
        one.Id == other.Id && one.TicketId == other.TicketId && one.UserId == other.UserId && one.Comment == other.Comment
        && one.IsInternal == other.IsInternal && one.CreatedAt == other.CreatedAt && one.AuthorFirstName == other.AuthorFirstName
        && one.AuthorLastName == other.AuthorLastName && one.AuthorRole == other.AuthorRole;
}
