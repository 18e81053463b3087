using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Who may: line 29, for writes.</summary>
internal static class WriteFaultsOfAccess
{
    private static readonly FaultTrace Granted = new("access", Stored.Value);

    public static IEnumerable<WriteFault> All { get; } =
    [
        new("29d", "assignment-by-anybody", "assignment for staff → the check is missing")
        {
            Update = new() { MayAssign = static _ => true },
            Provokes = Provoking.AssignmentByOwner,
            Traces = Changed,
            Causes = ["access_filter_lost"],
            IsLeak = true,
        },
        new("29e", "update-by-anybody", "the owner or staff → the filter on the owner is missing")
        {
            Update = new() { Which = static (tickets, request) => tickets.Where(ticket => ticket.Id == request.TicketId) },
            Provokes = Provoking.ChangeByStranger,
            Traces = Changed,
            Causes = ["access_filter_lost"],
            IsLeak = true,
        },
        new("29f", "deletion-by-anybody", "deletion for staff → the check is missing")
        {
            Delete = new() { MayDelete = static _ => true },
            Provokes = Provoking.DeletionByOwner,
            Traces = [Granted, Stored.MissingTicket, Stored.MissingComment],
            Causes = ["access_filter_lost"],
            IsLeak = true,
        },
        new("29g", "comment-by-anybody", "the owner or staff → the check is missing")
        {
            Comment = new() { Access = static (_, owner) => owner is null ? TicketAccess.NotFound : TicketAccess.Granted },
            Provokes = Provoking.CommentByStranger,
            Traces =
            [
                Granted, new("comment", Stored.Null), Stored.ExtraComment,
                Stored.InTicket("updated_at", Stored.Value), Stored.InTicket("updated_at", Stored.Null),
            ],
            Causes = ["access_filter_lost"],
            IsLeak = true,
        },
    ];

    private static FaultTrace[] Changed =>
    [
        Granted, new("ticket", Stored.Null),
        .. ((string[])["updated_at", "status", "priority", "assigned_to", "resolution", "resolved_at"])
            .SelectMany(column => (FaultTrace[])[Stored.InTicket(column, Stored.Value), Stored.InTicket(column, Stored.Null)]),
    ];
}
