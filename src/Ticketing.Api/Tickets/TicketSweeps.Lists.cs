using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Npgsql;
using Shadowing.Sweeping;

namespace Ticketing.Api.Tickets;

/// <summary>
/// The lists: all tickets as staff see them, then each user's own. Each is read with every combination of filters that finds a ticket, to
/// its last page.
/// </summary>
internal sealed partial class TicketSweeps
{
    private const int Limit = 20;

    // What is NULL or empty in a row cannot be filtered by. The cube of nothing is its total alone: a list without tickets is a list too.
    private const string AllFilters =
        """
        select case when grouping(status) = 0 then status end, case when grouping(priority) = 0 then priority end,
            case when grouping(assigned_to) = 0 then assigned_to end, count(*)
        from support_tickets group by cube(status, priority, assigned_to)
        having (grouping(status) = 1 or status <> '') and (grouping(priority) = 1 or priority <> '')
            and (grouping(assigned_to) = 1 or assigned_to is not null)
        """;

    private const string OwnFilters =
        """
        select case when grouping(status) = 0 then status end, case when grouping(priority) = 0 then priority end, null::int, count(*)
        from support_tickets where user_id = $1 group by cube(status, priority)
        having (grouping(status) = 1 or status <> '') and (grouping(priority) = 1 or priority <> '')
        """;

    private async IAsyncEnumerable<SweepStep<ListTickets>> ListsAsync(
        string? cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (user, page, key) = ListCursor.Parse(cursor);
        for (var (id, role) = (user, ""); ;)
        {
            var filters = id == 0
                ? await ListAsync(AllFilters, Filter.Read, cancellationToken)
                : await ListAsync(OwnFilters, Filter.Read, cancellationToken, id);
            if (role.Length == 0 && id != 0) role = await RoleAsync(id, cancellationToken) ?? "user";
            var caller = id == 0 ? TicketShapes.AnyStaff : new Caller(id, role);
            foreach (var filter in filters.OrderBy(filter => filter.Key, StringComparer.Ordinal))
            {
                var order = id == user ? string.CompareOrdinal(filter.Key, key) : 1;
                if (order < 0) continue;
                for (var number = order == 0 ? page + 1 : 1; number <= filter.Pages; number++)
                {
                    yield return new(
                        new(caller, id == 0, filter.Status, filter.Priority, filter.Assignee, number, Limit),
                        new ListCursor(id, number, filter.Key).ToString());
                }
            }

            var next = await ListAsync(
                "select id, role from users where id > $1 order by id limit 1",
                static row => (Id: row.GetInt32(0), Role: RoleOf(row, 1)), cancellationToken, id);
            if (next.Count == 0) yield break;
            (id, role) = next[0];
        }
    }

    private Task<long?> CountListsAsync(CancellationToken cancellationToken) => CountAsync(
        $"""
        select (select sum(greatest(1, ceil(count / {Limit}.0))) from ({AllFilters}) as everybody)::bigint + coalesce((
            select sum(ceil(count / {Limit}.0)) from (
                select count(*) from support_tickets group by user_id, cube(status, priority)
                having (grouping(status) = 1 or status <> '') and (grouping(priority) = 1 or priority <> '')) as own), 0)::bigint
            + (select count(*) from users u where not exists (select from support_tickets t where t.user_id = u.id))
        """,
        cancellationToken);

    private async Task<string?> RoleAsync(int user, CancellationToken cancellationToken) =>
        (await ListAsync("select role from users where id = $1", static row => RoleOf(row, 0), cancellationToken, user)).FirstOrDefault();

    private static string RoleOf(NpgsqlDataReader row, int column) =>
        !row.IsDBNull(column) && row.GetString(column) is "admin" or "superadmin" ? row.GetString(column) : "user";

    /// <summary>A combination of filters, and how many tickets it finds.</summary>
    private sealed record Filter(string? Status, string? Priority, int? Assignee, long Tickets)
    {
        public string Key { get; } = JsonSerializer.Serialize(new object?[] { Status, Priority, Assignee });

        public int Pages => (int)Math.Clamp((Tickets + Limit - 1) / Limit, 1, int.MaxValue);

        public static Filter Read(NpgsqlDataReader row) => new(
            row.IsDBNull(0) ? null : row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : row.GetInt32(2),
            row.GetInt64(3));
    }

    /// <param name="User">0 for the tickets of all users.</param>
    private sealed record ListCursor(int User, int Page, string Key)
    {
        public static ListCursor Parse(string? text) => text?.Split(':', 3) is [var user, var page, var key]
            ? new(int.Parse(user, CultureInfo.InvariantCulture), int.Parse(page, CultureInfo.InvariantCulture), key)
            : new(0, 0, "");

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{User}:{Page}:{Key}");
    }
}
