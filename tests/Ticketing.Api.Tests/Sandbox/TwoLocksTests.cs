using Npgsql;
using Shadowing.Model;
using Shadowing.Postgres.Sandbox;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Parity;
using Ticketing.Api.Tickets;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>
/// What the sandbox may not do fails in two ways that do not depend on each other: a sandbox of a role that may do anything refuses it,
/// for its transactions are read-only; and the sandbox's role may not do it in a transaction that may write.
/// </summary>
public sealed class TwoLocksTests(ParityDatabase database) : IClassFixture<ParityDatabase>
{
    private const string Copy = "copy public.ticket_comments (ticket_id, user_id, comment) from stdin";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Writable =>
        new NpgsqlConnectionStringBuilder(database.Database.Sandbox) { Options = "-c default_transaction_read_only=off" }.ConnectionString;

    [Theory]
    [InlineData("insert into public.support_tickets (user_id, subject, description) values (1, 'a subject', 'a description')")]
    [InlineData("update public.support_tickets set status = 'closed' where id = 7")]
    [InlineData("delete from public.ticket_comments where id = 7")]
    [InlineData("with gone as (delete from public.ticket_comments where id = 7 returning 1) select count(*) from gone")]
    [InlineData("merge into public.support_tickets t using (select 7 id) s on t.id = s.id when matched then update set status = 'closed'")]
    [InlineData("do $$ begin update public.support_tickets set status = 'closed' where id = 7; end $$")]
    [InlineData("truncate public.ticket_comments")]
    [InlineData("select nextval('public.support_tickets_id_seq')")]
    [InlineData("select setval('public.ticket_comments_id_seq', 1)")]
    [InlineData("select id from public.support_tickets where id = 7 for update")]
    [InlineData("select id from public.support_tickets where id = 7 for key share")]
    [InlineData("create table public.mine (id int)")]
    [InlineData("alter table public.support_tickets add column mine int")]
    [InlineData("create index on public.support_tickets (subject)")]
    [InlineData("drop table public.ticket_comments")]
    public async Task What_would_touch_the_real_tables_is_refused_by_either_lock_alone(string statement)
    {
        Assert.Equal(
            PostgresErrorCodes.ReadOnlySqlTransaction,
            await InSandboxOfTheOwnerAsync(session => ExecuteAsync(session.Connection, statement)));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(Writable, statement));
    }

    [Fact]
    public async Task Copying_into_a_real_table_is_refused_by_either_lock_alone()
    {
        Assert.Equal(
            PostgresErrorCodes.ReadOnlySqlTransaction,
            await InSandboxOfTheOwnerAsync(session => session.Connection.BeginTextImportAsync(Copy, Cancellation)));
        await using var connection = new NpgsqlConnection(Writable);
        await connection.OpenAsync(Cancellation);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await StateAsync(() => connection.BeginTextImportAsync(Copy, Cancellation)));
    }

    [Theory]
    [InlineData("set transaction read write")]
    [InlineData("set local transaction_read_only = off")]
    [InlineData("set transaction_read_only = off")]
    public async Task Once_the_sandbox_is_open_its_transaction_cannot_be_made_to_write(string statement) => Assert.Equal(
        PostgresErrorCodes.ActiveSqlTransaction, await InSandboxOfTheOwnerAsync(session => ExecuteAsync(session.Connection, statement)));

    [Fact]
    public async Task Whoever_leaves_the_transaction_meets_the_role()
    {
        await using var sandbox = new WriteSandbox(new(database.Database.Sandbox), TicketSandbox.Tables);
        await using var session = await sandbox.OpenAsync(RowImage.Empty, new Dictionary<string, long>(), Cancellation);
        var state = await StateAsync(() => ExecuteAsync(
            session.Connection, "commit; begin read write; update public.support_tickets set status = 'closed' where id = 7; commit"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, state);
    }

    /// <summary>It writes nothing, so that a read-only transaction allows it: against blocking users, the role is the only lock.</summary>
    [Theory]
    [InlineData("row share")]
    [InlineData("row exclusive")]
    [InlineData("share")]
    [InlineData("access exclusive")]
    public async Task Locking_a_real_table_is_refused_by_the_role(string mode)
    {
        foreach (var table in TicketSandbox.Tables)
        {
            Assert.Equal(
                PostgresErrorCodes.InsufficientPrivilege,
                await Sql.StateAsync(Writable, $"begin; lock table public.{table.Name} in {mode} mode; commit"));
        }
    }

    /// <returns>The SQLSTATE that it ends with.</returns>
    private async Task<string?> InSandboxOfTheOwnerAsync(Func<SandboxSession, Task> use)
    {
        await using var sandbox = new WriteSandbox(new(database.Database.Owner), TicketSandbox.Tables);
        await using var session = await sandbox.OpenAsync(RowImage.Empty, new Dictionary<string, long>(), Cancellation);
        return await StateAsync(() => use(session));
    }

    private static async Task<string?> StateAsync(Func<Task> use)
    {
        try
        {
            await use();
            return null;
        }
        catch (PostgresException refused)
        {
            return refused.SqlState;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
