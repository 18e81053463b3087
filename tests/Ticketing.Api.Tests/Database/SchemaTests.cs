using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

public sealed class SchemaTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Mine = "c.relnamespace = 'public'::regnamespace";
    private TicketingDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await postgres.CloneAsync("schema_" + Guid.NewGuid().ToString("N"), TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("users", """
        id integer not null nextval('users_id_seq'::regclass)
        email character varying(255) not null
        password_hash character varying(255) not null
        first_name character varying(100) not null
        last_name character varying(100) not null
        role character varying(50) 'user'::character varying
        department character varying(100)
        job_title character varying(100)
        is_active boolean true
        is_verified boolean false
        verification_token character varying(255)
        verification_token_expires timestamp(6) without time zone
        reset_token character varying(255)
        reset_token_expires timestamp(6) without time zone
        oauth_provider character varying(50)
        oauth_id character varying(255)
        oauth_access_token text
        oauth_refresh_token text
        two_factor_secret character varying(255)
        last_login timestamp(6) without time zone
        created_at timestamp(6) without time zone CURRENT_TIMESTAMP
        updated_at timestamp(6) without time zone CURRENT_TIMESTAMP
        """)]
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
    public async Task A_table_has_these_columns_and_defaults(string table, string columns)
    {
        var found = await Sql.LinesAsync(
            _database.Owner,
            $"""
            SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END, pg_get_expr(adbin, adrelid))
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum
            """);
        Assert.Equal(columns.Split('\n', StringSplitOptions.TrimEntries), found);
    }

    [Fact]
    public async Task There_are_these_tables_indexes_and_foreign_keys_and_no_check_enum_or_trigger()
    {
        var indexes = await Sql.LinesAsync(
            _database.Owner,
            $"""
            SELECT replace(pg_get_indexdef(i.indexrelid), 'CREATE ', '')
            FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE {Mine} ORDER BY i.indexrelid::regclass::text
            """);
        Assert.Equal(
            [
                "INDEX idx_support_tickets_priority_status ON public.support_tickets USING btree (priority, status)",
                "INDEX idx_support_tickets_status ON public.support_tickets USING btree (status)",
                "INDEX idx_support_tickets_status_created_at ON public.support_tickets USING btree (status, created_at DESC)",
                "INDEX idx_support_tickets_user_id ON public.support_tickets USING btree (user_id)",
                "INDEX idx_support_tickets_user_id_status ON public.support_tickets USING btree (user_id, status)",
                "INDEX idx_ticket_comments_ticket_id_created_at ON public.ticket_comments USING btree (ticket_id, created_at)",
                "INDEX idx_users_is_active ON public.users USING btree (is_active)",
                "INDEX idx_users_role ON public.users USING btree (role)",
                "UNIQUE INDEX support_tickets_pkey ON public.support_tickets USING btree (id)",
                "UNIQUE INDEX ticket_comments_pkey ON public.ticket_comments USING btree (id)",
                "UNIQUE INDEX users_email_key ON public.users USING btree (email)",
                "UNIQUE INDEX users_pkey ON public.users USING btree (id)",
            ],
            indexes);

        var constraints = await Sql.LinesAsync(
            _database.Owner,
            $"""
            SELECT conrelid::regclass || ' ' || pg_get_constraintdef(o.oid)
            FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid WHERE {Mine} AND contype NOT IN ('p', 'u', 'n') ORDER BY 1
            """);
        Assert.Equal(
            [
                "support_tickets FOREIGN KEY (assigned_to) REFERENCES users(id) ON DELETE SET NULL",
                "support_tickets FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE",
                "ticket_comments FOREIGN KEY (ticket_id) REFERENCES support_tickets(id) ON DELETE CASCADE",
                "ticket_comments FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE",
            ],
            constraints);
        Assert.Equal(
            ["support_tickets", "ticket_comments", "users"],
            await Sql.LinesAsync(_database.Owner, $"SELECT relname FROM pg_class c WHERE {Mine} AND relkind NOT IN ('i', 'S') ORDER BY 1"));
        Assert.Empty(await Sql.LinesAsync(_database.Owner, "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"));
        Assert.Empty(await Sql.LinesAsync(_database.Owner, "SELECT typname FROM pg_type WHERE typtype IN ('e', 'd') AND typnamespace = 'public'::regnamespace"));
    }
}
