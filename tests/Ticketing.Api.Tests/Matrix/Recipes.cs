using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The candidate's list cut into its parts, so that a fault replaces one and leaves the rest right.</summary>
internal sealed record ListRecipe
{
    public Func<TicketingContext, ListTickets, IQueryable<TicketRow>> From { get; init; } = static (context, _) => context.Tickets;

    public Func<IQueryable<TicketRow>, ListTickets, IQueryable<TicketRow>> ByOwner { get; init; } = static (tickets, request) =>
        request.All ? tickets : tickets.Where(ticket => ticket.UserId == request.Caller.UserId);

    public Func<IQueryable<TicketRow>, ListTickets, IQueryable<TicketRow>> ByStatus { get; init; } = static (tickets, request) =>
        string.IsNullOrEmpty(request.Status) ? tickets : tickets.Where(ticket => ticket.Status == request.Status);

    public Func<IQueryable<TicketRow>, ListTickets, IQueryable<TicketRow>> ByPriority { get; init; } = static (tickets, request) =>
        string.IsNullOrEmpty(request.Priority) ? tickets : tickets.Where(ticket => ticket.Priority == request.Priority);

    public Func<IQueryable<TicketRow>, IQueryable<TicketRow>> Order { get; init; } = static tickets =>
        tickets.OrderByDescending(ticket => ticket.CreatedAt);

    public Func<TicketingContext, IQueryable<TicketRow>, ListTickets, IQueryable<TicketRow>> Cut { get; init; } = static (_, tickets, request) =>
        tickets.Skip(Offset(request)).Take(request.Limit);

    /// <summary>The page out of all tickets, where the parts above come in another order.</summary>
    public Func<ListRecipe, TicketingContext, ListTickets, IQueryable<TicketRow>> Page { get; init; } = static (parts, context, request) =>
        parts.Cut(context, parts.Order(parts.Matching(context, request)), request);

    public Expression<Func<TicketRow, TicketListItem>> Item { get; init; } = Projections.Item;

    public Func<IQueryable<TicketRow>, CancellationToken, Task<long>> Count { get; init; } = static (tickets, cancellationToken) =>
        tickets.LongCountAsync(cancellationToken);

    /// <summary>What is loaded afterwards, row by row; nothing in the candidate.</summary>
    public Func<TicketingContext, TicketListItem, CancellationToken, Task<TicketListItem>>? Each { get; init; }

    public static int Offset(ListTickets request) => (int)Math.Min((request.Page - 1L) * request.Limit, int.MaxValue);

    public IQueryable<TicketRow> Matching(TicketingContext context, ListTickets request) => Filter(From(context, request), request);

    public IQueryable<TicketRow> Filter(IQueryable<TicketRow> tickets, ListTickets request)
    {
        tickets = ByPriority(ByStatus(ByOwner(tickets, request), request), request);
        return request is { All: true, AssignedTo: { } assignee } ? tickets.Where(ticket => ticket.AssignedTo == assignee) : tickets;
    }

    public async Task<TicketPage> RunAsync(TicketingContext context, ListTickets request, CancellationToken cancellationToken)
    {
        var tickets = await Page(this, context, request).Select(request.All ? Item : Item.WithoutPeople()).ToListAsync(cancellationToken);
        for (var i = 0; i < tickets.Count && Each is not null; i++) tickets[i] = await Each(context, tickets[i], cancellationToken);
        return new(tickets, await Count(Matching(context, request), cancellationToken), request.Page, request.Limit);
    }
}

/// <summary>The candidate's ticket with its comments, cut into its parts.</summary>
internal sealed record GetRecipe
{
    public Expression<Func<TicketRow, TicketDetail>> Detail { get; init; } = Projections.Detail;

    public Func<IQueryable<TicketDetail>, CancellationToken, Task<TicketDetail?>> One { get; init; } = static (tickets, cancellationToken) =>
        tickets.SingleOrDefaultAsync(cancellationToken);

    public Func<TicketingContext, IQueryable<TicketRow>> From { get; init; } = static context => context.Tickets;

    public Func<GetTicket, TicketDetail, bool> MaySee { get; init; } = static (request, ticket) =>
        request.Caller.IsStaff || ticket.UserId == request.Caller.UserId;

    public Func<IQueryable<CommentRow>, GetTicket, IQueryable<CommentRow>> Visible { get; init; } = static (comments, request) =>
        comments.Where(comment => request.Caller.IsStaff || comment.IsInternal != true);

