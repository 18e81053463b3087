using System.Text.Json;
using Npgsql;

namespace Ticketing.Api.Tests.Parity;

/// <summary>Each command run by both sides from the same rows and rolled back: the same answer or refusal, the same rows behind.</summary>
public sealed class WriteParityTests(ParityDatabase database) : IClassFixture<ParityDatabase>
{
    // The ticket and whatever is new, and how much there is and was touched in all: a write may hit the rows it names and no others.
    private const string RowsBehind =
        """
        SELECT coalesce(string_agg(row, E'\n' ORDER BY row), '') FROM (
            SELECT to_jsonb(t)::text AS row FROM support_tickets t WHERE id = $1 OR id >= 900000
            UNION ALL SELECT to_jsonb(c)::text FROM ticket_comments c WHERE ticket_id = $1 OR id >= 900000
            UNION ALL SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE updated_at = LOCALTIMESTAMP)) FROM support_tickets
            UNION ALL SELECT count(*)::text FROM ticket_comments) rows
        """;

    private static readonly Caller Staff = new(1, "superadmin");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("UTC")]
    [InlineData("America/New_York")]
    public async Task Every_command_answers_and_stores_the_same(string zone)
    {
        await using var source = ParityDatabase.Source(database.Database.Owner, zone);
        await using var connection = await source.OpenConnectionAsync(Token);
        foreach (var command in Creations().Concat(await CommandsAsync(connection)))
        {
            var control = await RunAsync(connection, ParityDatabase.Control, command);
            var candidate = await RunAsync(connection, database.Candidate, command);
            Assert.Equal(control, candidate);
        }
    }

    [Fact]
    public async Task The_candidate_writes_and_refuses_with_as_many_statements()
    {
        await using var source = ParityDatabase.Source(database.Database.Served);
        await using var session = await TicketSession.OpenAsync(source, Token);
        var stranger = new Caller(int.MaxValue, "user");
        Func<ITicketStore, Task>[] commands =
        [
            store => store.CreateAsync(new(Staff, "A subject", "A description"), Token),
            store => store.UpdateAsync(new(Staff, 5, "resolved", AssignedTo: new(2)), Token),
            store => store.UpdateAsync(new(Staff, int.MaxValue, "closed"), Token),
            store => store.UpdateAsync(new(stranger, 5, "closed"), Token),
            store => store.UpdateAsync(new(stranger, 5, AssignedTo: new(2)), Token),
            store => store.CommentAsync(new(Staff, 5, "Hello"), Token),
            store => store.CommentAsync(new(stranger, 5, "Hello"), Token),
            store => store.DeleteAsync(new(Staff, int.MaxValue), Token),
            store => store.DeleteAsync(new(stranger, 5), Token),
        ];
        foreach (var run in commands)
        {
            var control = await ReadParityTests.StatementsAsync(() => run(ParityDatabase.Control(session)));
            Assert.Equal(control, await ReadParityTests.StatementsAsync(() => run(database.Candidate(session))));
        }
    }

    private static IEnumerable<Command> Creations()
    {
        yield return new(0, async store => await store.CreateAsync(new(Staff, "A subject", "A description"), Token));
        yield return new(0, async store => await store.CreateAsync(new(Staff, "Ärger 🧨", "Zeile\r\nZeile\t", "urgent", "bug"), Token));
        yield return new(0, async store => await store.CreateAsync(new(new(30, "user"), "A subject", "A description", Category: ""), Token));
        yield return new(0, async store => await store.CreateAsync(new(Staff, new('x', 256), "A description"), Token));
        yield return new(0, async store => await store.CreateAsync(new(Staff, "A subject", "A description", new('x', 21)), Token));
        yield return new(0, async store => await store.CreateAsync(new(Staff, "A nul \0", "A description"), Token));
        yield return new(0, async store => await store.CreateAsync(new(new(int.MaxValue, "user"), "A subject", "A description"), Token));
    }

    private static async Task<IEnumerable<Command>> CommandsAsync(NpgsqlConnection connection)
    {
        List<(int Ticket, int Owner)> tickets = [];
        await using var command = new NpgsqlCommand("SELECT DISTINCT ON (status) id, user_id FROM support_tickets ORDER BY status, id", connection);
        await using (var reader = await command.ExecuteReaderAsync(Token))
            while (await reader.ReadAsync(Token)) tickets.Add((reader.GetInt32(0), reader.GetInt32(1)));
        return tickets.Append((Ticket: int.MaxValue, Owner: 30)).SelectMany(row => Commands(row.Ticket, new(row.Owner, "user")));
    }

    private static IEnumerable<Command> Commands(int ticket, Caller owner)
    {
        UpdateTicket[] changes =
        [
            new(owner, ticket), new(owner, ticket, "resolved"), new(Staff, ticket, "open"), new(Staff, ticket, "in_progress", "urgent"),
            new(owner, ticket, Resolution: new("Erledigt")), new(owner, ticket, Resolution: new(null)), new(owner, ticket, AssignedTo: new(2)),
            new(Staff, ticket, AssignedTo: new(2)), new(Staff, ticket, "resolved", AssignedTo: new(null)), new(Staff, ticket, AssignedTo: new(int.MaxValue)),
            new(new(owner.UserId + 1, "user"), ticket, "closed"),
        ];
        foreach (var change in changes) yield return new(ticket, async store => await store.UpdateAsync(change, Token));
        yield return new(ticket, async store => await store.CommentAsync(new(owner, ticket, "Hello", IsInternal: true), Token));
        yield return new(ticket, async store => await store.CommentAsync(new(Staff, ticket, "Hello", IsInternal: true), Token));
        yield return new(ticket, async store => await store.CommentAsync(new(new(int.MaxValue, "admin"), ticket, "Hello"), Token));
        yield return new(ticket, async store => await store.DeleteAsync(new(owner, ticket), Token));
        yield return new(ticket, async store => await store.DeleteAsync(new(Staff, ticket), Token));
    }

    // What is left: the answer and the rows, where the transaction's instant reads as "now", since that is all a clock may differ in.
    private static async Task<string> RunAsync(NpgsqlConnection connection, Func<TicketSession, ITicketStore> side, Command command)
    {
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var session = TicketSession.Within(connection, transaction);
        var now = JsonSerializer.Serialize(await ScalarAsync(
            connection, "SELECT LOCALTIMESTAMP FROM (SELECT setval('support_tickets_id_seq', 900000), setval('ticket_comments_id_seq', 900000)) ids"));
        await transaction.SaveAsync("before", Token);
        string answer;
        try
        {
            answer = JsonSerializer.Serialize(await command.Run(side(session)));
        }
        catch (Exception failure) when ((failure as PostgresException ?? failure.InnerException as PostgresException) is { } refusal)
        {
            answer = $"{refusal.SqlState} {refusal.ConstraintName}";
            await transaction.RollbackAsync("before", Token);
        }

        return $"{answer}\n{await ScalarAsync(connection, RowsBehind, command.Ticket)}".Replace(now, "now", StringComparison.Ordinal);
    }

    private static async Task<object> ScalarAsync(NpgsqlConnection connection, string sql, params int[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return (await command.ExecuteScalarAsync(Token))!;
    }

    private sealed record Command(int Ticket, Func<ITicketStore, Task<object>> Run);
}
