using Bogus;

namespace Ticketing.Demo.Database;

/// <summary>
/// The rows of <c>support_tickets</c> and <c>ticket_comments</c>, each drawn from its id alone, so that millions need no memory.
/// </summary>
internal sealed class SeededTickets(int count, SeededPeople people, DateTime now)
{
    public const string Columns =
        "id, user_id, subject, description, status, priority, category, assigned_to, resolution, resolved_at, created_at, updated_at";

    public const string CommentColumns = "id, ticket_id, user_id, comment, is_internal, created_at";

    private const ulong TicketKey = 23;
    private const ulong CommentKey = 37;
    private const int UndatedTickets = 7; // Few: they come first on every staff list, and their ties hide differences in later rows.
    private const int LongestThread = 500;
    private const int UnresolvedDays = 8; // The statistics of a week have no average time to resolve until a ticket is resolved in the run.

    private static readonly (string?, int)[] Statuses =
    [
        ("open", 350), ("in_progress", 200), ("resolved", 200), ("closed", 180),
        (null, 20), ("OPEN", 10), ("Resolved", 5), ("pending", 10), ("waiting_on_customer", 10), ("", 5), (" open", 3), ("öffen", 2),
    ];

    private static readonly (string?, int)[] Priorities =
    [
        ("low", 250), ("medium", 400), ("high", 200), ("urgent", 90), (null, 20), ("URGENT", 5), ("critical", 10), ("P1", 5), ("", 5),
        ("High ", 3),
    ];

    private static readonly (string?, int)[] Categories =
    [
        ("general", 350), ("bug", 250), ("feature_request", 180), ("technical_support", 160),
        (null, 20), ("billing", 15), ("Bug", 5), ("feature request", 5), ("", 5), ("一般", 2),
    ];

    private static readonly string[] Subjects = Pool(1, f => $"{f.Hacker.IngVerb()} the {f.Hacker.Adjective()} {f.Hacker.Noun()} fails");
    private static readonly string[] Descriptions = Pool(2, f => f.Lorem.Paragraph(3));
    private static readonly string[] Sentences = Pool(3, f => f.Hacker.Phrase());

    private static readonly int[] Windows = [7, 30, 90, 365];

    private readonly DateTime[] _edges =
        [.. Edges(now.Year).Concat(Edges(now.Year - 1)).Where(edge => edge <= now), new(2024, 2, 29, 12, 0, 0), new(1970, 1, 1)];

    public int Count => count;

    public object?[] Row(int id)
    {
        var draw = new Draw(TicketKey, (ulong)id);
        var owner = people.Owner(ref draw);
        var created = Created(id, owner, ref draw);
        var status = draw.Weighted(Statuses);
        var isDone = status is "resolved" or "closed";
        return
        [
            id,
            owner,
            draw.Chance(0.06) ? draw.Pick(AwkwardTexts.Short) : draw.Pick(Subjects),
            draw.Chance(0.06) ? draw.Pick(AwkwardTexts.Long) : draw.Pick(Descriptions),
            status,
            draw.Weighted(Priorities),
            draw.Weighted(Categories),
            draw.Chance(0.45) ? null : people.Assignee(ref draw),
            draw.Chance(isDone ? 0.15 : 0.95) ? null : draw.Chance(0.1) ? draw.Pick(AwkwardTexts.Short) : draw.Pick(Sentences),
            Resolved(created, draw.Chance(isDone ? 0.95 : 0.04), ref draw),
            created,
            draw.Chance(0.01) ? null : draw.Chance(0.3) ? created : Later(created, ref draw),
        ];
    }

    public static int CommentsOf(int id)
    {
        if (id % 100_000 == 1) return LongestThread;
        var draw = new Draw(CommentKey, (ulong)id);
        return draw.Unit() switch { < 0.4 => 0, < 0.65 => 1, < 0.98 => 2 + draw.Below(5), _ => 7 + draw.Below(14) };
    }

