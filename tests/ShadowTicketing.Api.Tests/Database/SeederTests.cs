using Microsoft.Extensions.Time.Testing;
using Npgsql;
using ShadowTicketing.Demo.Database;

namespace ShadowTicketing.Api.Tests.Database;

/// <summary>The seeded data is like the real thing, as nasty, and the same every time.</summary>
public sealed class SeederTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("a null status, priority, category, assignee, resolution, resolved_at, created_at and updated_at", """
        select (select count(*) from support_tickets where status is null) > 0 and (select count(*) from support_tickets where priority is null) > 0
            and (select count(*) from support_tickets where category is null) > 0 and (select count(*) from support_tickets where assigned_to is null) > 0
            and (select count(*) from support_tickets where resolution is null) > 0 and (select count(*) from support_tickets where resolved_at is null) > 0
            and (select count(*) from support_tickets where created_at is null) > 0 and (select count(*) from support_tickets where updated_at is null) > 0
        """)]
    [InlineData("a comment without a time and one neither internal nor not", """
        select exists (select from ticket_comments where created_at is null) and exists (select from ticket_comments where is_internal is null)
        """)]
    [InlineData("users inactive, neither active nor not, without a role, and staff", """
        select exists (select from users where not is_active) and exists (select from users where is_active is null)
            and exists (select from users where role is null) and exists (select from users where role = 'superadmin' and is_active)
        """)]
    [InlineData("statuses nobody knows, and in another case", """
        select exists (select from support_tickets where status not in ('open', 'in_progress', 'resolved', 'closed'))
            and exists (select from support_tickets where status <> lower(status))
        """)]
    [InlineData("tickets of one user created at the same time", """
        select exists (select from support_tickets group by user_id, created_at having count(*) > 1)
        """)]
    [InlineData("quotes, wildcards, emoji, and scripts other than Latin", """
        select exists (select from support_tickets where subject || description like '%''%') and exists (select from support_tickets where subject || description like '%\%%')
            and exists (select from support_tickets where subject || description ~ '[\U0001F300-\U0001FAFF]')
            and exists (select from support_tickets where subject || description ~ '[\u0600-\u06FF]') and exists (select from support_tickets where subject || description ~ '[\u4E00-\u9FFF]')
        """)]
    [InlineData("tickets with no, one and five hundred comments", """
        with counts as (select t.id, count(c.id) as n from support_tickets t left join ticket_comments c on c.ticket_id = t.id group by t.id)
        select exists (select from counts where n = 0) and exists (select from counts where n = 1) and exists (select from counts where n >= 500)
        """)]
    [InlineData("times in the hours that summer time skips or repeats", """
        select exists (select from support_tickets where created_at::date in ('2025-03-09', '2025-11-02', '2025-03-30', '2025-10-26', '2026-03-08', '2026-11-01', '2026-03-29', '2026-10-25'))
        """)]
    [InlineData("tickets in every window of the statistics", """
        select count(*) filter (where created_at > localtimestamp - interval '7 days') > 0 and count(*) filter (where created_at < localtimestamp - interval '1 year') >= 0
            and count(*) filter (where created_at > localtimestamp - interval '1 year') > 100 from support_tickets
        """)]
    public async Task There_are(string what, string sql)
    {
        await using var source = NpgsqlDataSource.Create((await postgres.CloneAsync($"seeded_{Guid.NewGuid():N}", Cancellation)).Owner);
        await using var command = source.CreateCommand(sql);
        Assert.True((bool)(await command.ExecuteScalarAsync(Cancellation))!, what);
    }

    [Fact]
    public async Task The_same_size_at_the_same_time_gives_the_same_rows()
    {
        var clock = new FakeTimeProvider(new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
        Assert.Equal(await ChecksumAsync("seed_first"), await ChecksumAsync("seed_second"));

        async Task<string> ChecksumAsync(string name)
        {
            var database = await postgres.Postgres.CreateAsync(name, Cancellation);
            await Seeder.SeedAsync(database, 1_000, clock, Cancellation);
            await using var source = NpgsqlDataSource.Create(database.Owner);
            await using var command = source.CreateCommand(
                """
                select md5((select string_agg(u::text, '|' order by id) from users u) || (select string_agg(t::text, '|' order by id) from support_tickets t)
                    || (select string_agg(c::text, '|' order by id) from ticket_comments c))
                """);
            return (string)(await command.ExecuteScalarAsync(Cancellation))!;
        }
    }
}
