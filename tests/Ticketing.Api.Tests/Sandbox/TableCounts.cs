using System.Globalization;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>How many rows users' tables have, and how often PostgreSQL counts that one was written; also those that were undone.</summary>
internal sealed record TableCounts(IReadOnlyDictionary<string, TableCount> Tables)
{
    private static readonly string[] Names = ["users", "support_tickets", "ticket_comments"];

    public static async Task<TableCounts> ReadAsync(TicketingDatabase database)
    {
        var each = Names.Select(name =>
            $"""
            select '{name}', (select count(*) from public.{name}), n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables
            where schemaname = 'public' and relname = '{name}'
            """);
        var lines = await Sql.LinesAsync(database.Owner, string.Join(" union all ", each));
        return new(lines.Select(line => line.Split('|')).ToDictionary(line => line[0], line =>
        {
            var counts = line[1..].Select(count => long.Parse(count, CultureInfo.InvariantCulture)).ToArray();
            return new TableCount(counts[0], counts[1], counts[2], counts[3]);
        }));
    }

    /// <summary>Reads once the service has no sessions any more: what one has counted is certain to be told once it has ended.</summary>
    public static async Task<TableCounts> ReadAtRestAsync(TicketingDatabase database)
    {
        await Until.HoldsAsync(async () => await Sql.LineAsync(
            database.Owner,
            """
            select count(*) from pg_stat_activity
            where datname = current_database() and usename in ('ticketing_served', 'ticketing_shadow', 'ticketing_sandbox')
            """) is "0");
        return await ReadAsync(database);
    }

    /// <summary>Every row that was written since is one that a user asked for, by the answers that users got.</summary>
    /// <param name="undone">Updates of tickets that were undone and done again.</param>
    public void AreAccountedFor(TableCounts before, IReadOnlyList<Answer> answers, long undone = 0)
    {
        var (created, commented, deleted) = (Count("tickets.create", 201), Count("tickets.comment", 201), Count("tickets.delete", 204));
        // An assignee who does not exist is found out once the row is written; PostgreSQL counts that too, with or without a shadow.
        var updated = Count("tickets.update", 200) + Count("tickets.update", 422) + commented;
        Assert.All([created, commented, deleted, updated], count => Assert.NotEqual(0, count));
        Assert.Equal(default, Since("users"));
        Assert.Equal(new(created - deleted, created, updated + undone, deleted), Since("support_tickets"));
        var comments = Since("ticket_comments");
        Assert.Equal(new(comments.Rows, commented, 0, commented - comments.Rows), comments);

        long Count(string operation, int status) => answers.Count(answer => answer.Operation == operation && answer.Status == status);

        TableCount Since(string table)
        {
            var (now, then) = (Tables[table], before.Tables[table]);
            return new(now.Rows - then.Rows, now.Inserted - then.Inserted, now.Updated - then.Updated, now.Deleted - then.Deleted);
        }
    }
}

/// <summary>Of one table.</summary>
internal readonly record struct TableCount(long Rows, long Inserted, long Updated, long Deleted);
