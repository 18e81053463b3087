using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>The queries of one reading, all on one snapshot where a transaction is given.</summary>
internal sealed partial class EvidenceReader(
    NpgsqlConnection connection, NpgsqlTransaction? transaction, string fingerprint, CancellationToken cancellationToken)
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

    /// <param name="operations">Those that are read.</param>
    public Task<List<ShapeRow>> CountsAsync(string[] operations) => ListAsync(
        $"""
        select operation, shape, requests, comparisons, differing, tolerated, transients, incomparable, shed, statement_trials,
            statements_more, doubtful, due, decided, wrong, with_rows, shadow.aged(recent_comparisons, last_at),
            shadow.aged(recent_doubtful, last_at), f.first_at
        from shadow.evidence e
        join (select operation, min(first_at) as first_at from shadow.evidence {Mine} and operation = any($2) group by operation) f
            using (operation) {Present} and operation = any($2)
        """,
        static row => new ShapeRow(
            row.GetString(0), row.GetString(1),
            new(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8),
                row.GetInt64(9), row.GetInt64(10), row.GetInt64(11), row.GetInt64(12), row.GetInt64(13), row.GetInt64(14),
                row.GetInt64(15)),
            row.GetFieldValue<DateTimeOffset>(18))
        {
            RecentComparisons = row.GetDouble(16),
            RecentDoubtful = row.GetDouble(17),
        },
        fingerprint, operations);

    /// <summary>What the requests that stand for the traffic have shown, by operation.</summary>
    public async Task<Dictionary<string, StoredSample>> SamplesAsync() => (await ListAsync(
        """
        select s.operation, s.cases_by_user, s.requests_by_user, s.due_by_duration, s.decided_by_duration, s.tries, s.candidate_flakes,
            s.control_flakes
        from shadow.sample s
        left join shadow.restart r on (r.fingerprint, r.operation, r.shape) = (s.fingerprint, s.operation, '')
        where s.fingerprint = $1 and s.epoch = coalesce(r.epoch, 0)
        """,
        static row => new StoredSample(
            row.GetString(0), row.GetFieldValue<long[]>(1), row.GetFieldValue<long[]>(2), row.GetFieldValue<long[]>(3),
            row.GetFieldValue<long[]>(4))
        {
            Tries = row.GetInt64(5),
            CandidateFlakes = row.GetInt64(6),
            ControlFlakes = row.GetInt64(7),
        },
        fingerprint)).ToDictionary(row => row.Operation);

    /// <summary>Recent comparisons without a result by bucket of users, by operation and shape.</summary>
    public async Task<ILookup<(string Operation, string Shape), double>> DoubtAsync(string[] operations) => (await ListAsync(
        $"select operation, shape, shadow.aged(doubtful, last_at) from shadow.doubt e {Present} and operation = any($2)",
        static row => (Key: (row.GetString(0), row.GetString(1)), Doubtful: row.GetDouble(2)),
        fingerprint, operations)).ToLookup(row => row.Key, row => row.Doubtful);

    /// <summary>
    /// The number of this fingerprint among those whose figures an operation has shown, from 1. Each of them is a try that spends a part of
    /// α, nominated or not, and each restart after an acceptance is one more.
    /// </summary>
    public async Task<Dictionary<string, int>> AttemptsAsync() => (await ListAsync(
        """
        select n.operation, n.attempt + coalesce(r.epoch, 0) from shadow.nomination n
        left join shadow.restart r on (r.fingerprint, r.operation, r.shape) = (n.fingerprint, n.operation, '')
        where n.fingerprint = $1
        """,
        static row => (Operation: row.GetString(0), Attempt: row.GetInt32(1)), fingerprint))
            .ToDictionary(row => row.Operation, row => row.Attempt);

    public async Task<Dictionary<(string Operation, string Shape, string Kind), long>> CasesAsync(string[] operations) => (await ListAsync(
        $"""
        select operation, shape, kind, sum(occupied) from shadow.evidence_page e {Present} and operation = any($2) group by 1, 2, 3
        """,
        static row => (Key: (row.GetString(0), row.GetString(1), row.GetString(2)), Occupied: row.GetInt64(3)),
        fingerprint, operations)).ToDictionary(row => row.Key, row => row.Occupied);

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

    /// <summary>The window in which the served candidate failed too often, by operation; of all replicas together.</summary>
    /// <param name="samples">How often the control alone fails.</param>
    public async Task<Dictionary<string, RollbackTrip>> ExcessFailuresAsync(
        GatePolicy policy, IReadOnlyDictionary<string, StoredSample> samples)
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
            var windows = new RollbackWindows();
            var control = samples.GetValueOrDefault(operation.Key)?.ToSample().ControlRate ?? 0;
            foreach (var minute in operation) windows.Add(minute.Minute, minute.Failed, minute.Served);
            var limit = new FailureLimit(policy.FailureRate, policy.FailureOdds, control);
            if (windows.Trip(operation.First().Now, limit) is { } trip) trips.Add(operation.Key, trip);
        }

        return trips;
    }

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
