using Npgsql;

namespace ShadowTicketing.Api.Tests.Database;

/// <summary>The schema is the existing one: its columns, defaults, keys and indexes, and nothing more.</summary>
public sealed class SchemaTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData("support_tickets", """
        id integer not null nextval('support_tickets_id_seq'::regclass)
        user_id integer not null
        subject character varying(255) not null
        description text not null
        status character varying(50) 'open'::character varying
        priority character varying(20) 'medium'::character varying
        category character varying(50) 'general'::character varying
        assigned_to integer
        resolution text
        resolved_at timestamp(6) without time zone
        created_at timestamp(6) without time zone CURRENT_TIMESTAMP
        updated_at timestamp(6) without time zone CURRENT_TIMESTAMP
        """)]
    [InlineData("ticket_comments", """
        id integer not null nextval('ticket_comments_id_seq'::regclass)
        ticket_id integer not null
        user_id integer not null
        comment text not null
        is_internal boolean false
        created_at timestamp(6) without time zone CURRENT_TIMESTAMP
        """)]
    public async Task A_table_has_the_columns_that_exist(string table, string columns) =>
        Assert.Equal(columns.ReplaceLineEndings("\n"), await AskAsync(
            """
            select string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
                pg_get_expr(d.adbin, d.adrelid)), E'\n' order by a.attnum)
            from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
            """,
            table));

    [Theory]
    [InlineData("users", "(email) unique, (id) unique, (is_active), (role)")]
    [InlineData("support_tickets", "(id) unique, (priority, status), (status), (status, created_at DESC), (user_id), (user_id, status)")]
    [InlineData("ticket_comments", "(id) unique, (ticket_id, created_at)")]
    public async Task A_table_has_the_indexes_that_exist(string table, string indexes) => Assert.Equal(indexes, await AskAsync(
        """
        select string_agg(columns || case when indisunique then ' unique' else '' end, ', ' order by columns)
        from (select indisunique, substring(pg_get_indexdef(indexrelid) from '\(.*\)') as columns from pg_index where indrelid = $1::regclass) i
        """,
        table));

    [Fact]
    public async Task Rows_go_with_their_owner_and_their_ticket_and_an_assignee_leaves_a_null() => Assert.Equal(
        "FOREIGN KEY (assigned_to) REFERENCES users(id) ON DELETE SET NULL, FOREIGN KEY (ticket_id) REFERENCES support_tickets(id) ON DELETE CASCADE, "
        + "FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE, FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE",
        await AskAsync("select string_agg(pg_get_constraintdef(oid), ', ' order by pg_get_constraintdef(oid)) from pg_constraint where contype = 'f' and $1 <> ''", "all"));

    [Fact]
    public async Task There_are_no_checks_enums_or_triggers() => Assert.Equal("0", await AskAsync(
        """
        select ((select count(*) from pg_constraint c join pg_namespace n on n.oid = c.connamespace where contype = 'c' and nspname = 'public')
            + (select count(*) from pg_type where typtype = 'e') + (select count(*) from pg_trigger where not tgisinternal))::text where $1 <> ''
        """,
        "all"));

    private async Task<string?> AskAsync(string sql, string parameter)
    {
        var database = await postgres.CloneAsync($"schema_{Guid.NewGuid():N}", TestContext.Current.CancellationToken);
        await using var source = NpgsqlDataSource.Create(database.Owner);
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = parameter });
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) as string;
    }
}
