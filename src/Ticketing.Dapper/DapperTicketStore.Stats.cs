namespace Ticketing.Dapper;

public sealed partial class DapperTicketStore
{
    private const string Window = "WHERE t.created_at > @AsOf - CAST(@Span AS interval)";

    // An average over nothing is NULL, and AVG leaves out the tickets that were never resolved.
    private const string TotalsInWindow =
        $"""
        SELECT COUNT(*) AS Total,
               COUNT(*) FILTER (WHERE t.status = 'open') AS Open,
               COUNT(*) FILTER (WHERE t.status = 'in_progress') AS InProgress,
               COUNT(*) FILTER (WHERE t.status = 'resolved') AS Resolved,
               COUNT(*) FILTER (WHERE t.status = 'closed') AS Closed,
               AVG(EXTRACT(EPOCH FROM t.resolved_at - t.created_at) / 3600) AS AverageHoursToResolve
        FROM support_tickets t {Window}
        """;

    private const string StatusesInWindow =
        $"SELECT t.status AS Value, COUNT(*) AS Count FROM support_tickets t {Window} GROUP BY t.status ORDER BY t.status";

    // The CASE has never known 'urgent': it sorts last, in no order with NULL and the unknown ones.
    private const string PrioritiesInWindow =
        $"""
        SELECT t.priority AS Value, COUNT(*) AS Count FROM support_tickets t {Window} GROUP BY t.priority
        ORDER BY CASE t.priority WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 END
        """;

    private const string CategoriesInWindow =
        $"SELECT t.category AS Value, COUNT(*) AS Count FROM support_tickets t {Window} GROUP BY t.category ORDER BY COUNT(*) DESC";

    private const string DaysInWindow =
        $"""
        SELECT t.created_at::date AS Day, COUNT(*) AS Count FROM support_tickets t {Window}
        GROUP BY t.created_at::date ORDER BY t.created_at::date DESC
        """;

    private const string UsersInWindow =
        $"""
        SELECT t.user_id AS UserId, u.first_name AS FirstName, u.last_name AS LastName, u.email, COUNT(*) AS Count
        FROM support_tickets t JOIN users u ON u.id = t.user_id {Window}
        GROUP BY t.user_id, u.first_name, u.last_name, u.email ORDER BY COUNT(*) DESC LIMIT 10
        """;

    /// <inheritdoc/>
    public async Task<TicketStats> StatsAsync(GetStats request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var window = new { AsOf = DateTime.SpecifyKind(request.AsOf, DateTimeKind.Unspecified), Span = SpanOf(request.Timeframe) };
        var totals = await SingleAsync<TotalsAndAverage>(TotalsInWindow, window, cancellationToken);
        return new(
            new(totals.Total, totals.Open, totals.InProgress, totals.Resolved, totals.Closed),
            await QueryAsync<CountOf>(StatusesInWindow, window, cancellationToken),
            await QueryAsync<CountOf>(PrioritiesInWindow, window, cancellationToken),
            await QueryAsync<CountOf>(CategoriesInWindow, window, cancellationToken),
            await QueryAsync<CountOfDay>(DaysInWindow, window, cancellationToken),
            await QueryAsync<CountOfUser>(UsersInWindow, window, cancellationToken),
            totals.AverageHoursToResolve);
    }

    private static string SpanOf(Timeframe timeframe) => timeframe switch
    {
        Timeframe.Week => "7 days",
        Timeframe.Month => "30 days",
        Timeframe.Quarter => "90 days",
        Timeframe.Year => "1 year",
        _ => throw new ArgumentOutOfRangeException(nameof(timeframe), timeframe, "Not a timeframe."),
    };

    private sealed record TotalsAndAverage(
        long Total, long Open, long InProgress, long Resolved, long Closed, decimal? AverageHoursToResolve);
}
