using Microsoft.EntityFrameworkCore;
using Shadowing.Diagnosing;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Time: lines 41 to 50.</summary>
internal static class TimeFaults
{
    private static readonly TimeZoneInfo NewYork = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");

    private static readonly FaultTrace[] AnyCount =
    [
        Trace.Value("totals.total"), Trace.Value("totals.open"), Trace.Value("totals.inProgress"), Trace.Value("totals.resolved"), Trace.Value("totals.closed"),
        .. OfList("byStatus"), .. OfList("byPriority"), .. OfList("byCategory"), .. OfList("byDay"), .. OfList("topUsers"),
        new("byCategory", "order"), new("topUsers", "order"), Trace.Value("averageHoursToResolve"), Trace.Null("averageHoursToResolve"),
    ];

    public static IEnumerable<CatalogueFault> All { get; } =
    [
        new("41", "days-of-another-zone", "::date → the day in another zone")
        {
            Stats = new() { Day = static ticket => DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeBySystemTimeZoneId(
                DateTime.SpecifyKind(ticket.CreatedAt!.Value, DateTimeKind.Utc), "America/New_York")) },
            Traces = [.. OfList("byDay")],
            Causes = [Cause.TimeZone],
        },
        new("42", "hours-of-the-day", "extract(epoch) / 3600 → .Hours, a part of the whole")
        {
            Stats = new() { AverageHours = static async (tickets, cancellationToken) => (decimal?)await tickets
                .AverageAsync(ticket => (int?)(ticket.ResolvedAt!.Value - ticket.CreatedAt!.Value).Hours, cancellationToken) },
            Traces = [Trace.Value("averageHoursToResolve")],
            Causes = [Cause.Arithmetic],
        },
        new("43", "utc-parameter", "a time without zone → one of kind Utc as parameter")
        {
            Stats = new() { Since = static request => DateTime.SpecifyKind(StatsRecipe.StartOf(request), DateTimeKind.Utc) },
            Traces = [Trace.Failure],
            Causes = [Cause.TimeKindRefused],
        },
        new("44", "local-time", "a time without zone → converted to local time")
        {
            Get = new() { Detail = Projections.Detail.With("CreatedAt", static ticket => Local(ticket.CreatedAt)) },
            Traces = [Trace.Value("ticket.createdAt")],
            Causes = [Cause.TimeZone],
        },
        new("45", "time-with-zone", "a time without zone → one that is written with a zone")
        {
            Get = new() { Detail = Projections.Detail.With("CreatedAt", static ticket => Universal(ticket.CreatedAt)) },
            Traces = [new("ticket.createdAt", "type")],
            Causes = [Cause.TimeFormat],
        },
        new("50", "days-across-summer-time", "interval of days → days in a zone whose summer time ended meanwhile")
        {
            // What the zone's rules leave in the end, on whatever day the test runs.
            Stats = new() { Since = static request => DateTime.SpecifyKind(StatsRecipe.StartOf(request), DateTimeKind.Unspecified).AddHours(-1) },
            Traces = AnyCount,
            Causes = [Cause.WindowBoundary],
        },
    ];

    private static DateTime? Local(DateTime? time) =>
        time is { } stored ? DateTime.SpecifyKind(TimeZoneInfo.ConvertTimeFromUtc(stored, NewYork), DateTimeKind.Unspecified) : null;

    private static DateTime? Universal(DateTime? time) => time is { } stored ? DateTime.SpecifyKind(stored, DateTimeKind.Utc) : null;

    private static FaultTrace[] OfList(string list) =>
        [Trace.Value($"{list}[*].count"), new($"{list}[*]", "missing_row"), new($"{list}[*]", "extra_row")];
}
