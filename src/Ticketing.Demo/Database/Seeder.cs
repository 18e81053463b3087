using Npgsql;
using NpgsqlTypes;

namespace Ticketing.Demo.Database;

/// <summary>Fills an empty ticketing database with rows like the real ones, the nasty ones included.</summary>
/// <remarks>
/// The same number of tickets at the same instant gives the same rows, always. Users 1–3 are superadmins and 4–9 admins, all active;
/// 10–21 are accounts with something odd (inactive, NULL or unknown role); from 22 on ordinary users, one for 40 tickets and at least 60 in
/// all, some inactive, every twentieth without a ticket. Ticket 1 has 500 comments.
/// </remarks>
public static class Seeder
{
    /// <summary>The first superadmin, active.</summary>
    public const int FirstSuperadmin = 1;

    /// <summary>The first of the active admins; before it come the superadmins.</summary>
    public const int FirstAdmin = 4;

    /// <summary>The first of the odd accounts.</summary>
    public const int FirstOddUser = 10;

    /// <summary>The first ordinary user; not all are active.</summary>
    public const int FirstUser = 22;

    internal const int Seed = 20_250_309;
    private const int FewestPeople = 60;
    private const int TicketsPerPerson = 40;

    /// <inheritdoc cref="SeedAsync(TicketingDatabase, int, TimeProvider, CancellationToken)"/>
    public static Task SeedAsync(TicketingDatabase database, int tickets, CancellationToken cancellationToken) =>
        SeedAsync(database, tickets, TimeProvider.System, cancellationToken);

    /// <summary>Writes all or nothing, as the owner. Rows stream: a million tickets need no more memory than a thousand.</summary>
    /// <param name="tickets">From 1,000 to 1,000,000.</param>
    /// <param name="clock">Asked once: most tickets are opened within the year before.</param>
    /// <exception cref="InvalidOperationException">The database holds users already.</exception>
    public static async Task SeedAsync(TicketingDatabase database, int tickets, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfLessThan(tickets, 1_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tickets, 1_000_000);

        var now = DateTime.SpecifyKind(clock.GetUtcNow().UtcDateTime, DateTimeKind.Unspecified);
        var people = new SeededPeople(Math.Max(FewestPeople, tickets / TicketsPerPerson), now);
        var rows = new SeededTickets(tickets, people, now);

        await using var connection = new NpgsqlConnection(database.Owner);
        await connection.OpenAsync(cancellationToken);
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await RefuseUnlessEmptyAsync(connection, cancellationToken);
            var restore = await SetAsideAsync(connection, cancellationToken);
            await CopyAsync(
                connection, $"users ({SeededPeople.Columns})", Enumerable.Range(1, people.Count).Select(people.Row), cancellationToken);
            await CopyAsync(
                connection, $"support_tickets ({SeededTickets.Columns})", Enumerable.Range(1, tickets).Select(rows.Row), cancellationToken);
            await CopyAsync(connection, $"ticket_comments ({SeededTickets.CommentColumns})", Comments(rows), cancellationToken);
            await ExecuteAsync(connection, restore, cancellationToken);
            await ExecuteAsync(
                connection,
                """
                SELECT setval('users_id_seq', (SELECT max(id) FROM users)),
                       setval('support_tickets_id_seq', (SELECT max(id) FROM support_tickets)),
                       setval('ticket_comments_id_seq', (SELECT max(id) FROM ticket_comments))
                """,
                cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        await ExecuteAsync(connection, "VACUUM (ANALYZE) users, support_tickets, ticket_comments", cancellationToken);
    }

    // Foreign keys and plain indexes are made once over all rows rather than row by row, and rows of a table truncated in the same
    // transaction are written without a log and frozen: a million tickets take half the time.
    private static async Task<string> SetAsideAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string definitions =
            """
            SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
                   format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE contype = 'f' AND conrelid IN ('users'::regclass, 'support_tickets'::regclass,
                'ticket_comments'::regclass)
            UNION ALL
            SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
            FROM pg_index
            WHERE NOT indisunique AND indrelid IN ('users'::regclass, 'support_tickets'::regclass, 'ticket_comments'::regclass)
            """;
        List<string> drop = ["TRUNCATE users, support_tickets, ticket_comments"];
        List<string> restore = [];
        await using (var command = new NpgsqlCommand(definitions, connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                drop.Add(reader.GetString(0));
                restore.Add(reader.GetString(1));
            }
        }

        await ExecuteAsync(connection, string.Join(';', drop), cancellationToken);
        return string.Join(';', restore);
    }

    private static IEnumerable<object?[]> Comments(SeededTickets rows)
    {
        var next = 1;
        for (var ticket = 1; ticket <= rows.Count; ticket++)
        {
            foreach (var comment in rows.Comments(ticket, next)) yield return comment;
            next += SeededTickets.CommentsOf(ticket);
        }
    }

    private static async Task CopyAsync(
        NpgsqlConnection connection, string target, IEnumerable<object?[]> rows, CancellationToken cancellationToken)
    {
        await using var copy =
            await connection.BeginBinaryImportAsync($"COPY public.{target} FROM STDIN (FORMAT binary, FREEZE)", cancellationToken);
        copy.Timeout = TimeSpan.Zero;
        foreach (var row in rows)
        {
            await copy.StartRowAsync(cancellationToken);
            foreach (var value in row)
            {
                await (value switch
                {
                    null => copy.WriteNullAsync(cancellationToken),
                    int number => copy.WriteAsync(number, NpgsqlDbType.Integer, cancellationToken),
                    bool flag => copy.WriteAsync(flag, NpgsqlDbType.Boolean, cancellationToken),
                    DateTime moment => copy.WriteAsync(moment, NpgsqlDbType.Timestamp, cancellationToken),
                    _ => copy.WriteAsync((string)value, NpgsqlDbType.Text, cancellationToken),
                });
            }
        }

        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task RefuseUnlessEmptyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM public.users)", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is true)
            throw new InvalidOperationException($"The database '{connection.Database}' holds users already; only an empty one is seeded.");
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
