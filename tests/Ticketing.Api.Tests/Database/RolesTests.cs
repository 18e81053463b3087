using Npgsql;
using Shadowing.Postgres.Checks;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

public sealed class RolesTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TicketingDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await postgres.CloneAsync("roles_" + Guid.NewGuid().ToString("N"), TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("SELECT * FROM support_tickets, ticket_comments LIMIT 1")]
    [InlineData("SELECT id, email, first_name, last_name, role, is_active FROM users")]
    [InlineData("SELECT u.xmin, t.xmin, c.xmin FROM users u, support_tickets t, ticket_comments c LIMIT 1")]
    public async Task The_shadow_reads_what_tickets_need(string query) => Assert.Null(await Sql.StateAsync(_database.Shadow, query));

    [Fact]
    public async Task The_shadow_reads_no_other_column_of_users()
    {
        string[] granted = ["id", "email", "first_name", "last_name", "role", "is_active"];
        var columns = await Sql.LinesAsync(
            _database.Owner, "SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0");
        foreach (var secret in columns.Except(granted))
            Assert.Equal((secret, PostgresErrorCodes.InsufficientPrivilege), (secret, await Sql.StateAsync(_database.Shadow, $"SELECT {secret} FROM users")));
    }

    [Theory]
    [InlineData("INSERT INTO support_tickets (user_id, subject, description) VALUES (1, 'subject', 'description')")]
    [InlineData("UPDATE support_tickets SET status = 'closed' WHERE id = 1")]
    [InlineData("DELETE FROM ticket_comments")]
    [InlineData("TRUNCATE users")]
    [InlineData("SELECT nextval('support_tickets_id_seq')")]
    [InlineData("SELECT id FROM support_tickets WHERE id = 1 FOR UPDATE")]
    [InlineData("DO $$ BEGIN LOCK TABLE support_tickets IN EXCLUSIVE MODE; END $$")]
    [InlineData("CREATE TABLE public.mine (id int)")]
    [InlineData("CREATE SCHEMA mine")]
    [InlineData("CREATE TABLE shadow.mine (id int)")]
    public async Task The_shadow_writes_nothing_even_if_it_asks_to(string statement)
    {
        Assert.NotNull(await Sql.StateAsync(_database.Shadow, statement));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(ReadWrite(_database.Shadow), statement));
    }

    [Fact]
    public async Task The_shadow_is_read_only_and_limited_from_its_first_statement_on()
    {
        Assert.Equal(
            "on|5s|1s|30s",
            await Sql.LineAsync(
                _database.Shadow,
                """
                SELECT current_setting('transaction_read_only'), current_setting('statement_timeout'), current_setting('lock_timeout'),
                       current_setting('idle_in_transaction_session_timeout')
                """));
        Assert.Equal(
            "20|False|False|False|False|False|0",
            await Sql.LineAsync(
                _database.Owner,
                """
                SELECT rolconnlimit, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls,
                       (SELECT count(*) FROM pg_auth_members WHERE member = r.oid)
                FROM pg_roles r WHERE rolname = 'ticketing_shadow'
                """));
    }

    [Fact]
    public async Task The_role_check_finds_nothing_to_object_to()
    {
        await using var source = NpgsqlDataSource.Create(_database.Shadow);
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Assert.Empty(await ShadowRoleCheck.CheckAsync(connection, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_sandbox_has_temporary_tables_that_it_writes_in_a_read_only_transaction()
    {
        Assert.Null(await Sql.StateAsync(
            ReadWrite(_database.Sandbox),
            """
            BEGIN;
            CREATE TEMP TABLE support_tickets (LIKE public.support_tickets INCLUDING INDEXES);
            COMMIT;
            BEGIN READ ONLY;
            INSERT INTO support_tickets SELECT * FROM public.support_tickets LIMIT 5;
            UPDATE support_tickets SET status = 'closed';
            COMMIT;
            """));
        Assert.Equal("True", await Sql.LineAsync(_database.Owner, "SELECT has_database_privilege('ticketing_sandbox', current_database(), 'TEMP')"));
    }

    [Fact]
    public async Task The_shadow_as_it_is_makes_no_temporary_table_though_everybody_may() => Assert.Equal(
        PostgresErrorCodes.ReadOnlySqlTransaction, await Sql.StateAsync(_database.Shadow, "CREATE TEMP TABLE mine (id int)"));

    [Fact]
    public async Task The_served_role_does_what_the_service_does_and_no_more()
    {
        Assert.Null(await Sql.StateAsync(
            _database.Served,
            """
            BEGIN;
            SELECT email, first_name, last_name, role, is_active FROM users WHERE id = 1 FOR KEY SHARE;
            INSERT INTO support_tickets (user_id, subject, description) VALUES (1, 'subject', 'description');
            INSERT INTO ticket_comments (ticket_id, user_id, comment) VALUES (2, 1, 'comment');
            UPDATE support_tickets SET status = 'closed' WHERE id = 2;
            DELETE FROM support_tickets WHERE id = 2;
            ROLLBACK;
            """));
        foreach (var statement in (string[])
        [
            "CREATE TABLE public.mine (id int)", "CREATE TABLE shadow.mine (id int)", "TRUNCATE ticket_comments",
            "ALTER TABLE support_tickets ADD mine int", "SELECT password_hash FROM users", "UPDATE users SET role = 'superadmin'",
            "DELETE FROM users", "INSERT INTO users (email, password_hash, first_name, last_name) VALUES ('new@example.com', 'x', 'New', 'User')",
        ])
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(_database.Served, statement));
    }

    [Fact]
    public async Task The_evidence_is_its_own_roles_and_nobody_elses()
    {
        Assert.Null(await Sql.StateAsync(_database.Evidence, "CREATE TABLE shadow.kept (id int)"));
        foreach (var table in (string[])["users", "support_tickets", "ticket_comments"])
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(_database.Evidence, $"SELECT FROM {table}"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(_database.Evidence, "CREATE TABLE public.mine (id int)"));
        foreach (var stranger in (string[])[_database.Served, _database.Shadow])
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await Sql.StateAsync(stranger, "SELECT FROM shadow.kept"));
    }

    private static string ReadWrite(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Options = "-c default_transaction_read_only=off" }.ConnectionString;
}
