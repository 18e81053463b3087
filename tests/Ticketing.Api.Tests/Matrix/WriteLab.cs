using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Sandbox;
using Ticketing.Api.Tests.Parity;
using Ticketing.Api.Tickets;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>What came of a write.</summary>
/// <param name="Now">Its transaction's clock.</param>
/// <param name="Rows">All that are there afterwards.</param>
internal sealed record WriteRun(object? Answer, Exception? Error, string Now, IReadOnlyDictionary<RowKey, string> Rows);

/// <summary>Runs writes in the sandbox, all on the same ticket with its comments and two others beside it.</summary>
internal sealed class WriteLab : IAsyncDisposable
{
    private const long NewKey = 1_234_567;

    // All there is to lose, and what no change that provokes anything sets.
    private const string Full =
        """
        {"status": "in_progress", "priority": "high", "category": "bug", "assigned_to": 1, "resolution": "Restarted.",
         "resolved_at": "2024-05-06T07:08:09.123456", "created_at": "2024-01-02T03:04:05.123456",
         "updated_at": "2024-05-06T07:08:09.123456"}
        """;

    private readonly WriteSandbox _sandbox;
    private readonly RowImage _rows;

    private WriteLab(WriteSandbox sandbox, WriteScene scene, RowImage rows) => (_sandbox, Scene, _rows) = (sandbox, scene, rows);

    public WriteScene Scene { get; }

    public static async Task<WriteLab> OpenAsync(ParityDatabase database, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database.Database.Owner);
        var ids = await ReadAsync<int[]>(source, "select array[min(id), max(id)] from users where role = 'user'", cancellationToken);
        int[] tickets = await ReadAsync<int[]>(
            source,
            $"""
            select array_agg(id) from (select t.id from support_tickets t join users u on u.id = t.user_id
                where u.role = 'user' and t.user_id <> {ids[1]} and t.id in (select ticket_id from ticket_comments)
                order by t.id limit 3) as chosen
            """,
            cancellationToken);
        var owner = await ReadAsync<int>(source, $"select user_id from support_tickets where id = {tickets[0]}", cancellationToken);
        var of = $"in ({string.Join(", ", tickets)})";
        var rows = new Dictionary<RowKey, string>();
        foreach (var (table, where) in ((string, string)[])
        [
            ("users",
                $"""
                id in (1, {ids[1]}) or id in (select user_id from support_tickets where id {of}
                    union select assigned_to from support_tickets where id {of}
                    union select user_id from ticket_comments where ticket_id {of})
                """),
            ("support_tickets", $"id {of}"), ("ticket_comments", $"ticket_id {of}"),
        ])
        {
            var columns = TicketSandbox.Tables.Single(copy => copy.Name == table).Columns is { } granted ? string.Join(", ", granted) : "*";
            await using var command = source.CreateCommand($"select id, to_jsonb(t)::text from (select {columns} from {table} where {where}) t");
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken)) rows[new(table, reader.GetInt32(0))] = reader.GetString(1);
        }

        return new(new(new(database.Database.Sandbox), TicketSandbox.Tables), new(tickets[0], owner, ids[1]), new(rows));
    }

    public async Task<WriteRun> RunAsync(
        Provocation provocation, Func<TicketSession, ITicketStore> side, CancellationToken cancellationToken)
    {
        var before = Before(provocation);
        var keys = new Dictionary<string, long> { ["support_tickets"] = NewKey, ["ticket_comments"] = NewKey };
        await using var session = await _sandbox.OpenAsync(before, keys, cancellationToken);
        try
        {
            var store = side(TicketSession.Within(session.Connection, session.Transaction));
            var answer = await AskAsync(store, provocation.Request(Scene), cancellationToken);
            var written = await session.ReadAsync(cancellationToken);
            var rows = before.Rows.Where(row => !written.Changes.ContainsKey(row.Key))
                .Concat(written.Changes.Where(row => row.Value is not null).Select(row => KeyValuePair.Create(row.Key, row.Value!)));
            return new(answer, null, written.Now, rows.ToDictionary());
        }
        catch (Exception failure) when (failure is NpgsqlException or DbUpdateException or InvalidOperationException)
        {
            return new(null, failure, "", before.Rows);
        }
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    private RowImage Before(Provocation provocation)
    {
        var key = new RowKey("support_tickets", Scene.Ticket);
        var ticket = JsonNode.Parse(_rows.Rows[key])!.AsObject();
        foreach (var (column, value) in ((string[])[Full, provocation.Ticket]).SelectMany(given => JsonNode.Parse(given)!.AsObject()))
            ticket[column] = value?.DeepClone();
        return _rows with { Rows = new Dictionary<RowKey, string>(_rows.Rows) { [key] = ticket.ToJsonString() } };
    }

    private static async Task<object> AskAsync(ITicketStore store, object request, CancellationToken cancellationToken) => request switch
    {
        CreateTicket create => await store.CreateAsync(create, cancellationToken),
        UpdateTicket update => await store.UpdateAsync(update, cancellationToken),
        DeleteTicket delete => await store.DeleteAsync(delete, cancellationToken),
        AddComment comment => await store.CommentAsync(comment, cancellationToken),
        _ => throw new ArgumentException("Not a write.", nameof(request)),
    };

    private static async Task<T> ReadAsync<T>(NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
