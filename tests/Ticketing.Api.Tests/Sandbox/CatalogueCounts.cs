using System.Globalization;
using Ticketing.Api.Tests.Database;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>What PostgreSQL counts of the catalogues that every table has entries in: what was ever done to them, and what is there.</summary>
/// <param name="Inserted">Entries made, ever, by catalogue.</param>
/// <param name="Standing">Entries made less entries deleted.</param>
/// <param name="There">Entries.</param>
internal sealed record CatalogueCounts(long[] Inserted, long Updated, long[] Standing, long[] There)
{
    private static readonly string[] Catalogues = ["pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_type", "pg_depend"];

    public static async Task<CatalogueCounts> ReadAsync(TicketingDatabase database)
    {
        var each = Catalogues.Select(name =>
            $"""
            select n_tup_ins, n_tup_upd, n_tup_del, (select count(*) from {name}) from pg_stat_sys_tables
            where schemaname = 'pg_catalog' and relname = '{name}'
            """);
        var lines = await Sql.LinesAsync(database.Owner, string.Join(" union all ", each));
        var counts = lines.Select(line => line.Split('|').Select(count => long.Parse(count, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        Assert.Equal(Catalogues.Length, counts.Length);
        return new(
            [.. counts.Select(of => of[0])], counts.Sum(of => of[1]), [.. counts.Select(of => of[0] - of[2])], [.. counts.Select(of => of[3])]);
    }

    /// <summary>Whether every session has told what it counted: the entries that came since are those that it is said were made and not deleted.</summary>
    public bool TellAllSince(CatalogueCounts origin) =>
        Standing.Zip(origin.Standing, (now, then) => now - then).SequenceEqual(There.Zip(origin.There, (now, then) => now - then));
}
