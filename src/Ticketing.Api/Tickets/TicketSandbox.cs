using Shadowing.Postgres.Schema;

namespace Ticketing.Api.Tickets;

/// <summary>The three tables as the sandbox copies them, with their real foreign keys between the copies.</summary>
internal static class TicketSandbox
{
    public static readonly IReadOnlyList<SandboxTable> Tables =
    [
        // Of users nothing but what tickets need may be read, and no write of tickets makes one.
        new("users", "id", ["id", "email", "first_name", "last_name", "role", "is_active"], [], Generated: false),
        new("support_tickets", "id", null,
        [
            "foreign key (user_id) references pg_temp.users (id) on delete cascade",
            "foreign key (assigned_to) references pg_temp.users (id) on delete set null",
        ]),
        new("ticket_comments", "id", null,
        [
            "foreign key (ticket_id) references pg_temp.support_tickets (id) on delete cascade",
            "foreign key (user_id) references pg_temp.users (id) on delete cascade",
        ]),
    ];

    /// <summary>Their columns: what metrics may name.</summary>
    public static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> Stores = new Dictionary<string, IReadOnlyList<string>>
    {
        ["users"] = Tables[0].Columns!,
        ["support_tickets"] =
        [
            "id", "user_id", "subject", "description", "status", "priority", "category", "assigned_to", "resolution", "resolved_at",
            "created_at", "updated_at",
        ],
        ["ticket_comments"] = ["id", "ticket_id", "user_id", "comment", "is_internal", "created_at"],
    };
}
