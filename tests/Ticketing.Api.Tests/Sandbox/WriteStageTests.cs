using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Sandbox;
using Shadowing.Writing;
using Ticketing.Api.Tests.Parity;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Api.Tickets;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>The transaction around a write for real: what it holds, for how long, and how it ends when things go wrong.</summary>
public sealed class WriteStageTests(ParityDatabase database) : IClassFixture<ParityDatabase>, IAsyncDisposable
{
    private const string IsWaiting =
        "select exists (select from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database()))";

    private static readonly Caller Staff = new(1, "superadmin");

    /// <summary>Two connections: one that is lost would be missed.</summary>
    private readonly NpgsqlDataSource _served = NpgsqlDataSource.Create(database.Database.Served + ";Maximum Pool Size=2;Timeout=2");

    private readonly NpgsqlDataSource _ending = NpgsqlDataSource.Create(database.Database.Served + ";Pooling=false");
    private readonly NpgsqlDataSource _shadow = NpgsqlDataSource.Create(database.Database.Shadow);
    private readonly NpgsqlDataSource _owner = NpgsqlDataSource.Create(database.Database.Owner);
    private readonly WriteSandbox _sandbox = new(new(database.Database.Sandbox), TicketSandbox.Tables);

    public static TheoryData<bool> WithImages => [true, false];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Callers_who_have_given_up_cost_no_connection()
    {
        var gone = new CancellationToken(canceled: true);
        for (var i = 0; i < 10; i++)
        {
            foreach (var side in Enum.GetValues<Side>())
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Stage().ServeAsync(new(side, Close(7), true), gone).AsTask());
        }

