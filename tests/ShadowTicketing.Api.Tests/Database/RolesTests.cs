using Npgsql;
using ShadowTicketing.Demo.Database;
using ShadowTicketing.Shadowing.Postgres;

namespace ShadowTicketing.Api.Tests.Database;

/// <summary>Each position's role may do what it must, and nothing else.</summary>
public sealed class RolesTests(PostgresFixture postgres)
{
    private const string InsufficientPrivilege = "42501";
    private const string ReadOnlyTransaction = "25006";

    [Theory]
    [InlineData("select password_hash from users")]
    [InlineData("select reset_token from users")]
    [InlineData("select oauth_access_token from users")]
    [InlineData("select two_factor_secret from users")]
    [InlineData("select * from users")]
    [InlineData("select nextval('support_tickets_id_seq')")]
    public async Task The_shadow_sees_no_secret_and_takes_no_number(string sql) =>
        Assert.Contains(await FailureAsync(database => database.Shadow, sql), new[] { InsufficientPrivilege, ReadOnlyTransaction });

    [Theory]
    [InlineData("insert into ticket_comments (ticket_id, user_id, comment) values (1, 1, 'x')")]
    [InlineData("update support_tickets set status = 'closed'")]
    [InlineData("delete from support_tickets")]
    [InlineData("truncate ticket_comments")]
    [InlineData("create table public.mine (id int)")]
    [InlineData("create table shadow.mine (id int)")]
    [InlineData("do $$ begin lock table support_tickets in exclusive mode; end $$")]
    public async Task The_shadow_cannot_write_even_in_a_transaction_that_may(string sql) =>
        Assert.Equal(InsufficientPrivilege, await FailureAsync(database => database.Shadow, "set default_transaction_read_only = off", sql));

    [Fact]
    public async Task The_shadow_reads_what_tickets_need_and_the_versions_of_rows_and_may_use_temporary_tables() =>
        Assert.Null(await FailureAsync(
            database => database.Shadow,
            "select *, xmin from support_tickets limit 1",
            "select *, xmin from ticket_comments limit 1",
            "select id, email, first_name, last_name, role, is_active, xmin from users limit 1",
            "set default_transaction_read_only = off; create temp table t (id int); insert into t values (1)"));

    [Fact]
    public async Task The_role_check_finds_nothing_to_object_to()
    {
        var database = await postgres.CloneAsync($"roles_{Guid.NewGuid():N}", TestContext.Current.CancellationToken);
        await using var source = NpgsqlDataSource.Create(database.Shadow);
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Assert.Empty(await ShadowRoleCheck.CheckAsync(connection, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("create table shadow.mine (id int)")]
    [InlineData("create table public.mine (id int)")]
    [InlineData("alter table support_tickets add column mine int")]
    public async Task The_served_role_alters_nothing(string sql) => Assert.Equal(InsufficientPrivilege, await FailureAsync(database => database.Served, sql));

    [Theory]
    [InlineData("select id from support_tickets")]
    [InlineData("select id from users")]
    [InlineData("insert into ticket_comments (ticket_id, user_id, comment) values (1, 1, 'x')")]
    [InlineData("create table public.mine (id int)")]
    public async Task The_evidence_role_touches_nothing_but_its_schema(string sql) =>
        Assert.Equal(InsufficientPrivilege, await FailureAsync(database => database.Evidence, sql));

    /// <summary>Runs the statements one after another.</summary>
    /// <returns>The SQLSTATE of the last; the ones before it must succeed.</returns>
    private async Task<string?> FailureAsync(Func<TicketingDatabase, string> role, params string[] statements)
    {
        var database = await postgres.CloneAsync($"roles_{Guid.NewGuid():N}", TestContext.Current.CancellationToken);
        await using var source = NpgsqlDataSource.Create(role(database));
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        foreach (var sql in statements[..^1]) await ExecuteAsync(sql);
        try
        {
            await ExecuteAsync(statements[^1]);
            return null;
        }
        catch (PostgresException refused)
        {
            return refused.SqlState;
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }
}
