using NpgsqlTypes;
using Shadowing.Postgres.Sandbox;

namespace Ticketing.Api.Tickets;

/// <summary>
/// The rows that each write concerns: the ticket, its comments, the users that both refer to, and neighbouring tickets as bystanders; and
/// the locks that the write takes on them.
/// </summary>
internal static class TicketFootprints
{
    /// <summary>Stands for a ticket that does not exist yet: its neighbour is the latest ticket.</summary>
    private const int NewTicket = int.MaxValue;

    // Only for a caller who may change the ticket. The write of another caller takes no lock without the image, and must wait for none.
    private const string ForChange =
        "select from support_tickets where id = @ticket and (@staff or user_id = @caller) for no key update";

    // The lock that a foreign key takes, before the ticket itself is changed. In another order two writers could deadlock.
    private const string ForComment = "select from support_tickets where id = @ticket and (@staff or user_id = @caller) for key share";

    private const string ForAuthor =
        """
        select from users u where id = @caller
            and exists (select from support_tickets where id = @ticket and (@staff or user_id = @caller)) for key share of u
        """;

    private const string ForOwner = "select from users where id = @caller for key share";

    private const string ForAssignee =
        """
        select from users u where id = @assignee
            and exists (select from support_tickets where id = @ticket and assigned_to is distinct from @assignee) for key share of u
        """;

    private const string ForRemoval = "select from support_tickets where id = @ticket for update";

    private const string CommentsForRemoval = "select from ticket_comments where ticket_id = @ticket for update";

    private const string Image =
        """
        with chosen as materialized (
            select t.*, false as aside from support_tickets t where t.id = @ticket
            union all (select t.*, true from support_tickets t where t.id < @ticket order by t.id desc limit 1)
            union all (select t.*, true from support_tickets t where t.id > @ticket order by t.id limit 1)),
        said as materialized (
            (select c.*, false as aside from ticket_comments c where c.ticket_id = @ticket limit @rows)
            union all
            select c.*, true from chosen t
            cross join lateral (select c.* from ticket_comments c where c.ticket_id = t.id order by c.created_at desc limit 1) c
            where t.aside),
        mentioned as (
            select unnest(array[@caller, @assignee]) as id, false as aside
            union all select user_id, aside from chosen union all select assigned_to, aside from chosen
            union all select user_id, aside from said),
        named as (
            select u.id, u.email, u.first_name, u.last_name, u.role, u.is_active from users u where u.id in (select id from mentioned))
        select 'users', u.id::bigint, to_jsonb(u)::text,
            case when exists (select from mentioned m where m.id = u.id and not m.aside) then 'read' else 'aside' end from named u
        union all select 'support_tickets', t.id::bigint, (to_jsonb(t) - 'aside')::text,
            case when t.aside then 'aside' when @locks and (@staff or t.user_id = @caller) then 'locked' else 'read' end from chosen t
        union all select 'ticket_comments', c.id::bigint, (to_jsonb(c) - 'aside')::text,
            case when c.aside then 'aside' when @removes then 'locked' else 'read' end from said c
        """;

    /// <param name="maxRows">More comments than this are not read: the image is then too large.</param>
    public static Func<object, WriteFootprint> Upto(int maxRows) => request => request switch
    {
        CreateTicket create => Footprint([ForOwner], NewTicket, create.Caller, null, maxRows),
        UpdateTicket { AssignedTo: not null, Caller.IsStaff: false } update =>
            Footprint([], update.TicketId, update.Caller, Assignee(update), maxRows),
        UpdateTicket { AssignedTo.Value: not null } update =>
            Footprint([ForChange, ForAssignee], update.TicketId, update.Caller, Assignee(update), maxRows),
        UpdateTicket update => Footprint([ForChange], update.TicketId, update.Caller, null, maxRows),
        AddComment comment => Footprint([ForComment, ForAuthor, ForChange], comment.TicketId, comment.Caller, null, maxRows),
        DeleteTicket { Caller.IsStaff: true } delete =>
            Footprint([ForRemoval, CommentsForRemoval], delete.TicketId, delete.Caller, null, maxRows),
        DeleteTicket delete => Footprint([], delete.TicketId, delete.Caller, null, maxRows),
        _ => throw new ArgumentOutOfRangeException(nameof(request), $"{request.GetType().Name} writes nothing."),
    };

    // Given also where the caller may not assign: a side that assigns anyway must find the user in the image.
    private static int? Assignee(UpdateTicket update) => update.AssignedTo?.Value;

    private static WriteFootprint Footprint(IReadOnlyList<string> locks, int ticket, Caller caller, int? assignee, int maxRows) =>
        new(locks, Image, () =>
    [
        new("ticket", ticket),
        new("staff", caller.IsStaff),
        new("locks", locks.Contains(ForChange) || locks.Contains(ForRemoval)),
        new("removes", locks.Contains(ForRemoval)),
        new("caller", caller.UserId),
        new("assignee", NpgsqlDbType.Integer) { Value = (object?)assignee ?? DBNull.Value },
        new("rows", maxRows + 1),
    ]);
}