    /// <summary>
    /// The comments of one ticket, oldest first. Some have the same time; some are dated earlier than the comment before them.
    /// </summary>
    public IEnumerable<object?[]> Comments(int ticket, int firstId)
    {
        var opening = new Draw(TicketKey, (ulong)ticket);
        var owner = people.Owner(ref opening);
        var at = Created(ticket, owner, ref opening) ?? now.AddDays(-100);
        var draw = new Draw(CommentKey, (uint)ticket | (1UL << 40));
        for (var number = 0; number < CommentsOf(ticket); number++)
        {
            var byStaff = draw.Chance(0.4);
            if (!draw.Chance(0.2)) at = at.AddTicks((1 + draw.Below(30_000_000)) * TimeSpan.TicksPerMicrosecond * 50);
            yield return
            [
                firstId + number,
                ticket,
                byStaff ? Seeder.FirstAdmin + draw.Below(Seeder.FirstOddUser - Seeder.FirstAdmin) : draw.Chance(0.8) ? owner
                    : 1 + draw.Below(people.Count),
                draw.Chance(0.08) ? draw.Pick(AwkwardTexts.Long) : draw.Pick(Sentences),
                draw.Chance(0.03) ? null : draw.Chance(byStaff ? 0.3 : 0.01),
                draw.Chance(0.01) ? null : draw.Chance(0.04) ? at.AddHours(-1 - draw.Below(48)) : at,
            ];
        }
    }

    // Recent tickets are more frequent than old ones, and some lie close to the start of a timeframe of the statistics. About a quarter
    // come in batches of one owner, and some in one large import; tickets of a batch have equal times.
    private DateTime? Created(int id, int owner, ref Draw draw)
    {
        if (id % (count / UndatedTickets) == 3) return null;
        if (id % 50 == 7) return _edges[id / 50 % _edges.Length];
        if (id % 50 == 11) return Precise(now.AddDays(-draw.Pick(Windows)).AddSeconds(draw.Below(7200) - 3600), ref draw);
        switch (draw.Unit())
        {
            case < 0.04: return now.Date.AddDays(-40);
            case < 0.29:
                var batch = new Draw(TicketKey, ((ulong)owner << 32) | (uint)draw.Below(2));
                return Precise(Recent(ref batch), ref batch);
            default: return Precise(Recent(ref draw), ref draw);
        }
    }

    private DateTime Recent(ref Draw draw)
    {
        var days = draw.Chance(0.03) ? 365 + (800 * draw.Unit()) : 365 * Math.Pow(draw.Unit(), 2);
        return now.AddSeconds(-Math.Floor(days * 86_400) - 1);
    }

    private static DateTime Precise(DateTime moment, ref Draw draw)
    {
        var second = new DateTime(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerSecond));
        return draw.Unit() switch
        {
            < 0.15 => second,
            < 0.3 => At(second, draw.Below(1000) * 1000),
            _ => At(second, draw.Below(1_000_000)),
        };
    }

    // Not cleared when a ticket was reopened, sometimes never set, and in a few tickets earlier than the ticket itself.
    private DateTime? Resolved(DateTime? created, bool isSet, ref Draw draw)
    {
        if (!isSet || created > now.AddDays(-UnresolvedDays)) return null;
        if (draw.Chance(0.01)) return (created ?? now).AddHours(-1);
        return Later(created, ref draw);
    }

    private DateTime Later(DateTime? moment, ref Draw draw)
    {
        var from = moment ?? now.AddDays(-100);
        var span = Math.Max((now - from).TotalSeconds, 1);
        return Precise(from.AddSeconds(Math.Min(span, 20 * 86_400) * Math.Pow(draw.Unit(), 2)), ref draw);
    }

    // Both ends of summer time in New York and Berlin, where a local time does not exist or exists twice, and the turn of the year.
    private static DateTime[] Edges(int year)
    {
        DateTime[] gaps = [Sunday(year, 3, 8).AddHours(2.5), Sunday(year, 3, 25).AddHours(2.5), Sunday(year, 3, 25).AddHours(3)];
        DateTime[] repeats =
            [Sunday(year, 10, 25).AddHours(2.5), Sunday(year, 11, 1).AddHours(1.5), At(Sunday(year, 11, 1).AddHours(1.5), 1)];
        return [.. gaps, .. repeats, new(year, 1, 1), new DateTime(year, 1, 1).AddMicroseconds(-1)];
    }

    private static DateTime Sunday(int year, int month, int onOrAfter)
    {
        var day = new DateTime(year, month, onOrAfter);
        return day.AddDays((7 - (int)day.DayOfWeek) % 7);
    }

    private static DateTime At(DateTime second, int microseconds) => second.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    private static string[] Pool(int number, Func<Faker, string> make)
    {
        var faker = new Faker("en") { Random = new Randomizer(Seeder.Seed + number) };
        return [.. Enumerable.Range(0, 1000).Select(_ => make(faker))];
    }
}
