using System.Globalization;
using Shadowing.Comparison;
using Shadowing.Experiments;

namespace Ticketing.Api.Tickets;

/// <summary>The seven operations as experiments: how each runs on a store, and what counts as equal.</summary>
internal static class TicketExperiments
{
    private const string NoTieBreak = "tie";

    public static readonly Experiment<ITicketStore, ListTickets, TicketPage> List =
        new("tickets.list", static (store, request, token) => store.ListAsync(request, token))
        {
            // All staff see the same when they ask for all tickets.
            CaseOf = static request => request.All ? request with { Caller = TicketShapes.AnyStaff } : request,
            Shape = TicketShapes.ShapeOf,
            Discloses = TicketShapes.Discloses,
            Rules = new ComparisonRules().Ties<ListTickets, TicketPage, TicketListItem, int, DateTime?>(
                page => page.Tickets, ticket => ticket.Id, ticket => ticket.CreatedAt, NoTieBreak,
                cut: page => new(Start: page.Page > 1, End: (long)page.Page * page.Limit < page.Total),
                fits: WasAskedFor),
            ShowsPart = true,
            UserOf = static request => request.Caller.UserId,
            ShapeFamily = static shape => shape[..Math.Max(0, shape.LastIndexOf(" / page", StringComparison.Ordinal))],
            Touches = static (_, differences) => differences.All(difference => difference.RowKey is int)
                ? [.. differences.Select(difference => ((int)difference.RowKey!).ToString(CultureInfo.InvariantCulture))] : null,
            Leaks = static (request, difference) =>
                difference is { Kind: DifferenceKind.ExtraRow, Candidate: TicketListItem ticket } && !request.All
                    && ticket.UserId != request.Caller.UserId,
        };

    public static readonly Experiment<ITicketStore, GetTicket, TicketAnswer> Get =
        new("tickets.get", static (store, request, token) => store.GetAsync(request, token))
        {
            CaseOf = static request => request.Caller.IsStaff ? request with { Caller = TicketShapes.AnyStaff } : request,
            Shape = TicketShapes.ShapeOf,
            Discloses = TicketShapes.Discloses,
            Rules = new ComparisonRules().Ties<GetTicket, TicketDetail, TicketComment, int, DateTime?>(
                ticket => ticket.Comments, comment => comment.Id, comment => comment.CreatedAt, NoTieBreak),
            Touches = static (request, _) => [request.TicketId.ToString(CultureInfo.InvariantCulture)],
            UserOf = static request => request.Caller.UserId,
            SubjectOf = static request => request.TicketId,
            Leaks = static (request, difference) =>
                difference is { Path: "access", Candidate: TicketAccess.Granted }
                || (difference is { Kind: DifferenceKind.ExtraRow, Candidate: TicketComment { IsInternal: true } }
                    && !request.Caller.IsStaff),
        };

    public static readonly Experiment<ITicketStore, GetStats, TicketStats> Stats =
        new("tickets.stats", static (store, request, token) => store.StatsAsync(request, token))
        {
            // The clock changes with every request and is left out. The control's answer is part of the case, and shows what was counted.
            CaseOf = static request => request.Timeframe,
            UserOf = static request => request.Caller.UserId,
            Shape = TicketShapes.ShapeOf,
            Discloses = TicketShapes.Discloses,
            Rules = new ComparisonRules()
                .Rows<TicketStats, CountOf, string?>(stats => stats.ByStatus, entry => entry.Value)
                .Rows<TicketStats, CountOfDay, DateOnly>(stats => stats.ByDay, entry => entry.Day)
                .Ties<GetStats, TicketStats, CountOf, string?, int>(
                    stats => stats.ByPriority, entry => entry.Value, PriorityRank, NoTieBreak)
                .Ties<GetStats, TicketStats, CountOf, string?, long>(
                    stats => stats.ByCategory, entry => entry.Value, entry => entry.Count, NoTieBreak)
                .Ties<GetStats, TicketStats, CountOfUser, int, long>(
                    stats => stats.TopUsers, entry => entry.UserId, entry => entry.Count, NoTieBreak,
                    cut: stats => new(Start: false, End: stats.TopUsers.Count == 10)),
        };

