namespace Ticketing.Api.Tests.Parity;

/// <summary>Says that two answers are the same, where rows that sort alike may come in any order.</summary>
internal static class SameAnswer
{
    /// <summary>
    /// Ties at the edge of a page may be cut differently, so each row must be the row it claims to be, the sort keys must agree, and
    /// groups that do not touch an edge must hold the same rows.
    /// </summary>
    public static void Page(TicketPage control, TicketPage candidate, IReadOnlyDictionary<int, TicketListItem> rows)
    {
        Assert.Equal((control.Total, control.Page, control.Limit), (candidate.Total, candidate.Page, candidate.Limit));
        Assert.Equal(control.Tickets.Select(ticket => ticket.CreatedAt), candidate.Tickets.Select(ticket => ticket.CreatedAt));
        Assert.All(control.Tickets.Concat(candidate.Tickets), ticket => Assert.Equal(rows[ticket.Id], ticket));
        Assert.Distinct(candidate.Tickets.Select(ticket => ticket.Id));
        if (control.Tickets.Count == 0) return;
        var (first, last) = (control.Tickets[0].CreatedAt, control.Tickets[^1].CreatedAt);
        var inside = (TicketPage page) => page.Tickets.Where(ticket => ticket.CreatedAt != first && ticket.CreatedAt != last).ToHashSet();
        Assert.Equal(inside(control), inside(candidate));
    }

    public static void Detail(TicketAnswer control, TicketAnswer candidate)
    {
        Assert.Equal(control.Access, candidate.Access);
        Assert.Equal(WithoutComments(control), WithoutComments(candidate));
        if (control.Ticket is not { Comments: { } comments }) return;
        var others = candidate.Ticket!.Comments;
        Assert.Equal(comments.Select(comment => comment.CreatedAt), others.Select(comment => comment.CreatedAt));
        Assert.Equal(comments.Count, others.Count);
        Assert.Equal(comments.ToHashSet(), others.ToHashSet());
    }

    public static void Statistics(TicketStats control, TicketStats candidate)
    {
        Assert.Equal(control.Totals, candidate.Totals);
        Assert.Equal(control.AverageHoursToResolve, candidate.AverageHoursToResolve);
        Assert.Equal(Scale(control.AverageHoursToResolve), Scale(candidate.AverageHoursToResolve));
        Assert.Equal(control.ByStatus, candidate.ByStatus);
        Assert.Equal(control.ByDay, candidate.ByDay);
        Assert.Equal(control.ByPriority.TakeWhile(IsRanked), candidate.ByPriority.TakeWhile(IsRanked));
        Assert.Equal(control.ByPriority.ToHashSet(), candidate.ByPriority.ToHashSet());
        Assert.Equal(control.ByCategory.Select(category => category.Count), candidate.ByCategory.Select(category => category.Count));
        Assert.Equal(control.ByCategory.ToHashSet(), candidate.ByCategory.ToHashSet());
        Assert.Equal(control.TopUsers.Select(user => user.Count), candidate.TopUsers.Select(user => user.Count));
        Assert.Equal(AboveTheEdge(control), AboveTheEdge(candidate));
    }

    private static TicketDetail? WithoutComments(TicketAnswer answer) => answer.Ticket is { } ticket ? ticket with { Comments = [] } : null;

    private static bool IsRanked(CountOf priority) => priority.Value is "high" or "medium" or "low";

    private static int Scale(decimal? number) => number is { } value ? value.Scale : -1;

    private static HashSet<CountOfUser> AboveTheEdge(TicketStats stats) =>
        [.. stats.TopUsers.Where(user => stats.TopUsers.Count < 10 || user.Count > stats.TopUsers[^1].Count)];
}
