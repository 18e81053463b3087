using Microsoft.EntityFrameworkCore;

namespace Ticketing.EntityFrameworkCore;

public sealed partial class EfTicketStore
{
    /// <inheritdoc/>
    public async Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var lease = await LeaseAsync(cancellationToken);
        var since = DateTime.SpecifyKind(StartOf(request), DateTimeKind.Unspecified);
        var tickets = lease.Context.Tickets.Where(ticket => ticket.CreatedAt > since);
        var totals = await tickets
            .GroupBy(ticket => 1)
            .Select(all => new
            {
                Counts = new StatsTotals(
                    all.LongCount(),
                    all.LongCount(ticket => ticket.Status == "open"),
                    all.LongCount(ticket => ticket.Status == "in_progress"),
                    all.LongCount(ticket => ticket.Status == "resolved"),
                    all.LongCount(ticket => ticket.Status == "closed")),
                AverageHours = all.Average(ticket =>
                    (decimal?)TicketingContext.Extract("epoch", ticket.ResolvedAt!.Value - ticket.CreatedAt!.Value) / 3600m),
            })
            .SingleOrDefaultAsync(cancellationToken);
        return new(
            totals?.Counts ?? new(0, 0, 0, 0, 0),
            await tickets.GroupBy(ticket => ticket.Status)
                .OrderBy(group => group.Key)
                .Select(group => new CountOf(group.Key, group.LongCount())).ToListAsync(cancellationToken),
            await tickets.GroupBy(ticket => ticket.Priority)
                .OrderBy(group => group.Key == "high" ? 1 : group.Key == "medium" ? 2 : group.Key == "low" ? 3 : (int?)null)
                .Select(group => new CountOf(group.Key, group.LongCount())).ToListAsync(cancellationToken),
            await tickets.GroupBy(ticket => ticket.Category)
                .OrderByDescending(group => group.LongCount())
                .Select(group => new CountOf(group.Key, group.LongCount())).ToListAsync(cancellationToken),
            await tickets.GroupBy(ticket => DateOnly.FromDateTime(ticket.CreatedAt!.Value))
                .OrderByDescending(group => group.Key)
                .Select(group => new CountOfDay(group.Key, group.LongCount())).ToListAsync(cancellationToken),
            await tickets
                .GroupBy(ticket => new { ticket.UserId, ticket.Owner.FirstName, ticket.Owner.LastName, ticket.Owner.Email })
                .OrderByDescending(group => group.LongCount())
                .Take(10)
                .Select(group => new CountOfUser(
                    group.Key.UserId, group.Key.FirstName, group.Key.LastName, group.Key.Email, group.LongCount()))
                .ToListAsync(cancellationToken),
            totals?.AverageHours);
    }

    private static DateTime StartOf(GetStats request) => request.Timeframe switch
    {
        Timeframe.Week => request.AsOf.AddDays(-7),
        Timeframe.Month => request.AsOf.AddDays(-30),
        Timeframe.Quarter => request.AsOf.AddDays(-90),
        Timeframe.Year => request.AsOf.AddYears(-1),
        _ => throw new ArgumentOutOfRangeException(nameof(request), request.Timeframe, "Not a timeframe."),
    };
}
