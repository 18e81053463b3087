using Npgsql;

namespace Soak;

/// <summary>Where writers write and where nothing ever moves, so that it is known what movement may explain.</summary>
/// <param name="HotUsers">They are renamed, and theirs are all tickets that are written to.</param>
/// <param name="StillTickets">No writer touches them, nor anybody whose name is shown with them.</param>
/// <param name="QuietUsers">All their tickets are still.</param>
internal sealed record Ground(int[] HotUsers, int[] HotTickets, int[] StillTickets, HashSet<int> QuietUsers)
{
    private readonly int[] _passing = new int[64];
    private readonly HashSet<int> _hot = [.. HotTickets];
    private readonly HashSet<int> _still = [.. StillTickets];
    private int _passed;

    public int[] Quiet { get; } = [.. QuietUsers];

    public bool IsHot(int ticket) => _hot.Contains(ticket);

    public bool IsStill(int ticket) => _still.Contains(ticket);

    /// <summary>Notes a ticket that came during the run.</summary>
    /// <returns>The one that is to go for it; 0 where there is none yet.</returns>
    public int Came(int ticket) => Interlocked.Exchange(ref _passing[(uint)Interlocked.Increment(ref _passed) % _passing.Length], ticket);

    /// <summary>One of the latest that came; it may be gone by now, and is 0 where none has come yet.</summary>
    public int Passing() => Volatile.Read(ref _passing[Random.Shared.Next(_passing.Length)]);

    public static async Task<Ground> ReadAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        var hot = await IdsAsync(
            "select user_id from support_tickets where user_id > 21 group by user_id order by count(*) desc, user_id limit 4", []);
        return new(
            hot,
            await IdsAsync(
                """
                select id from (select id, row_number() over (partition by user_id order by created_at desc, id) as n
                                from support_tickets where user_id = any($1) and created_at is not null) t
                where n <= 10
                """, hot),
            await IdsAsync($"select t.id from support_tickets t where {Still}", hot),
            [.. await IdsAsync($"select t.user_id from support_tickets t where user_id > 21 group by t.user_id having bool_and({Still})", hot)]);

        async Task<int[]> IdsAsync(string sql, int[] users)
        {
            await using var command = source.CreateCommand(sql);
            if (users.Length > 0) command.Parameters.Add(new() { Value = users });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var ids = new List<int>();
            while (await reader.ReadAsync(cancellationToken)) ids.Add(reader.GetInt32(0));
            return [.. ids];
        }
    }

    private const string Still =
        """
        (t.user_id <> all($1) and coalesce(t.assigned_to, 0) <> all($1)
         and not exists (select from ticket_comments c where c.ticket_id = t.id and c.user_id = any($1)))
        """;
}
