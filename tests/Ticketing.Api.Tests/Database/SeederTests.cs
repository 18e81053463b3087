using Microsoft.Extensions.Time.Testing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

public sealed class SeederTests(SeederTests.Seeded seeded) : IClassFixture<SeederTests.Seeded>
{
    private static readonly FakeTimeProvider Clock = new(new DateTimeOffset(2026, 11, 23, 10, 20, 30, 456, TimeSpan.Zero));
    private static readonly string[] Tables = ["users", "support_tickets", "ticket_comments"];

    // Role and is_active, NULL as nothing.
    private static readonly string[] OddStandings =
        ["admin|False", "admin|", "superadmin|False", "user|False", "user|", "|True", "|", "moderator|True", "ADMIN|True", " admin|True"];

    private readonly TicketingDatabase _database = seeded.Database;

    [Fact]
    public async Task The_same_instant_gives_the_same_rows_and_another_only_other_times()
    {
        Assert.Equal(await ChecksumsAsync(_database), await ChecksumsAsync(await seeded.AgainAsync(Clock)));

        var later = await seeded.AgainAsync(new FakeTimeProvider(Clock.GetUtcNow().AddDays(1)));
        Assert.NotEqual(await ChecksumsAsync(_database), await ChecksumsAsync(later));
        const string timeless = "SELECT md5(string_agg(concat_ws('|', id, user_id, subject, status, priority, category, assigned_to), ',' ORDER BY id)) FROM support_tickets";
        Assert.Equal(await Sql.LineAsync(_database.Owner, timeless), await Sql.LineAsync(later.Owner, timeless));
    }