    public Func<IQueryable<CommentRow>, IQueryable<CommentRow>> Order { get; init; } = static comments => comments.OrderBy(comment => comment.CreatedAt);

    public Func<TicketingContext, IQueryable<UserRow>> Authors { get; init; } = static context => context.Users;

    public bool LoadsComments { get; init; } = true;

    public async Task<TicketAnswer> RunAsync(TicketingContext context, GetTicket request, CancellationToken cancellationToken)
    {
        var ticket = await One(From(context).Where(ticket => ticket.Id == request.TicketId).Select(Detail), cancellationToken);
        if (ticket is null) return new(TicketAccess.NotFound, null);
        if (!MaySee(request, ticket)) return new(TicketAccess.Forbidden, null);
        if (!LoadsComments) return new(TicketAccess.Granted, ticket);
        var comments = Order(Visible(context.Comments.Where(comment => comment.TicketId == request.TicketId), request));
        return new(TicketAccess.Granted, ticket with { Comments = await Projections.WithAuthors(comments, Authors(context)).ToListAsync(cancellationToken) });
    }
}

/// <summary>The candidate's statistics, cut into their parts. Totals are added up from the statuses; the average is a statement of its own instead.</summary>
internal sealed record StatsRecipe
{
    public Func<GetStats, DateTime> Since { get; init; } = static request => DateTime.SpecifyKind(StartOf(request), DateTimeKind.Unspecified);

    public Func<IQueryable<TicketRow>, CancellationToken, Task<decimal?>> AverageHours { get; init; } = static (tickets, cancellationToken) =>
        tickets.Select(Projections.HoursToResolve).AverageAsync(cancellationToken);

    public Func<IQueryable<TicketRow>, CancellationToken, Task<List<CountOf>>> ByPriority { get; init; } = static (tickets, cancellationToken) =>
        tickets.GroupBy(ticket => ticket.Priority)
            .OrderBy(group => group.Key == "high" ? 1 : group.Key == "medium" ? 2 : group.Key == "low" ? 3 : (int?)null)
            .Select(group => new CountOf(group.Key, group.LongCount())).ToListAsync(cancellationToken);

    public Func<IQueryable<TicketRow>, CancellationToken, Task<List<CountOf>>> ByCategory { get; init; } = static (tickets, cancellationToken) =>
        tickets.GroupBy(ticket => ticket.Category)
            .OrderByDescending(group => group.LongCount())
            .Select(group => new CountOf(group.Key, group.LongCount())).ToListAsync(cancellationToken);

    public Expression<Func<TicketRow, DateOnly>> Day { get; init; } = static ticket => DateOnly.FromDateTime(ticket.CreatedAt!.Value);

    public static DateTime StartOf(GetStats request) => request.Timeframe switch
    {
        Timeframe.Week => request.AsOf.AddDays(-7),
        Timeframe.Month => request.AsOf.AddDays(-30),
        Timeframe.Quarter => request.AsOf.AddDays(-90),
        _ => request.AsOf.AddYears(-1),
    };

    public async Task<TicketStats> RunAsync(TicketingContext context, GetStats request, CancellationToken cancellationToken)
    {
        var since = Since(request);
        var tickets = context.Tickets.Where(ticket => ticket.CreatedAt > since);
        var statuses = await tickets.GroupBy(ticket => ticket.Status).OrderBy(group => group.Key)
            .Select(group => new CountOf(group.Key, group.LongCount())).ToListAsync(cancellationToken);
        var days = await tickets.GroupBy(Day).OrderByDescending(group => group.Key)
            .Select(group => new CountOfDay(group.Key, group.LongCount())).ToListAsync(cancellationToken);
        var users = await tickets.GroupBy(ticket => new { ticket.UserId, ticket.Owner.FirstName, ticket.Owner.LastName, ticket.Owner.Email })
            .OrderByDescending(group => group.LongCount()).Take(10)
            .Select(group => new CountOfUser(group.Key.UserId, group.Key.FirstName, group.Key.LastName, group.Key.Email, group.LongCount()))
            .ToListAsync(cancellationToken);
        return new(
            new(statuses.Sum(status => status.Count), Of("open"), Of("in_progress"), Of("resolved"), Of("closed")), statuses,
            await ByPriority(tickets, cancellationToken), await ByCategory(tickets, cancellationToken), days, users,
            await AverageHours(tickets, cancellationToken));

        long Of(string status) => statuses.SingleOrDefault(entry => entry.Value == status)?.Count ?? 0;
    }
}
