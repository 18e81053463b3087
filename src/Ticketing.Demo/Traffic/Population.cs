using System.Collections.Immutable;
using Npgsql;

namespace Ticketing.Demo.Traffic;

/// <summary>A user with an active account.</summary>
/// <param name="Role">As the service reads it: <c>user</c>, <c>admin</c> or <c>superadmin</c>.</param>
/// <param name="Tickets">Some of the tickets that the user opened, at most 200.</param>
internal sealed record Actor(int UserId, string Email, string Role, ImmutableArray<int> Tickets)
{
    public bool IsStaff => Role is "admin" or "superadmin";
}

/// <summary>The users who send traffic, and the tickets that it is about. The same tables give the same population.</summary>
/// <param name="Heavy">Users with the most tickets; never empty.</param>
/// <param name="Light">Users with a few tickets.</param>
/// <param name="Idle">Users who have opened no ticket.</param>
/// <param name="Staff">Admins and superadmins; never empty.</param>
/// <param name="Tickets">A sample over all tickets, by id.</param>
/// <param name="LongThreads">The tickets with the most comments.</param>
/// <param name="Closed">Tickets that are closed.</param>
/// <param name="Hot">A few tickets of <paramref name="Heavy"/> users that many users write to at once.</param>
/// <param name="Expendable">Tickets in none of the other lists, to be deleted, each once.</param>
internal sealed record Population(
    ImmutableArray<Actor> Heavy,
    ImmutableArray<Actor> Light,
    ImmutableArray<Actor> Idle,
    ImmutableArray<Actor> Staff,
    ImmutableArray<int> Tickets,
    ImmutableArray<int> LongThreads,
    ImmutableArray<int> Closed,
    ImmutableArray<int> Hot,
    ImmutableArray<int> Expendable)
{
    private const int HotTickets = 6;

    /// <summary>Reads the population, with a role that may read every table.</summary>
    /// <exception cref="InvalidOperationException">There is no active user with tickets, or no active staff.</exception>
    public static async Task<Population> ReadAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        var users = await PeopleAsync(source, "u.role is null or u.role not in ('admin', 'superadmin')", cancellationToken);
        var staff = await PeopleAsync(source, "u.role in ('admin', 'superadmin')", cancellationToken);
        ImmutableArray<Actor> heavy = [.. users.Where(user => user.Tickets.Length > 0).Take(25)];
        if (heavy.IsEmpty || staff.IsEmpty)
            throw new InvalidOperationException("The traffic needs an active user with tickets, and active staff.");

        var longThreads = await IdsAsync(
            source, "select ticket_id from ticket_comments group by ticket_id order by count(*) desc, ticket_id limit 20",
            cancellationToken);
        var tickets = await SampleAsync(source, "true", 2000, cancellationToken);
        var closed = await SampleAsync(source, "status = 'closed'", 200, cancellationToken);
        ImmutableArray<Actor> light = [.. users.Skip(heavy.Length).Where(user => user.Tickets.Length > 0).TakeLast(50)];
        HashSet<int> named =
            [.. tickets, .. longThreads, .. closed, .. heavy.Concat(light).Concat(staff).SelectMany(actor => actor.Tickets)];
        return new(
            heavy,
            light.IsEmpty ? heavy : light,
            [.. users.Where(user => user.Tickets.IsEmpty).Take(10)],
            [.. staff.Take(20)],
            tickets,
            longThreads.IsEmpty ? tickets : longThreads,
            closed.IsEmpty ? tickets : closed,
            [.. heavy.Take(HotTickets).Select(actor => actor.Tickets[0])],
            [.. (await IdsAsync(source, "select id from support_tickets order by id desc limit 20000", cancellationToken))
                .Where(id => !named.Contains(id)).Take(2000)]);
    }

    // Users with the most tickets first.
    private static async Task<ImmutableArray<Actor>> PeopleAsync(NpgsqlDataSource source, string who, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(
            $$"""
            select u.id, u.email, case when u.role in ('admin', 'superadmin') then u.role else 'user' end,
                   coalesce((array_agg(t.id order by t.id) filter (where t.id is not null))[1:200], '{}')
            from users u left join support_tickets t on t.user_id = u.id
            where u.is_active and ({{who}})
            group by u.id order by count(t.id) desc, u.id
            """);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var people = ImmutableArray.CreateBuilder<Actor>();
        while (await row.ReadAsync(cancellationToken))
            people.Add(new(row.GetInt32(0), row.GetString(1), row.GetString(2), [.. row.GetFieldValue<int[]>(3)]));
        return people.ToImmutable();
    }

    private static Task<ImmutableArray<int>> SampleAsync(
        NpgsqlDataSource source, string which, int count, CancellationToken cancellationToken) =>
        IdsAsync(source, $"select id from support_tickets where {which} order by hashint4(id), id limit {count}", cancellationToken);

    private static async Task<ImmutableArray<int>> IdsAsync(NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var ids = ImmutableArray.CreateBuilder<int>();
        while (await row.ReadAsync(cancellationToken)) ids.Add(row.GetInt32(0));
        return ids.ToImmutable();
    }
}
