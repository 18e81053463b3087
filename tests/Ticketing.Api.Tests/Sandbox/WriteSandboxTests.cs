using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Sandbox;
using Shadowing.Writing;
using Ticketing.Api.Tests.Parity;
using Ticketing.Api.Tickets;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Both sides' unmodified writes on copies of the rows: what they do is seen, and nothing of it is done.</summary>
public sealed class WriteSandboxTests(ParityDatabase database) : IClassFixture<ParityDatabase>, IAsyncDisposable
{
    private const int NewKey = 1_234_567;
    private static readonly Caller Staff = new(1, "superadmin");
    private static readonly Dictionary<string, long> NoKeys = [];

    private readonly WriteSandbox _sandbox = new(new(database.Database.Sandbox), TicketSandbox.Tables);

    public static TheoryData<bool> Sides => [true, false];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Sides))]
    public async Task A_new_ticket_gets_the_key_that_it_is_to_get_and_the_databases_clock(bool isCandidate)
    {
        var run = await RunAsync(
            isCandidate, store => store.CreateAsync(new(Staff, "A subject", "A description"), Cancellation), new() { ["support_tickets"] = NewKey },
            await ImageAsync(("users", "id = 1")));
        Assert.Null(run.Error);
        Assert.Equal((NewKey, "general"), (run.Answer!.Id, run.Answer.Category));
        var row = run.Row("support_tickets", NewKey);
        Assert.Equal((run.Written.Now, run.Written.Now), ((string)row["created_at"]!, (string)row["updated_at"]!));
        Assert.Equal("open", (string)row["status"]!);
    }

    [Theory, MemberData(nameof(Sides))]
    public async Task A_comment_and_its_ticket_bear_the_same_time(bool isCandidate)
    {
        var run = await RunAsync(
            isCandidate, store => store.CommentAsync(new(Staff, 7, "A comment"), Cancellation), new() { ["ticket_comments"] = NewKey }, await TicketAsync(7));
        Assert.Null(run.Error);
        Assert.Equal((string)run.Row("support_tickets", 7)["updated_at"]!, (string)run.Row("ticket_comments", NewKey)["created_at"]!);
    }

    [Theory, MemberData(nameof(Sides))]
    public async Task Deleting_a_ticket_takes_its_comments_along(bool isCandidate)
    {
        var before = await TicketAsync(7);
        Assert.Contains(before.Rows.Keys, row => row.Table == "ticket_comments");
        var run = await RunAsync(isCandidate, store => store.DeleteAsync(new(Staff, 7), Cancellation), NoKeys, before);
        Assert.Equal(TicketAccess.Granted, run.Answer!.Access);
        Assert.All(before.Rows.Keys.Where(row => row.Table != "users"), row => Assert.Null(run.Written.Changes[row]));
    }

    [Theory, MemberData(nameof(Sides))]
    public async Task What_the_tables_would_refuse_is_refused_and_leaves_the_rows_as_they_were(bool isCandidate)
    {
        var before = await TicketAsync(7);
        var run = await RunAsync(
            isCandidate, store => store.UpdateAsync(new(Staff, 7, Status: "closed", AssignedTo: new(999_999)), Cancellation), NoKeys, before);
        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, Assert.IsType<PostgresException>(run.Error is PostgresException own ? own : run.Error!.InnerException).SqlState);
        Assert.Empty(run.Written.Changes);
    }

    [Fact]
    public async Task Nothing_reaches_the_tables_their_sequences_or_the_catalogues()
    {
        await UpdateAsync();
        var before = await StateAsync();
        for (var i = 0; i < 50; i++) await UpdateAsync();
        Assert.Equal(before, await StateAsync());

        async Task UpdateAsync() => Assert.Null((await RunAsync(
            isCandidate: true, store => store.UpdateAsync(new(Staff, 7, Status: "resolved"), Cancellation), NoKeys, await TicketAsync(7))).Error);

        Task<string> StateAsync() => ScalarAsync(
            """
            select concat_ws(' ', (select md5(string_agg(t::text, '' order by id)) from support_tickets t),
                (select md5(string_agg(c::text, '' order by id)) from ticket_comments c),
                (select last_value from support_tickets_id_seq), (select last_value from ticket_comments_id_seq),
                (select count(*) from pg_class), (select count(*) from pg_attribute), (select count(*) from pg_constraint))
            """);
    }

    [Fact]
    public async Task On_the_real_tables_it_holds_no_lock_but_that_of_looking()
    {
        var locks = "";
        await RunAsync(isCandidate: true, async store =>
        {
            var changed = await store.UpdateAsync(new(Staff, 7, Status: "resolved"), Cancellation);
            locks = await ScalarAsync(
                """
                select string_agg(distinct l.mode, ', ') from pg_locks l join pg_class c on c.oid = l.relation
                where c.relnamespace = 'public'::regnamespace and l.pid <> pg_backend_pid()
                    and l.database = (select oid from pg_database where datname = current_database())
                """);
            return changed;
        }, NoKeys, await TicketAsync(7));
        Assert.True(locks is "" or "AccessShareLock", locks);
    }

    [Theory]
    [InlineData("insert into public.support_tickets (user_id, subject, description) values (1, 'a subject', 'a description')")]
    [InlineData("update public.support_tickets set status = 'closed' where id = 7")]
    [InlineData("delete from public.ticket_comments")]
    public async Task A_write_to_the_real_tables_fails_by_either_lock_alone(string write)
    {
        var readOnly = await RunAsync(write);
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, Assert.IsType<PostgresException>(readOnly.Error).SqlState);
        await using var source = NpgsqlDataSource.Create(database.Database.Sandbox + ";Options=-c default_transaction_read_only=off");
        await using var command = source.CreateCommand(write);
        var denied = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancellation));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, denied.SqlState);
    }

    [Fact]
    public async Task A_table_that_has_changed_is_copied_anew()
    {
        await RunAsync(isCandidate: false, store => store.DeleteAsync(new(Staff, 7), Cancellation), NoKeys, await TicketAsync(7));
        await ExecuteAsync("alter table support_tickets add column urgency int default 3");
        try
        {
            var run = await RunAsync(
                isCandidate: false, store => store.UpdateAsync(new(Staff, 7, Status: "closed"), Cancellation), NoKeys, await TicketAsync(7));
            Assert.Null(run.Error);
            Assert.Equal(3, (int)run.Row("support_tickets", 7)["urgency"]!);
        }
        finally
        {
            await ExecuteAsync("alter table support_tickets drop column urgency");
        }
    }

    [Theory]
    [InlineData("alter table support_tickets alter category set default 'other'", "alter table support_tickets alter category set default 'general'")]
    [InlineData("alter table support_tickets add constraint brief check (length(subject) < 100000)", "alter table support_tickets drop constraint brief")]
    [InlineData("alter table support_tickets alter description drop not null", "alter table support_tickets alter description set not null")]
    [InlineData("create unique index apart on support_tickets (id, subject)", "drop index apart")]
    public async Task A_condition_or_a_default_that_has_changed_is_copied_too(string change, string back)
    {
        var before = await SessionAsync();
        await ExecuteAsync(change);
        try
        {
            var changed = await SessionAsync();
            Assert.NotEqual(before, changed);
            Assert.Equal(changed, await SessionAsync());
        }
        finally
        {
            await ExecuteAsync(back);
        }
    }

    [Fact]
    public async Task A_reference_that_the_copies_do_not_have_keeps_everything_out()
    {
        await ExecuteAsync("alter table ticket_comments add constraint beyond foreign key (user_id) references users (id) deferrable");
        try
        {
            await Assert.ThrowsAsync<SandboxUnsafeException>(SessionAsync);
        }
        finally
        {
            await ExecuteAsync("alter table ticket_comments drop constraint beyond");
        }

        await SessionAsync();
    }

    [Fact]
    public async Task Rows_that_a_side_leaves_behind_are_gone_at_the_next_use()
    {
        var before = await TicketAsync(7);
        await using (var session = await _sandbox.OpenAsync(before, NoKeys, Cancellation))
        {
            await using var command = new NpgsqlCommand("commit", session.Connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        var run = await RunAsync(isCandidate: true, store => store.UpdateAsync(new(Staff, 7, Status: "closed"), Cancellation), NoKeys, before);
        Assert.Null(run.Error);
        await using var empty = await _sandbox.OpenAsync(RowImage.Empty, NoKeys, Cancellation);
        Assert.Empty((await empty.ReadAsync(Cancellation)).Changes);
    }

    [Fact]
    public async Task It_lives_in_the_zone_of_the_write_for_real()
    {
        var before = await TicketAsync(7);
        foreach (var zone in (string[])["Asia/Kathmandu", "UTC"])
        {
            await using var session = await _sandbox.OpenAsync(before with { TimeZone = zone }, NoKeys, Cancellation);
            await using var command = new NpgsqlCommand("show TimeZone", session.Connection, session.Transaction);
            Assert.Equal(zone, await command.ExecuteScalarAsync(Cancellation));
        }

        await using var own = await _sandbox.OpenAsync(before, NoKeys, Cancellation);
        await using var look = new NpgsqlCommand("show TimeZone", own.Connection, own.Transaction);
        Assert.Equal("UTC", await look.ExecuteScalarAsync(Cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transaction_of_the_contexts_own_is_a_savepoint_there(bool isCommitted)
    {
        await using var session = await _sandbox.OpenAsync(await TicketAsync(7), NoKeys, Cancellation);
        await using var context = await database.Contexts.CreateDbContextAsync(Cancellation);
        context.Database.SetDbConnection(session.Connection);
        await using (await context.Database.UseTransactionAsync(session.Transaction, Cancellation))
        {
            await using (var own = await context.Database.BeginTransactionAsync(Cancellation))
            {
                Assert.Same(own, context.Database.CurrentTransaction);
                context.Add(new CommentRow { TicketId = 7, UserId = Staff.UserId, Comment = "In a transaction of its own" });
                await context.SaveChangesAsync(Cancellation);
                if (isCommitted) await own.CommitAsync(Cancellation);
            }

            // What came before and after is the outer one's.
            await context.Tickets.Where(ticket => ticket.Id == 7).ExecuteUpdateAsync(set => set.SetProperty(ticket => ticket.Resolution, "By the outer one"), Cancellation);
        }

        context.Database.SetDbConnection(null);
        var written = await session.ReadAsync(Cancellation);
        Assert.Equal(isCommitted ? 1 : 0, written.Changes.Keys.Count(row => row.Table == "ticket_comments"));
        Assert.Contains("By the outer one", written.Changes[new("support_tickets", 7)]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_could_write_is_used_by_nobody_again()
    {
        var before = await SessionAsync();
        await using (var session = await _sandbox.OpenAsync(RowImage.Empty, NoKeys, Cancellation))
        {
            await using var command = new NpgsqlCommand("commit; set default_transaction_read_only = off", session.Connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        Assert.NotEqual(before, await SessionAsync());
        await using var next = await _sandbox.OpenAsync(RowImage.Empty, NoKeys, Cancellation);
        await using var look = new NpgsqlCommand("show transaction_read_only", next.Connection, next.Transaction);
        Assert.Equal("on", await look.ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task A_session_takes_no_more_room_however_often_it_is_used()
    {
        // Four hundred rows a time, each undone: thousands of writes of what is usual.
        var rows = new Dictionary<RowKey, string>((await TicketAsync(7)).Rows);
        var ticket = rows[new("support_tickets", 7)];
        for (var id = 1_000; id < 1_400; id++) rows[new("support_tickets", id)] = ticket.Replace("\"id\": 7", $"\"id\": {id}", StringComparison.Ordinal);
        var (most, session) = (0L, await SessionAsync());
        for (var use = 0; use < 60; use++)
        {
            await using var open = await _sandbox.OpenAsync(new(rows), NoKeys, Cancellation);
            await using var command = new NpgsqlCommand("select pg_total_relation_size('pg_temp.support_tickets'), pg_backend_pid()", open.Connection, open.Transaction);
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            await reader.ReadAsync(Cancellation);
            most = Math.Max(most, reader.GetInt64(0));
            Assert.Equal(session, reader.GetInt32(1));
        }

        Assert.InRange(most, 256 << 10, 1 << 20);
    }

    [Fact]
    public async Task A_name_that_means_the_real_table_is_noticed_before_anything_runs()
    {
        var hijacked = new NpgsqlDataSourceBuilder(database.Database.Sandbox)
        {
            ConnectionStringBuilder = { SearchPath = "public, pg_temp" },
        };
        await using var sandbox = new WriteSandbox(hijacked, TicketSandbox.Tables);
        await Assert.ThrowsAsync<SandboxUnsafeException>(() => sandbox.OpenAsync(RowImage.Empty, NoKeys, Cancellation));
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    private Task<SandboxRun<T>> RunAsync<T>(bool isCandidate, Func<ITicketStore, Task<T>> write, Dictionary<string, long> keys, RowImage before) =>
        RunAsync(before, keys, session =>
        {
            var tickets = TicketSession.Within(session.Connection, session.Transaction);
            return write(isCandidate ? database.Candidate(tickets) : ParityDatabase.Control(tickets));
        });

    private Task<SandboxRun<int>> RunAsync(string sql) => RunAsync(RowImage.Empty, NoKeys, async session =>
    {
        await using var command = new NpgsqlCommand(sql, session.Connection, session.Transaction);
        return await command.ExecuteNonQueryAsync(Cancellation);
    });

    private async Task<SandboxRun<T>> RunAsync<T>(RowImage before, Dictionary<string, long> keys, Func<SandboxSession, Task<T>> write)
    {
        await using var session = await _sandbox.OpenAsync(before, keys, Cancellation);
        try
        {
            var answer = await write(session);
            return new(answer, null, await session.ReadAsync(Cancellation));
        }
        catch (Exception error) when (error is NpgsqlException or Microsoft.EntityFrameworkCore.DbUpdateException)
        {
            return new(default, error, WrittenRows.Untouched(before));
        }
    }

    /// <summary>The server's number of the session that a sandbox is opened in.</summary>
    private async Task<int> SessionAsync()
    {
        await using var session = await _sandbox.OpenAsync(RowImage.Empty, NoKeys, Cancellation);
        return session.Connection.ProcessID;
    }

    /// <summary>A ticket, its comments, and everybody whom they name.</summary>
    private Task<RowImage> TicketAsync(int id) => ImageAsync(
        ("users", $"id = 1 or id in (select user_id from support_tickets where id = {id} union select assigned_to from support_tickets where id = {id} union select user_id from ticket_comments where ticket_id = {id})"),
        ("support_tickets", $"id = {id}"), ("ticket_comments", $"ticket_id = {id}"));

    private async Task<RowImage> ImageAsync(params (string Table, string Where)[] wanted)
    {
        await using var source = NpgsqlDataSource.Create(database.Database.Owner);
        var rows = new Dictionary<RowKey, string>();
        foreach (var (table, where) in wanted)
        {
            await using var command = source.CreateCommand($"select id, to_jsonb(t)::text from {table} t where {where}");
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            while (await reader.ReadAsync(Cancellation)) rows[new(table, reader.GetInt32(0))] = reader.GetString(1);
        }

        return new(rows);
    }

    private async Task<string> ScalarAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(database.Database.Owner);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation) as string ?? "";
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(database.Database.Owner);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private sealed record SandboxRun<T>(T? Answer, Exception? Error, WrittenRows Written)
    {
        public JsonObject Row(string table, long key)
        {
            var row = new RowKey(table, key);
            return JsonNode.Parse(Written.Changes.GetValueOrDefault(row) ?? Written.Before.Rows[row])!.AsObject();
        }
    }
}
