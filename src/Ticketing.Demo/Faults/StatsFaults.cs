namespace Ticketing.Demo.Faults;

/// <summary>Ways to get the statistics wrong.</summary>
internal static class StatsFaults
{
    private const string Operation = "tickets.stats";

    public static IEnumerable<CandidateFault> All { get; } =
    [
        Wrong("wrong-stats", "one open ticket too many", "totals.open", "value", static stats =>
            stats with { Totals = stats.Totals with { Open = stats.Totals.Open + 1 } }),
        Wrong("wrong-average", "the average time to resolve is a tenth of an hour too long", "averageHoursToResolve", "value",
            static stats =>
            stats.AverageHoursToResolve is { } hours ? stats with { AverageHoursToResolve = hours + 0.1m } : null),
        Wrong("wrong-day", "one ticket too many on the latest day", "byDay[*].count", "value", static stats =>
            stats.ByDay is [var latest, ..]
                ? stats with { ByDay = [latest with { Count = latest.Count + 1 }, .. stats.ByDay.Skip(1)] } : null),
    ];

    private static CandidateFault<GetStats, TicketStats> Wrong(
        string name, string description, string path, string kind, Func<TicketStats, TicketStats?> change) =>
        new(name, Operation, description, FaultShows.Mismatch)
        {
            Expected = [new(path, kind)],
            Fits = (_, stats) => change(stats) is not null,
            Apply = (call, _) => new(change(call.Answer)),
        };
}
