using NpgsqlTypes;
using ShadowTicketing.Shadowing.Postgres.Sandbox;
using ShadowTicketing.Tickets;

namespace ShadowTicketing.Api.Tickets;

/// <summary>The rows that each write concerns: the ticket, its comments and whom they name; its neighbours as bystanders; and what the write locks of them.</summary>
internal static class TicketFootprints
{
    /// <summary>A ticket that is not there yet: its neighbour is the latest.</summary>
    private const int NewTicket = int.MaxValue;

    // Only who may change the ticket locks it: anybody else must wait for nobody, as without the image.
    private const string ForChange =
        "select from support_tickets where id = @ticket and (@staff or user_id = @caller) for no key update";

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
            cross join lateral (select c.* from ticket_comments c where c.ticket_id = t.id order by c.created_at desc limit 1) c where t.aside),
        mentioned as (
            select unnest(@users) as id, false as aside
            union all select user_id, aside from chosen union all select assigned_to, aside from chosen union all select user_id, aside from said),
        named as (
            select u.id, u.email, u.first_name, u.last_name, u.role, u.is_active from users u where u.id in (select id from mentioned))
        select 'users', u.id::bigint, to_jsonb(u)::text, not exists (select from mentioned m where m.id = u.id and not m.aside) from named u
        union all select 'support_tickets', t.id::bigint, (to_jsonb(t) - 'aside')::text, t.aside from chosen t
        union all select 'ticket_comments', c.id::bigint, (to_jsonb(c) - 'aside')::text, c.aside from said c
        """;

    /// <param name="maxRows">Comments beyond it are not read: the image is too large with it.</param>
    public static Func<object, WriteFootprint> Upto(int maxRows) => request => request switch
    {
        CreateTicket create => Of([], NewTicket, create.Caller, [], maxRows),
        UpdateTicket { AssignedTo: not null, Caller.IsStaff: false } update => Of([], update.TicketId, update.Caller, Assignee(update), maxRows),
        UpdateTicket update => Of([ForChange], update.TicketId, update.Caller, Assignee(update), maxRows),
        AddComment comment => Of([ForChange], comment.TicketId, comment.Caller, [], maxRows),
        DeleteTicket { Caller.IsStaff: true } delete => Of([ForRemoval, CommentsForRemoval], delete.TicketId, delete.Caller, [], maxRows),
        DeleteTicket delete => Of([], delete.TicketId, delete.Caller, [], maxRows),
        _ => throw new ArgumentOutOfRangeException(nameof(request), $"{request.GetType().Name} writes nothing."),
    };

    // Also where it may not be assigned: a side that does so all the same must find the user there.
    private static int[] Assignee(UpdateTicket update) => update.AssignedTo?.Value is { } assignee ? [assignee] : [];

    private static WriteFootprint Of(IReadOnlyList<string> locks, int ticket, Caller caller, int[] users, int maxRows) => new(locks, Image, () =>
    [
        new("ticket", ticket),
        new("staff", caller.IsStaff),
        new("caller", caller.UserId),
        new("users", NpgsqlDbType.Array | NpgsqlDbType.Integer) { Value = (int[])[caller.UserId, .. users] },
        new("rows", maxRows + 1),
    ]);
}
