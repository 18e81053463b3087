using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Sandbox;
using Ticketing.Api.Tests.Parity;
using Ticketing.Api.Tickets;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Users of either side on one copy of the seeded tables, each in a session of its own, and who makes them wait.</summary>
public sealed class Contenders(PostgresFixture postgres) : IAsyncLifetime
{
    // Any lock that is not granted yet, of a row, a transaction or a table.
    private const string IsWaiting = "select exists (select from pg_locks where pid = $1 and not granted)";

    private readonly ParityDatabase _database = new(postgres);
    private NpgsqlDataSource _owner = null!;
    private WriteSandbox _sandbox = null!;

    internal static readonly Caller Staff = new(1, "superadmin");

    /// <summary>Who comes first and who second: each side with itself, and both ways round with the other, as during a rollout.</summary>
    public static TheoryData<Side, Side> Pairings { get; } = new(
        (Side.Control, Side.Control), (Side.Candidate, Side.Candidate), (Side.Control, Side.Candidate), (Side.Candidate, Side.Control));

    internal NpgsqlDataSource Served { get; private set; } = null!;

    /// <summary>Where a write is done with its rows read before and after.</summary>
    internal WriteStage<ITicketStore> Stage { get; private set; } = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _database.InitializeAsync();
        Served = NpgsqlDataSource.Create(_database.Database.Served);
        _owner = new NpgsqlDataSourceBuilder(_database.Database.Owner) { ConnectionStringBuilder = { Pooling = true } }.Build();
        _sandbox = new(new(_database.Database.Sandbox), TicketSandbox.Tables);
        Stage = new(
            new(Served.OpenConnectionAsync, Served, Served), _sandbox,
            (side, connection, transaction) => Store(side, TicketSession.Within(connection, transaction)),
            TicketFootprints.Upto(500), 500, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _sandbox.DisposeAsync();
        await Served.DisposeAsync();
        await _owner.DisposeAsync();
        await _database.DisposeAsync();
    }

    internal ITicketStore Store(Side side, TicketSession session) =>
        side is Side.Control ? ParityDatabase.Control(session) : _database.Candidate(session);

    /// <summary>A write as the service does it: in a session of its own, with whatever transactions the side makes.</summary>
    internal async Task<T> RunAsync<T>(Side side, Func<ITicketStore, Task<T>> write)
    {
        await using var session = await TicketSession.OpenAsync(Served, Cancellation);
        return await write(Store(side, session));
    }

    /// <summary>Begins a write, and returns it as soon as it waits for a lock.</summary>
    internal async Task<Task<T>> UntilItWaitsAsync<T>(Side side, Func<ITicketStore, Task<T>> write)
    {
        var session = await TicketSession.OpenAsync(Served, Cancellation);
        return await UntilItWaitsAsync(session.Connection.ProcessID, FinishAsync());

        async Task<T> FinishAsync()
        {
            await using (session) return await write(Store(side, session));
        }
    }

    /// <summary>As above, for a write of the control's that is compared: with its rows locked and read first, in the same transaction.</summary>
    internal async Task<Task<T>> UntilItWaitsComparedAsync<T>(object request, Func<ITicketStore, Task<T>> write)
    {
        var running = FinishAsync();
        while (!await ScalarAsync<bool>("select exists (select from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.usename = 'ticketing_served' and a.datname = current_database())"))
        {
            if (running.IsCompleted) Assert.Fail($"It waited for nobody, and ended: {await RefusalAsync(running) ?? "done"}.");
            await Task.Yield();
        }

        return running;

        async Task<T> FinishAsync()
        {
            await using var served = await Stage.ServeAsync(new(Side.Control, request, true), Cancellation);
            Assert.NotNull(served.Before);
            var answer = await write(served.Store);
            await served.CommitAsync(Cancellation);
            return answer;
        }
    }

    /// <summary>As above, for a statement of somebody who is neither side.</summary>
    internal async Task<Task<int>> UntilItWaitsAsync(string sql)
    {
        var connection = await _owner.OpenConnectionAsync(Cancellation);
        return await UntilItWaitsAsync(connection.ProcessID, FinishAsync());

        async Task<int> FinishAsync()
        {
            await using (connection)
            {
                await using var command = new NpgsqlCommand(sql, connection);
                return await command.ExecuteNonQueryAsync(Cancellation);
            }
        }
    }

