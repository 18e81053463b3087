using Npgsql;
using Ticketing;

namespace Soak;

/// <summary>Writes to the hot ground, through the service's own store and beside it in SQL.</summary>
internal sealed class SoakWriters(Ground ground, NpgsqlDataSource owner)
{
    private static readonly Caller Staff = new(1, "superadmin");
    private static readonly string[] States = ["open", "in_progress", "resolved", "closed"];
    private long _written;
    private long _refused;

    public long Written => Interlocked.Read(ref _written);

    /// <summary>Deadlocks among the writers themselves, and comments on a ticket that was just deleted.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    public async Task WriteAsync(ITicketStore store)
    {
        try
        {
            await DrawAsync(store);
            Interlocked.Increment(ref _written);
        }
        catch (PostgresException refused)
            when (refused.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.ForeignKeyViolation)
        {
            Interlocked.Increment(ref _refused);
        }
    }

    private async Task DrawAsync(ITicketStore store)
    {
        var (ticket, user) = (Of(ground.HotTickets), Of(ground.HotUsers));
        switch (Random.Shared.Next(11))
        {
            case 0: // There and back: only row versions can tell.
                await RunAsync($"update support_tickets set priority = 'flip' || coalesce(priority, '') where id = {ticket}");
                await RunAsync($"update support_tickets set priority = substr(priority, 5) where id = {ticket} and priority like 'flip%'");
                break;
            case 1:
                await store.UpdateAsync(new(Staff, ticket, Status: States[Random.Shared.Next(States.Length)]), CancellationToken.None);
                break;
            case 2:
                int? assignee = Random.Shared.Next(2) == 0 ? null : Random.Shared.Next(1, 10);
                await store.UpdateAsync(
                    new(Staff, ticket, AssignedTo: new(assignee), Resolution: new($"{Random.Shared.Next()}")), CancellationToken.None);
                break;
            case 3 or 4:
                await store.CommentAsync(new(Staff, ticket, "A comment.", IsInternal: Random.Shared.Next(2) == 0), CancellationToken.None);
                break;
            case 5: // With its ticket, as every change of a comment does; one that goes alone leaves no version behind.
                await RunAsync(
                    $"""
                    with gone as (delete from ticket_comments where ticket_id = {ticket}
                        and id not in (select id from ticket_comments where ticket_id = {ticket} order by id desc limit 6))
                    update support_tickets set updated_at = localtimestamp where id = {ticket}
                    """);
                break;
            case 6:
                await CameAsync(store, (await store.CreateAsync(new(new(user, "user"), "Passing", "By."), CancellationToken.None)).Id);
                break;
            case 7:
                await TieAsync(store, user);
                break;
            case 8:
                await RunAsync($"update users set last_name = 'Name{Random.Shared.Next(1000)}' where id = {user}");
                break;
            case 9:
                await RunAsync($"update support_tickets set created_at = (select created_at from support_tickets where id = {Of(ground.HotTickets)}) where id = {ticket}");
                break;
            default:
                await NestedAsync(ticket);
                break;
        }
    }

    private async Task TieAsync(ITicketStore store, int user)
    {
        var ids = new List<int>();
        await using (var command = owner.CreateCommand(
            $"insert into support_tickets (user_id, subject, description) select {user}, 'Tied', 'By time.' from generate_series(1, 3) returning id"))
        {
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync()) ids.Add(reader.GetInt32(0));
        }

        foreach (var id in ids) await CameAsync(store, id);
    }

    private async Task CameAsync(ITicketStore store, int ticket)
    {
        if (ground.Came(ticket) is var gone && gone != 0) await store.DeleteAsync(new(Staff, gone), CancellationToken.None);
    }

    /// <summary>Rows written in a subtransaction carry its id, which no snapshot names.</summary>
    private async Task NestedAsync(int ticket)
    {
        await using var connection = await owner.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await RunAsync($"update support_tickets set updated_at = localtimestamp where id = {ticket}", connection);
        await transaction.SaveAsync("nested");
        await RunAsync($"update support_tickets set category = 'flip' || coalesce(category, '') where id = {ticket}", connection);
        await transaction.ReleaseAsync("nested");
        await RunAsync("select pg_sleep(0.003)", connection);
        await transaction.CommitAsync();
        await RunAsync($"update support_tickets set category = substr(category, 5) where id = {ticket} and category like 'flip%'", connection);
    }

    private async Task RunAsync(string sql)
    {
        await using var command = owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task RunAsync(string sql, NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static int Of(int[] ids) => ids[Random.Shared.Next(ids.Length)];
}
