using Microsoft.EntityFrameworkCore;
using Shadowing.Diagnosing;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Numbers: lines 51 to 55.</summary>
internal static class NumberFaults
{
    private const string Average = "averageHoursToResolve";

    public static IEnumerable<CatalogueFault> All { get; } =
    [
        new("51a", "sum-as-int-in-sql", "bigint sum → int, cast in the database")
        {
            Stats = new() { AverageHours = static async (tickets, cancellationToken) =>
            {
                var resolved = tickets.Where(ticket => ticket.ResolvedAt != null);
                if (!await resolved.AnyAsync(cancellationToken)) return null;
                return await resolved.SumAsync(ticket => (int)(ticket.ResolvedAt!.Value - ticket.CreatedAt!.Value).TotalMilliseconds, cancellationToken)
                    / 3_600_000m / await resolved.CountAsync(cancellationToken);
            } },
            Traces = [Trace.Failure],
            Causes = [Cause.Overflow],
        },
        new("51b", "sum-as-int-in-memory", "bigint sum → int, added up in memory")
        {
            Stats = new() { AverageHours = static async (tickets, cancellationToken) =>
            {
                var milliseconds = await tickets.Where(ticket => ticket.ResolvedAt != null)
                    .Select(ticket => (int)(ticket.ResolvedAt!.Value - ticket.CreatedAt!.Value).TotalMilliseconds).ToListAsync(cancellationToken);
                return milliseconds.Count == 0 ? null : milliseconds.Sum() / 3_600_000m / milliseconds.Count;
            } },
            Traces = [Trace.Failure],
            Causes = [Cause.Overflow],
        },
        new("52", "average-as-double", "avg of numeric → double")
        {
            Stats = new() { AverageHours = static async (tickets, cancellationToken) => (decimal?)await tickets
                .AverageAsync(ticket => (double?)(ticket.ResolvedAt!.Value - ticket.CreatedAt!.Value).TotalHours, cancellationToken) },
            Traces = [Trace.Value(Average), new(Average, "type")],
            Causes = [Cause.NumberPrecision, Cause.NumberFormat],
        },
        new("55", "priorities-in-natural-order", "CASE order → natural order")
        {
            Stats = new() { ByPriority = static (tickets, cancellationToken) => tickets
                .GroupBy(ticket => ticket.Priority)
                .OrderBy(group => group.Key)
                .Select(group => new CountOf(group.Key, group.LongCount())).ToListAsync(cancellationToken) },
            Traces = [new("byPriority", "order")],
            Causes = [Cause.DroppedOrder],
        },
    ];
}
