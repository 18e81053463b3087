using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Statements;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Stores;

/// <summary>The queries of one reading, all on one snapshot.</summary>
internal sealed class EvidenceReader(
    NpgsqlConnection connection, NpgsqlTransaction transaction, string fingerprint, CancellationToken cancellationToken)
{
    private const string Mine = "where fingerprint = $1";

    /// <summary>What began anew is read from its latest beginning.</summary>
    private const string Present =
        "left join shadow.restart r using (fingerprint, operation, shape) where fingerprint = $1 and e.epoch = coalesce(r.epoch, 0)";

    /// <summary>How often shapes have begun anew, by operation; empty for the operation as a whole.</summary>
    public async Task<ILookup<string, KeyValuePair<string, int>>> EpochsAsync() => (await ListAsync(
        $"select operation, shape, epoch from shadow.restart {Mine}",
        static row => (Operation: row.GetString(0), Epoch: KeyValuePair.Create(row.GetString(1), row.GetInt32(2))),
        fingerprint)).ToLookup(row => row.Operation, row => row.Epoch);

    public Task<List<ShapeRow>> CountsAsync() => ListAsync(
        $"""
        select operation, shape, requests, comparisons, differing, tolerated, transients, incomparable, shed, statement_trials,
            statements_more,
            (select min(first_at) from shadow.evidence f where f.fingerprint = $1 and f.operation = e.operation)
        from shadow.evidence e {Present}
        """,
        static row => new ShapeRow(
            row.GetString(0), row.GetString(1),
            new(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8),
                row.GetInt64(9),
                row.GetInt64(10)),
            row.GetFieldValue<DateTimeOffset>(11)),
        fingerprint);

    public async Task<Dictionary<(string Operation, string Shape, string Kind), long>> CasesAsync() => (await ListAsync(
        $"select operation, shape, kind, sum(occupied) from shadow.evidence_page e {Present} group by 1, 2, 3",
        static row => (Key: (row.GetString(0), row.GetString(1), row.GetString(2)), Occupied: row.GetInt64(3)),
        fingerprint)).ToDictionary(row => row.Key, row => row.Occupied);

    /// <param name="past">Hours as they were read before: only the latest two are read again. Null where all are to be read.</param>
    public async Task<TrafficHours> TrafficAsync(IReadOnlyList<TrafficHour>? past)
    {
        const string Latest = "date_trunc('hour', now()) - interval '1 hour'";
        var hours = await ListAsync(
            $"""
            select operation, date_trunc('hour', minute), sum(requests)::bigint, count(*)::int, min(minute) from shadow.traffic
            where minute >= {(past is null ? "now() - interval '14 days'" : Latest)} group by 1, 2
            """,
            static row => new TrafficHour(
                row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), row.GetInt64(2), row.GetInt32(3),
                row.GetFieldValue<DateTimeOffset>(4)));
        var (now, latest) = (await ListAsync(
            $"select now(), {Latest}",
            static row => (row.GetFieldValue<DateTimeOffset>(0), row.GetFieldValue<DateTimeOffset>(1))))[0];
        return new(now, [.. (past ?? []).Where(hour => hour.Hour < latest), .. hours]);
    }

    public async Task<Dictionary<string, UnprovenShare>> UnprovenAsync()
    {
        var epochs = await ListAsync(
            $"select operation, epoch, unproven, requests from shadow.unproven {Mine} order by epoch",
            static row =>
                (Operation: row.GetString(0), Epoch: row.GetInt32(1), Unproven: row.GetInt64(2), Requests: row.GetInt64(3)), fingerprint);
        var least = (await ListAsync(
            $"select operation, least from shadow.unproven_least {Mine}",
            static row => (Operation: row.GetString(0), Least: row.GetDouble(1)), fingerprint))
                .ToDictionary(row => row.Operation, row => row.Least);
        return epochs.GroupBy(row => row.Operation).ToDictionary(
            operation => operation.Key,
            operation => operation.Aggregate(
                UnprovenShare.None with { Least = least.GetValueOrDefault(operation.Key, 1) },
                (share, row) => share.Count(row.Epoch, row.Unproven, row.Requests)));
    }

    /// <summary>The least bound ever seen is kept: that is what makes looking often harmless.</summary>
    public async Task KeepLeastAsync(IReadOnlyDictionary<string, UnprovenShare> unproven)
    {
        foreach (var (operation, share) in unproven.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (share.Looked().Least >= share.Least) continue;
            await using var command = Command(
                """
                insert into shadow.unproven_least (fingerprint, operation, least) values ($1, $2, $3)
                on conflict (fingerprint, operation) do update set least = excluded.least, last_at = now() where excluded.least <
                    unproven_least.least
                """,
                fingerprint, operation, share.Looked().Least);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    public async Task<Dictionary<string, PairedLatency>> LatencyAsync() => (await ListAsync(
        $"select operation, quantile, blocks, total, squares from shadow.latency {Mine}",
        static row => (Operation: row.GetString(0), Quantile: row.GetString(1),
            Blocks: new LatencyBlocks(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4))),
        fingerprint)).GroupBy(row => row.Operation).ToDictionary(operation => operation.Key, operation => new PairedLatency(
            operation.FirstOrDefault(row => row.Quantile == "p50").Blocks,
            operation.FirstOrDefault(row => row.Quantile == "p95").Blocks,
            operation.FirstOrDefault(row => row.Quantile == "p99").Blocks));

    /// <summary>The window in which the served candidate failed too often, by operation; of all replicas together.</summary>
    public async Task<Dictionary<string, RollbackTrip>> ExcessFailuresAsync(GatePolicy policy)
    {
        var minutes = await ListAsync(
            $"select operation, minute, failed, served, now() from shadow.served_minute {Mine} and minute > now() - interval '1 day'",
            static row => (
                Operation: row.GetString(0), Minute: row.GetFieldValue<DateTimeOffset>(1), Failed: row.GetInt64(2), Served: row.GetInt64(3),
                Now: row.GetFieldValue<DateTimeOffset>(4)),
            fingerprint);
        var trips = new Dictionary<string, RollbackTrip>();
        foreach (var operation in minutes.GroupBy(minute => minute.Operation))
        {
            var windows = new RollbackWindows(policy.FailureRate, policy.FailureOdds);
            foreach (var minute in operation) windows.Add(minute.Minute, minute.Failed, minute.Served);
            if (windows.Trip(operation.First().Now) is { } trip) trips.Add(operation.Key, trip);
        }

        return trips;
    }

    /// <summary>Mismatches that this candidate showed, by signature.</summary>
    public Task<List<OpenMismatch>> OpenMismatchesAsync(string candidate) => ListAsync(
        """
        select operation, bool_or(document ->> 'severity' = 'critical'),
            exists (select from shadow.acceptance a where a.signature = m.signature and a.expires_at > now())
        from shadow.mismatch m
        where document -> 'fingerprints' ? $1 and document ->> 'outcome' <> 'match'
        group by signature, operation
        """,
        static row => new OpenMismatch(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)), candidate);

    /// <summary>
    /// A run ended uncleanly if it did not record its shutdown and has not flushed for 30 seconds. It ended at its last flush, or at its
    /// start if it had none.
    /// </summary>
    public async Task<TimeSpan?> SinceUncleanExitAsync() => (await ListAsync(
        """
        select now() - max(coalesce(f.at, i.started_at)) from shadow.instance i left join shadow.flush f on f.instance = i.id
        where i.stopped_at is null and coalesce(f.at, i.started_at) < now() - interval '30 seconds'
        """,
        static row => row.IsDBNull(0) ? (TimeSpan?)null : row.GetTimeSpan(0)))[0];

    /// <summary>What the latest completed sweep of each shape found, as long as it speaks for what exists.</summary>
    public async Task<Dictionary<(string Operation, string Shape), SweptShape>> SweptAsync(GatePolicy policy) => (await ListAsync(
        """
        select distinct on (w.operation, s.shape) w.operation, s.shape, s.existing, s.swept, s.mismatches
        from shadow.sweep w join shadow.sweep_shape s on s.sweep = w.id
        where w.fingerprint = $1 and w.state = 'done' and w.exhaustive and w.ended_at > now() - $2::interval and not exists (
            select from shadow.restart r
            where (r.fingerprint, r.operation, r.shape) = (w.fingerprint, w.operation, s.shape) and r.at > w.started_at)
        order by w.operation, s.shape, w.ended_at desc
        """,
        static row => (Key: (row.GetString(0), row.GetString(1)), Swept: new SweptShape(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4))),
        fingerprint, policy.SweepHolds)).ToDictionary(row => row.Key, row => row.Swept);

    private async Task<List<T>> ListAsync<T>(string sql, Func<NpgsqlDataReader, T> read, params object[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection, transaction);
        command.Bind(values);
        return command;
    }
}