        using var soon = new CancellationTokenSource();
        await using (await HoldAsync(7))
        {
            for (var i = 0; i < 3; i++)
            {
                var begun = Stage().ServeAsync(new(Side.Control, Close(7), true), soon.Token).AsTask();
                if (i == 0) await Until.HoldsAsync(async () => await ScalarAsync<bool>(IsWaiting));
                await soon.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => begun);
            }
        }

        await using var one = await Stage().ServeAsync(new(Side.Control, Close(7), true), Cancellation);
        await using var other = await Stage().ServeAsync(new(Side.Control, Close(8), true), Cancellation);
        Assert.NotNull(other.Before);
    }

    [Theory, MemberData(nameof(WithImages))]
    public async Task Where_somebody_holds_the_row_the_candidate_is_not_let_in(bool withImages)
    {
        await using (await HoldAsync(7))
            await Assert.ThrowsAsync<RowsHeldException>(() => Stage().ServeAsync(new(Side.Candidate, Close(7), withImages), Cancellation).AsTask());

        await using var candidate = await Stage().ServeAsync(new(Side.Candidate, Close(7), withImages), Cancellation);
        Assert.Equal(withImages, candidate.Before is not null);
        Assert.Equal("55P03", await LockAsync(7));
    }

    [Fact]
    public async Task Where_somebody_holds_the_row_the_control_waits_as_it_always_did_and_that_is_no_cost_of_its_images()
    {
        Task<IServedWrite<ITicketStore>> waiting;
        await using (await HoldAsync(7))
        {
            waiting = Stage().ServeAsync(new(Side.Control, Close(7), true), Cancellation).AsTask();
            // Longer than anybody waits for an image: it keeps its place among those who want the row.
            await using var waits = _ending.CreateCommand(
                """
                select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                    and clock_timestamp() - query_start > interval '3 seconds')
                """);
            await Until.HoldsAsync(async () => (bool)(await waits.ExecuteScalarAsync(Cancellation))!);
            Assert.False(waiting.IsCompleted);
        }

        await using var control = await waiting;
        Assert.NotNull(control.Before);
        Assert.Contains(new RowKey("support_tickets", 7), control.Before.Locked);
        Assert.InRange(control.ImageTime, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(3));
    }

    [Theory, MemberData(nameof(WithImages))]
    public async Task Its_locks_are_bounded_by_the_server_should_this_process_freeze(bool withImages)
    {
        var limit = "";
        var stage = Stage((connection, transaction) => limit = Setting(connection, transaction));
        await using (var write = await stage.ServeAsync(new(Side.Candidate, Close(7), withImages), Cancellation))
        {
            Assert.NotNull(write.Store);
            Assert.Equal("1min", limit);
        }

        await using (var connection = await _served.OpenConnectionAsync(Cancellation)) Assert.Equal("0", Setting(connection, null));

        // Whoever has a limit keeps it.
        await using var limited = NpgsqlDataSource.Create(database.Database.Served + ";Options=-c idle_in_transaction_session_timeout=5s");
        var kept = Stage((connection, transaction) => limit = Setting(connection, transaction), limited);
        await using (var write = await kept.ServeAsync(new(Side.Candidate, Close(7), withImages), Cancellation))
        {
            Assert.NotNull(write.Store);
            Assert.Equal("5s", limit);
        }
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("rollback")]
    [InlineData("commit; begin; commit")]
    public async Task A_side_that_ends_the_transaction_itself_is_not_taken_for_undone(string end)
    {
        NpgsqlConnection session = null!;
        await using var write = await Stage((connection, _) => session = connection).ServeAsync(new(Side.Candidate, Close(7), true), Cancellation);
        Assert.NotNull(write.Store);
        Assert.True(write.IsUndone);
        await using (var command = new NpgsqlCommand("update support_tickets set priority = 'high' where id = 7; " + end, session)) await command.ExecuteNonQueryAsync(Cancellation);
        Assert.False(write.IsUndone);
        await Assert.ThrowsAsync<InvalidOperationException>(() => write.CommitAsync(Cancellation));
        Assert.False(write.IsUndone);
    }

    [Theory, MemberData(nameof(WithImages))]
    public async Task A_commit_that_the_server_refuses_is_certainly_undone(bool withImages)
    {
        await ExecuteAsync(
            """
            create function refuse() returns trigger language plpgsql as $$ begin raise 'deferred' using errcode = '23514'; end $$;
            create constraint trigger refuse after update on support_tickets deferrable initially deferred for each row execute function refuse()
            """);
        try
        {
            await using var write = await Stage().ServeAsync(new(Side.Candidate, Close(50), withImages), Cancellation);
            Assert.Equal("closed", (await write.Store.UpdateAsync(Close(50), Cancellation)).Ticket!.Status);
            Assert.Equal("23514", (await Assert.ThrowsAsync<PostgresException>(() => write.CommitAsync(Cancellation))).SqlState);
            Assert.True(write.IsUndone);
        }
        finally
        {
            await ExecuteAsync("drop trigger refuse on support_tickets; drop function refuse");
        }
    }

    [Fact]
    public async Task A_write_whose_rows_cannot_be_read_afterwards_is_committed_all_the_same()
    {
        await using var write = await Stage().ServeAsync(new(Side.Control, Close(51), true), Cancellation);
        var changed = (await write.Store.UpdateAsync(Close(51), Cancellation)).Ticket!;
        await ExecuteAsync("revoke select on users from ticketing_served");
        try
        {
            Assert.Null(await write.CommitAsync(Cancellation));
        }
        finally
        {
            await ExecuteAsync("grant select on users to ticketing_served");
        }

        Assert.False(write.IsUndone);
        Assert.Equal(changed.UpdatedAt, await ScalarAsync<DateTime>("select updated_at from support_tickets where id = 51"));
    }

    [Theory, MemberData(nameof(WithImages))]
    public async Task A_side_that_goes_on_after_a_failure_has_nothing_to_commit(bool withImages)
    {
        NpgsqlConnection session = null!;
        await using var write = await Stage((connection, _) => session = connection).ServeAsync(new(Side.Candidate, Close(52), withImages), Cancellation);
        await write.Store.UpdateAsync(Close(52), Cancellation);
        await using (var command = new NpgsqlCommand("select 1 / 0", session))
            await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancellation));
        await Assert.ThrowsAsync<WriteUndoneException>(() => write.CommitAsync(Cancellation));
        Assert.True(write.IsUndone);
    }

    [Theory]
    [InlineData("statement_timeout")]
    [InlineData("plan_cache_mode")]
    public async Task The_side_has_the_settings_that_it_would_have_had(string setting)
    {
        var found = "";
        await using var own = NpgsqlDataSource.Create(database.Database.Served + ";Options=-c statement_timeout=7s -c plan_cache_mode=force_custom_plan");
        var stage = Stage((connection, transaction) => found = Setting(connection, transaction, setting), own);
        await using var write = await stage.ServeAsync(new(Side.Control, Close(7), true), Cancellation);
        Assert.NotNull(write.Store);
        Assert.Equal(setting is "statement_timeout" ? "7s" : "force_custom_plan", found);
    }

    [Fact]
    public async Task A_session_is_ended_though_the_pool_has_none_to_spare()
    {
        await using var other = await _served.OpenConnectionAsync(Cancellation);
        await using var write = await Stage().ServeAsync(new(Side.Candidate, Close(7), true), Cancellation);
        await write.AbandonAsync();
        // The row is free again.
        await Until.HoldsAsync(async () => await LockAsync(7) is null);
        Assert.True(write.IsUndone);
        await Assert.ThrowsAnyAsync<Exception>(() => write.CommitAsync(Cancellation));
        await Assert.ThrowsAsync<InvalidOperationException>(write.AbandonAsync);
    }

    [Fact]
    public async Task A_side_that_does_not_mind_the_loss_of_its_connection_has_nothing_to_commit()
    {
        NpgsqlConnection session = null!;
        await using var write = await Stage((connection, _) => session = connection).ServeAsync(new(Side.Candidate, Close(53), true), Cancellation);
        await write.Store.UpdateAsync(Close(53), Cancellation);
        await write.AbandonAsync();
        await using (var command = new NpgsqlCommand("select 1", session))
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => command.ExecuteNonQueryAsync(Cancellation));
        await Assert.ThrowsAsync<WriteUndoneException>(() => write.CommitAsync(Cancellation));
        Assert.True(write.IsUndone);
        Assert.True(await ScalarAsync<bool>("select updated_at is null or updated_at < localtimestamp - interval '1 hour' from support_tickets where id = 53"));
    }

    [Fact]
    public async Task Rows_that_are_too_long_are_as_many_as_too_many()
    {
        await ExecuteAsync("update support_tickets set description = repeat('a', 2000001) where id = 9");
        await using var write = await Stage().ServeAsync(new(Side.Control, Close(9), true), Cancellation);
        Assert.True(write.Before!.IsTooLarge);
        Assert.Empty(write.Before.Rows);
    }

    [Fact]
    public async Task A_neighbour_that_is_gone_is_the_writes_own_doing_only_where_it_has_deleted_one()
    {
        Assert.Equal((long[])[21], await GoneAsync(21, async _ => await ExecuteAsync("delete from support_tickets where id = 22")));
        Assert.Equal((long[])[40, 41], await GoneAsync(41, async session =>
        {
            await using var command = new NpgsqlCommand("delete from support_tickets where id = 40", session);
            await command.ExecuteNonQueryAsync(Cancellation);
        }));

        async Task<long[]> GoneAsync(int ticket, Func<NpgsqlConnection, Task> meanwhile)
        {
            NpgsqlConnection session = null!;
            var delete = new DeleteTicket(Staff, ticket);
            await using var write = await Stage((connection, _) => session = connection).ServeAsync(new(Side.Candidate, delete, true), Cancellation);
            await write.Store.DeleteAsync(delete, Cancellation);
            await meanwhile(session);
            return Gone((await write.CommitAsync(Cancellation))!);
        }

        static long[] Gone(WrittenRows written) =>
            [.. written.Changes.Where(change => change.Value is null && change.Key.Table == "support_tickets").Select(change => change.Key.Number!.Value).Order()];
    }

    [Fact]
    public async Task Whom_only_a_neighbour_names_is_a_bystander()
    {
        await using var write = await Stage().ServeAsync(new(Side.Control, Close(7), true), Cancellation);
        var before = write.Before!;
        var users = before.Rows.Keys.Where(row => row.Table == "users").ToArray();
        var concerned = await ColumnAsync<int>(
            "select 1 union select user_id from support_tickets where id = 7 union select assigned_to from support_tickets where id = 7 and assigned_to is not null union select user_id from ticket_comments where ticket_id = 7");
        Assert.Equal(concerned.Order(), users.Except(before.Bystanders).Select(row => (int)row.Number!.Value).Order());
        Assert.Equal([6L, 8L], before.Bystanders.Where(row => row.Table == "support_tickets").Select(row => row.Number!.Value).Order());
    }

    public async ValueTask DisposeAsync()
    {
        await _sandbox.DisposeAsync();
        foreach (var source in new[] { _served, _ending, _shadow, _owner }) await source.DisposeAsync();
    }

    private static UpdateTicket Close(int ticket) => new(Staff, ticket, Status: "closed");

    private static string Setting(NpgsqlConnection connection, NpgsqlTransaction? transaction, string name = "idle_in_transaction_session_timeout")
    {
        using var command = new NpgsqlCommand("show " + name, connection, transaction);
        return (string)command.ExecuteScalar()!;
    }

    private WriteStage<ITicketStore> Stage(Action<NpgsqlConnection, NpgsqlTransaction>? look = null, NpgsqlDataSource? served = null) => new(
        new((served ?? _served).OpenConnectionAsync, _ending, _shadow), _sandbox,
        (side, connection, transaction) =>
        {
            look?.Invoke(connection, transaction);
            var session = TicketSession.Within(connection, transaction);
            return side is Side.Control ? ParityDatabase.Control(session) : database.Candidate(session);
        },
        TicketFootprints.Upto(500), 500, TimeProvider.System);

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task<IAsyncDisposable> HoldAsync(int ticket)
    {
        var connection = await _owner.OpenConnectionAsync(Cancellation);
        _ = await connection.BeginTransactionAsync(Cancellation);
        await using var command = new NpgsqlCommand($"select from support_tickets where id = {ticket} for update", connection);
        await command.ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    /// <returns>Why the row cannot be locked; null where it can.</returns>
    private async Task<string?> LockAsync(int ticket)
    {
        try
        {
            await using var command = _owner.CreateCommand($"select from support_tickets where id = {ticket} for update nowait");
            await command.ExecuteNonQueryAsync(Cancellation);
            return null;
        }
        catch (PostgresException held)
        {
            return held.SqlState;
        }
    }

    private async Task<T> ScalarAsync<T>(string sql) => (await ColumnAsync<T>(sql))[0];

    private async Task<List<T>> ColumnAsync<T>(string sql)
    {
        await using var command = _owner.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var found = new List<T>();
        while (await reader.ReadAsync(Cancellation)) found.Add(reader.GetFieldValue<T>(0));
        return found;
    }
}