    [Fact]
    public async Task Every_nullable_column_holds_nulls_and_values()
    {
        var columns = await Sql.LinesAsync(
            _database.Owner, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND is_nullable = 'YES'");
        foreach (var column in columns)
        {
            var (table, name) = (column.Split('|')[0], column.Split('|')[1]);
            Assert.Equal($"{column}|True|True", $"{column}|" + await Sql.LineAsync(_database.Owner, $"SELECT bool_or({name} IS NULL), bool_or({name} IS NOT NULL) FROM {table}"));
        }
    }

    [Fact]
    public async Task Every_awkward_text_is_somewhere()
    {
        var texts = await Sql.LinesAsync(
            _database.Owner,
            "SELECT subject FROM support_tickets UNION SELECT description FROM support_tickets UNION SELECT comment FROM ticket_comments UNION SELECT resolution FROM support_tickets");
        Assert.Empty(AwkwardTexts.Long.Except(texts));
    }

    [Theory]
    [InlineData("status", "OPEN", "pending", "", " open")]
    [InlineData("priority", "URGENT", "critical", "", "urgent")]
    [InlineData("category", "billing", "Bug", "", "technical_support")]
    public async Task Values_that_the_service_would_refuse_are_there(string column, params string[] values) =>
        Assert.Empty(values.Except(await Sql.LinesAsync(_database.Owner, $"SELECT DISTINCT {column} FROM support_tickets")));

    [Fact]
    public async Task Staff_is_active_and_odd_accounts_follow()
    {
        Assert.Equal(
            ["superadmin|3", "admin|6"],
            await Sql.LinesAsync(
                _database.Owner, $"SELECT role, count(*) FROM users WHERE id < {Seeder.FirstOddUser} AND is_active GROUP BY 1 ORDER BY min(id)"));
        Assert.Empty(
            OddStandings.Except(await Sql.LinesAsync(_database.Owner, "SELECT DISTINCT role, is_active FROM users")));
        Assert.True(int.Parse(await Sql.LineAsync(_database.Owner, "SELECT count(*) FROM support_tickets JOIN users a ON a.id = assigned_to WHERE NOT a.is_active"), null) > 5);
    }

    [Fact]
    public async Task Some_have_many_tickets_some_none_and_a_tenth_or_more_of_ones_tickets_tie()
    {
        Assert.Equal(
            "True|True|True",
            await Sql.LineAsync(
                _database.Owner,
                """
                SELECT max(n) BETWEEN 80 AND 800, bool_or(n = 0), percentile_disc(0.5) WITHIN GROUP (ORDER BY n) BETWEEN 10 AND 100
                FROM (SELECT count(t.id) AS n FROM users u LEFT JOIN support_tickets t ON t.user_id = u.id GROUP BY u.id) AS people
                """));
        Assert.Empty(await Sql.LinesAsync(
            _database.Owner,
            """
            SELECT user_id FROM (SELECT user_id, count(*) OVER (PARTITION BY user_id, created_at) AS alike FROM support_tickets) AS tickets
            GROUP BY user_id HAVING count(*) > 30 AND count(*) FILTER (WHERE alike > 1) < 0.1 * count(*)
            """));
        Assert.NotEmpty(await Sql.LinesAsync(_database.Owner, "SELECT created_at FROM support_tickets GROUP BY 1 HAVING count(*) > 20"));
    }

    [Theory]
    [InlineData("count(*) = 0", 100)]
    [InlineData("count(*) = 1", 100)]
    [InlineData("count(*) = 500", 1)]
    [InlineData("count(*) > count(DISTINCT created_at)", 100)]
    public async Task Threads_are_of_all_lengths_and_tie(string length, int atLeast)
    {
        length = length.Replace("count(*)", "count(c.id)", StringComparison.Ordinal).Replace("DISTINCT ", "DISTINCT c.", StringComparison.Ordinal);
        var threads = await Sql.LinesAsync(
            _database.Owner, $"SELECT t.id FROM support_tickets t LEFT JOIN ticket_comments c ON c.ticket_id = t.id GROUP BY t.id HAVING {length}");
        Assert.True(threads.Length >= atLeast);
    }

    [Fact]
    public async Task Every_window_of_the_statistics_holds_more_than_the_one_within()
    {
        const string now = "timestamp '2026-11-23 10:20:30.456'";
        Assert.Equal(
            "True|True|True|True|True|0",
            await Sql.LineAsync(
                _database.Owner,
                $"""
                SELECT w > 50, m > w, q > m, y > q, total > y, future
                FROM (SELECT count(*) FILTER (WHERE created_at > {now} - interval '7 days') AS w,
                             count(*) FILTER (WHERE created_at > {now} - interval '30 days') AS m,
                             count(*) FILTER (WHERE created_at > {now} - interval '90 days') AS q,
                             count(*) FILTER (WHERE created_at > {now} - interval '1 year') AS y,
                             count(*) AS total, count(*) FILTER (WHERE created_at > {now}) AS future
                      FROM support_tickets) AS counts
                """));
    }

    [Theory]
    [InlineData("7 days")]
    [InlineData("30 days")]
    [InlineData("90 days")]
    [InlineData("365 days")]
    public async Task Tickets_lie_within_an_hour_of_where_a_window_begins_on_either_side(string window) => Assert.Equal(
        "True|True",
        await Sql.LineAsync(
            _database.Owner,
            $"""
            SELECT bool_or(created_at <= edge AND created_at > edge - interval '1 hour'), bool_or(created_at > edge AND created_at < edge + interval '1 hour')
            FROM support_tickets, (SELECT timestamp '2026-11-23 10:20:30.456' - interval '{window}' AS edge) AS edges
            """));

    [Fact]
    public async Task Nothing_opened_in_the_last_week_has_been_resolved() => Assert.Equal(
        "True|0",
        await Sql.LineAsync(
            _database.Owner, "SELECT count(*) > 50, count(resolved_at) FROM support_tickets WHERE created_at > timestamp '2026-11-23 10:20:30.456' - interval '7 days'"));

    [Fact]
    public async Task Some_comments_were_written_before_the_one_above_them() => Assert.NotEmpty(await Sql.LinesAsync(
        _database.Owner, "SELECT a.id FROM ticket_comments a JOIN ticket_comments b ON a.ticket_id = b.ticket_id AND a.id < b.id AND a.created_at > b.created_at"));

    [Theory]
    [InlineData("2026-03-08 02:30:00")]
    [InlineData("2026-03-29 02:30:00")]
    [InlineData("2026-10-25 02:30:00")]
    [InlineData("2026-11-01 01:30:00.000001")]
    [InlineData("2025-12-31 23:59:59.999999")]
    [InlineData("2025-03-09 02:30:00")]
    [InlineData("2024-02-29 12:00:00")]
    public async Task Times_at_the_edges_of_summer_time_and_of_years_are_there(string time) =>
        Assert.NotEmpty(await Sql.LinesAsync(_database.Owner, $"SELECT id FROM support_tickets WHERE created_at = '{time}'"));

    [Fact]
    public async Task The_next_ids_follow_the_last()
    {
        Assert.Equal("2001", await Sql.LineAsync(_database.Served, "SELECT nextval('support_tickets_id_seq')"));
        Assert.Equal("True", await Sql.LineAsync(_database.Owner, "SELECT nextval('users_id_seq') = max(id) + 1 FROM users"));
        Assert.Equal("True", await Sql.LineAsync(_database.Served, "SELECT nextval('ticket_comments_id_seq') = max(id) + 1 FROM ticket_comments"));
    }

    [Fact]
    public async Task A_database_with_rows_is_refused() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => Seeder.SeedAsync(_database, 1_000, TestContext.Current.CancellationToken));

    private static async Task<string> ChecksumsAsync(TicketingDatabase database) =>
        string.Join('|', await Task.WhenAll(Tables.Select(
            table => Sql.LineAsync(database.Owner, $"SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM {table} t"))));

    public sealed class Seeded(PostgresFixture postgres) : IAsyncLifetime
    {
        public TicketingDatabase Database { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Database = await AgainAsync(Clock);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        internal async Task<TicketingDatabase> AgainAsync(TimeProvider clock)
        {
            var database = await postgres.Postgres.CreateAsync("seed_" + Guid.NewGuid().ToString("N"), CancellationToken.None);
            await Seeder.SeedAsync(database, PostgresFixture.Tickets, clock, CancellationToken.None);
            return database;
        }
    }
}