    public static readonly Experiment<ITicketStore, CreateTicket, Ticket> Create =
        new("tickets.create", static (store, request, token) => store.CreateAsync(request, token))
        {
            Shape = TicketShapes.ShapeOf,
            Discloses = TicketShapes.Discloses,
            Writes = true,
            Stores = TicketSandbox.Stores,
            UserOf = static request => request.Caller.UserId,
            CreatedOf = static ticket => ticket.Id,
        };

    public static readonly Experiment<ITicketStore, UpdateTicket, TicketChange> Update =
        new("tickets.update", static (store, request, token) => store.UpdateAsync(request, token))
        {
            Shape = TicketShapes.ShapeOf,
            Discloses = TicketShapes.Discloses,
            Writes = true,
            Stores = TicketSandbox.Stores,
            UserOf = static request => request.Caller.UserId,
            SubjectOf = static request => request.TicketId,
            Leaks = static (_, difference) =>
                difference is { Path: "access", Candidate: TicketAccess.Granted, Control: TicketAccess.Forbidden },
        };

    public static readonly Experiment<ITicketStore, DeleteTicket, TicketDeletion> Delete =
        new("tickets.delete", static (store, request, token) => store.DeleteAsync(request, token))
        {
            Shape = TicketShapes.ShapeOf,
            Discloses = TicketShapes.Discloses,
            Writes = true,
            Stores = TicketSandbox.Stores,
            UserOf = static request => request.Caller.UserId,
            SubjectOf = static request => request.TicketId,
            Leaks = static (_, difference) =>
                difference is { Path: "access", Candidate: TicketAccess.Granted, Control: TicketAccess.Forbidden },
        };

    public static readonly Experiment<ITicketStore, AddComment, CommentAnswer> Comment =
        new("tickets.comment", static (store, request, token) => store.CommentAsync(request, token))
        {
            Shape = TicketShapes.ShapeOf,
            Discloses = TicketShapes.Discloses,
            Writes = true,
            Stores = TicketSandbox.Stores,
            UserOf = static request => request.Caller.UserId,
            SubjectOf = static request => request.TicketId,
            Leaks = static (_, difference) =>
                difference is { Path: "access", Candidate: TicketAccess.Granted, Control: TicketAccess.Forbidden },
        };

    public static readonly IReadOnlyList<Experiment> All = [List, Get, Create, Update, Delete, Comment, Stats];

    /// <summary>
    /// The <c>xmin</c> of the rows that answers about the tickets <c>@keys</c> depend on, by ticket: the ticket's row (NULL if it is
    /// deleted), its comments, and the users whose names are shown with it.
    /// </summary>
    public const string RowVersions =
        """
        select k.id, t.xmin from unnest(@keys) as k(id) left join support_tickets t on t.id = k.id::int
        union all
        select c.ticket_id::text, c.xmin from ticket_comments c where c.ticket_id = any(@keys::int[])
        union all
        select t.id::text, u.xmin from support_tickets t join users u on u.id in (t.user_id, t.assigned_to) where t.id = any(@keys::int[])
        union all
        select c.ticket_id::text, u.xmin from ticket_comments c join users u on u.id = c.user_id where c.ticket_id = any(@keys::int[])
        """;

    /// <summary>The row versions that totals and statistics depend on: they contain no comments.</summary>
    public const string AnyVersions =
        "select 'support_tickets ' || id, xmin from support_tickets union all select 'users ' || id, xmin from users";

    /// <summary>
    /// Whether a row fits the request's filters. A row shown in place of one that it ties with must fit, or a leak could pass for a tie.
    /// </summary>
    private static bool WasAskedFor(ListTickets request, TicketListItem ticket) =>
        (request.All || ticket.UserId == request.Caller.UserId)
        && (string.IsNullOrEmpty(request.Status) || ticket.Status == request.Status)
        && (string.IsNullOrEmpty(request.Priority) || ticket.Priority == request.Priority)
        && (request.AssignedTo is null || ticket.AssignedTo == request.AssignedTo);

    /// <summary>As the legacy CASE ranks them: all priorities that it does not name tie.</summary>
    private static int PriorityRank(CountOf entry) => entry.Value switch { "high" => 1, "medium" => 2, "low" => 3, _ => 4 };
}
