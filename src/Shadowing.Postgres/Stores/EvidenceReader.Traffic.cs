using Shadowing.Evidence;

namespace Shadowing.Postgres.Stores;

/// <summary>Traffic: by the hour, which tells whether this one is busy, and by the day, which soak is measured in.</summary>
internal sealed partial class EvidenceReader
{
    /// <param name="past">Hours as they were read before: only the latest two are read again. Null where all are to be read.</param>
    public async Task<TrafficHours> TrafficAsync(IReadOnlyList<TrafficHour>? past)
    {
        const string Latest = "date_trunc('hour', now()) - interval '1 hour'";
        var hours = await ListAsync(
            $"""
            select operation, date_trunc('hour', minute), sum(requests)::bigint, count(*)::int from shadow.traffic
            where minute >= {(past is null ? "now() - interval '14 days'" : Latest)} group by 1, 2
            """,
            static row => new TrafficHour(
                row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), row.GetInt64(2), row.GetInt32(3)));
        var (now, latest) = (await ListAsync(
            $"select now(), {Latest}",
            static row => (row.GetFieldValue<DateTimeOffset>(0), row.GetFieldValue<DateTimeOffset>(1))))[0];
        return new(now, [.. (past ?? []).Where(hour => hour.Hour < latest), .. hours]);
    }

    /// <param name="past">Days as they were read before: only the latest two are read again. Null where all are to be read.</param>
    public async Task<IReadOnlyList<TrafficDay>> DaysAsync(IReadOnlyList<TrafficDay>? past)
    {
        var days = await ListAsync(
            $"""
            select operation, day, requests, last_at from shadow.traffic_day
            {(past is null ? "" : "where day >= (now() at time zone 'UTC')::date - 1")}
            """,
            static row => new TrafficDay(
                row.GetString(0), row.GetFieldValue<DateOnly>(1), row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3)));
        return past is null ? days : [.. past.ExceptBy(days.Select(KeyOf), KeyOf), .. days];

        static (string, DateOnly) KeyOf(TrafficDay day) => (day.Operation, day.Day);
    }
}
