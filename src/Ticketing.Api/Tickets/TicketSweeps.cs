using System.Globalization;
using System.Runtime.CompilerServices;
using Npgsql;
using Shadowing.Sweeping;

namespace Ticketing.Api.Tickets;

/// <summary>
/// How operations are swept: the requests that the existing data allows. Reads cover all answers that depend on rows, at the default page
/// size and once for all callers who see the same. Writes cover commands on each ticket, legal ones and ones that are refused.
/// </summary>
/// <param name="shadow">The shadow's data source. Each query is short and has its own transaction.</param>
internal sealed partial class TicketSweeps(NpgsqlDataSource shadow)
{
    private const int Batch = 500;

    public IReadOnlyList<Sweep<ITicketStore>> All =>
    [
        new Sweep<ITicketStore, GetTicket, TicketAnswer>(TicketExperiments.Get, GetsAsync) { CountAsync = CountGetsAsync },
        new Sweep<ITicketStore, ListTickets, TicketPage>(TicketExperiments.List, ListsAsync) { CountAsync = CountListsAsync },

        // Not exhaustive: the clock makes new cases without end.
        new Sweep<ITicketStore, GetStats, TicketStats>(
            TicketExperiments.Stats, StatsAsync) { CountAsync = CountStatsAsync, IsExhaustive = false },

        new Sweep<ITicketStore, CreateTicket, Ticket>(TicketExperiments.Create, CreatesAsync)
            { CountAsync = token => CountWritesAsync(2, token), IsExhaustive = false },
        new Sweep<ITicketStore, UpdateTicket, TicketChange>(TicketExperiments.Update, UpdatesAsync)
            { CountAsync = token => CountWritesAsync(13, token), IsExhaustive = false },
        new Sweep<ITicketStore, DeleteTicket, TicketDeletion>(TicketExperiments.Delete, DeletesAsync)
            { CountAsync = token => CountWritesAsync(2, token), IsExhaustive = false },
        new Sweep<ITicketStore, AddComment, CommentAnswer>(TicketExperiments.Comment, CommentsAsync)
            { CountAsync = token => CountWritesAsync(4, token), IsExhaustive = false },
    ];

    /// <summary>Every ticket as staff, its owner and another user see it; then a ticket that does not exist.</summary>
    private async IAsyncEnumerable<SweepStep<GetTicket>> GetsAsync(
        string? cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (last, turn) = Pair(cursor);
        var strangers = await ListAsync(
            "select id from users where role is distinct from 'admin' and role is distinct from 'superadmin' order by id limit 2",
            static row => row.GetInt32(0), cancellationToken);
        for (var from = last; ;)
        {
            var tickets = await ListAsync(
                "select t.id, t.user_id, coalesce(u.role, '') in ('admin', 'superadmin') from support_tickets t join users u "
                + "on u.id = t.user_id "
                + $"where t.id >= $1 order by t.id limit {Batch}",
                static row => (Id: row.GetInt32(0), Owner: row.GetInt32(1), OwnerIsStaff: row.GetBoolean(2)), cancellationToken, from);
            foreach (var (id, owner, ownerIsStaff) in tickets)
            {
                var stranger = strangers.Find(user => user != owner);
                Caller?[] callers =
                    [TicketShapes.AnyStaff, ownerIsStaff ? null : new(owner, "user"), stranger == 0 ? null : new(stranger, "user")];
                for (var i = 0; i < callers.Length; i++)
                {
                    if ((id == last && i <= turn) || callers[i] is not { } caller) continue;
                    yield return new(new(caller, id), Cursor(id, i));
                }
            }

            if (tickets.Count < Batch || tickets[^1].Id == int.MaxValue) break;
            from = tickets[^1].Id + 1;
        }

        if (last < int.MaxValue) yield return new(new(TicketShapes.AnyStaff, int.MaxValue), Cursor(int.MaxValue, 3));
        if (last < int.MaxValue || turn < 4)
            foreach (var stranger in strangers.Take(1)) yield return new(new(new(stranger, "user"), int.MaxValue), Cursor(int.MaxValue, 4));
    }

    private Task<long?> CountGetsAsync(CancellationToken cancellationToken) =>
        CountAsync(
            "select 2 + count(*) * 2 + count(*) filter (where coalesce(u.role, '') not in ('admin', 'superadmin')) "
            + "from support_tickets t join users u on u.id = t.user_id",
            cancellationToken);

    /// <summary>Each timeframe at every sixth hour, the latest first, up to a year back.</summary>
    private async IAsyncEnumerable<SweepStep<GetStats>> StatsAsync(
        string? cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (last, turn) = cursor is null ? (int.MaxValue, -1) : Pair(cursor);
        foreach (var at in (await MomentsAsync(cancellationToken)).OrderDescending())
        {
            // The moments lie on a fixed grid, so that a sweep on another day asks for the same ones.
            var hour = (int)(at - DateTime.UnixEpoch).TotalHours;
            if (hour > last) continue;
            foreach (var timeframe in Enum.GetValues<Timeframe>())
            {
                if (hour == last && (int)timeframe <= turn) continue;
                yield return new(new(TicketShapes.AnyStaff, timeframe, at), Cursor(hour, (int)timeframe));
            }
        }
    }

    private async Task<long?> CountStatsAsync(CancellationToken cancellationToken) =>
        (await MomentsAsync(cancellationToken)).Count * (long)Enum.GetValues<Timeframe>().Length;

    private Task<List<DateTime>> MomentsAsync(CancellationToken cancellationToken) => ListAsync(
        """
        select generate_series(greatest(date_trunc('day', min(created_at)), date_trunc('day', localtimestamp) - interval '1 year'),
            localtimestamp::timestamp, interval '6 hours') from support_tickets
        """,
        static row => row.GetDateTime(0), cancellationToken);

    private async Task<List<T>> ListAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = shadow.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }

    /// <returns>Null where the database's time limit for the shadow ends the count.</returns>
    private async Task<long?> CountAsync(string sql, CancellationToken cancellationToken)
    {
        try
        {
            return (await ListAsync(sql, static row => row.GetInt64(0), cancellationToken))[0];
        }
        catch (PostgresException late) when (late.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            return null;
        }
    }

    private static string Cursor(int first, int second) => string.Create(CultureInfo.InvariantCulture, $"{first}:{second}");

    private static (int First, int Second) Pair(string? cursor) => cursor?.Split(':') is [var first, var second]
        ? (int.Parse(first, CultureInfo.InvariantCulture), int.Parse(second, CultureInfo.InvariantCulture))
        : (0, -1);
}