    /// <summary>Two writes that wait for what a third session did, the first longer than the second; then the third lets go.</summary>
    internal async Task<(Task<T1> First, Task<T2> Second)> MeetAsync<T1, T2>(
        string held, Side first, Func<ITicketStore, Task<T1>> write, Side second, Func<ITicketStore, Task<T2>> another)
    {
        await using var hold = await HoldAsync(held);
        var one = await UntilItWaitsAsync(first, write);
        var other = await UntilItWaitsAsync(second, another);
        await hold.LetGoAsync();
        return (one, other);
    }

    /// <summary>Does something in a transaction that stays open.</summary>
    internal async Task<Hold> HoldAsync(string sql)
    {
        var connection = await _owner.OpenConnectionAsync(Cancellation);
        var hold = new Hold(connection, await connection.BeginTransactionAsync(Cancellation));
        await hold.ScalarAsync(sql);
        return hold;
    }

    internal Task<int> AddUserAsync() => ScalarAsync<int>(
        """
        insert into users (email, password_hash, first_name, last_name, role)
        values (gen_random_uuid() || '@example.test', '-', 'Ursula', 'Example', 'user') returning id
        """);

    /// <summary>A ticket of the owner's, of low priority, that nobody has touched since 2020.</summary>
    internal Task<int> AddTicketAsync(int? owner = null, string status = "open") => ScalarAsync<int>(
        $"""
        insert into support_tickets (user_id, subject, description, status, priority, resolved_at, created_at, updated_at)
        values ({owner ?? Staff.UserId}, 'A subject', 'A description', '{status}', 'low',
            case when '{status}' = 'resolved' then timestamp '2020-01-02' end, '2020-01-01', '2020-01-02') returning id
        """);

    /// <summary>The row, whoever reads it; null where there is none.</summary>
    internal async Task<Ticket?> StoredAsync(int ticket)
    {
        var found = (await RunAsync(Side.Control, store => store.GetAsync(new(Staff, ticket), Cancellation))).Ticket;
        return found is null ? null : new(
            found.Id, found.UserId, found.Subject, found.Description, found.Status, found.Priority, found.Category, found.AssignedTo,
            found.Resolution, found.ResolvedAt, found.CreatedAt, found.UpdatedAt);
    }

    internal Task<long> CommentsOfAsync(int ticket) =>
        ScalarAsync<long>($"select count(*) from ticket_comments where ticket_id = {ticket}");

    internal async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = _owner.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    internal Task<T[]> ColumnAsync<T>(string sql) => ScalarAsync<T[]>($"select coalesce(array_agg(c), '{{}}') from ({sql}) t (c)");

    internal async Task ExecuteAsync(string sql)
    {
        await using var command = _owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>What the database refused with and by which constraint, whether or not a library wrapped it.</summary>
    internal static async Task<string?> RefusalAsync(Task write)
    {
        var failure = await Record.ExceptionAsync(() => write);
        return (failure as PostgresException ?? failure?.InnerException as PostgresException) is { } refused
            ? $"{refused.SqlState} {refused.ConstraintName}".TrimEnd()
            : failure?.ToString();
    }

    private async Task<Task<T>> UntilItWaitsAsync<T>(int process, Task<T> write)
    {
        await using var look = _owner.CreateCommand(IsWaiting);
        look.Parameters.Add(new() { Value = process });
        while (!(bool)(await look.ExecuteScalarAsync(Cancellation))!)
        {
            if (write.IsCompleted) Assert.Fail($"It waited for nobody, and ended: {await RefusalAsync(write) ?? "done"}.");
            await Task.Yield();
        }

        return write;
    }

    /// <summary>A transaction of a third session, with all that it has locked.</summary>
    internal sealed class Hold(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public async Task<object?> ScalarAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            return await command.ExecuteScalarAsync(Cancellation);
        }

        public Task LetGoAsync() => transaction.CommitAsync(Cancellation);

        public Task UndoAsync() => transaction.RollbackAsync(Cancellation);

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
