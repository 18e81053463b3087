using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>Storing timed pairs: blocks, single pairs, and what is not a block yet.</summary>
public sealed partial class EvidenceStore
{
    /// <summary>
    /// Takes over what runs of a fingerprint that have ended had left of blocks. Each is given to one caller, once.
    /// </summary>
    /// <returns>By operation; several runs may have left some of one.</returns>
    public async Task<IReadOnlyList<(string Operation, OpenBlock Open)>> AdoptPairsAsync(
        string fingerprint, CancellationToken cancellationToken)
    {
        // Much longer than a run may be silent before it counts as ended: one that comes back would make a block of the same pairs.
        await using var command = evidence.CreateCommand(
            """
            delete from shadow.latency_open o using (
                select instance, operation from shadow.latency_open p
                where p.fingerprint = $1 and not exists (
                    select from shadow.instance i left join shadow.flush f on f.instance = i.id
                    where i.id = p.instance and i.stopped_at is null and coalesce(f.at, i.started_at) >= now() - interval '10 minutes')
                for update skip locked) ended
            where (o.fingerprint, o.instance, o.operation) = ($1, ended.instance, ended.operation)
            returning o.operation, o.thresholds, o.control, o.candidate
            """);
        command.Bind(fingerprint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var adopted = new List<(string, OpenBlock)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var pairs = reader.GetFieldValue<double[]>(2)
                .Zip(reader.GetFieldValue<double[]>(3), static (control, candidate) => new LatencyPair(control, candidate));
            adopted.Add((reader.GetString(0), new(reader.GetFieldValue<double[]>(1), [.. pairs])));
        }

        return adopted;
    }

    private static void AddLatency(NpgsqlBatch commands, Guid instance, string fingerprint, OperationBatch operation)
    {
        var (blocks, counts, open) = operation.Latency;
        foreach (var (quantile, sums) in new[] { ("p50", blocks.P50), ("p95", blocks.P95), ("p99", blocks.P99) })
        {
            if (sums.Count == 0) continue;
            Add(commands,
                """
                insert into shadow.latency (fingerprint, operation, quantile, blocks, total, squares) values ($1, $2, $3, $4, $5, $6)
                on conflict (fingerprint, operation, quantile) do update set blocks = latency.blocks + excluded.blocks,
                    total = latency.total + excluded.total, squares = latency.squares + excluded.squares
                """,
                fingerprint, operation.Operation, quantile, sums.Count, sums.Sum, sums.SumOfSquares);
        }

        if (counts.Pairs > 0)
        {
            Add(commands,
                """
                insert into shadow.latency_pairs (fingerprint, operation, pairs, candidate_slower, control_slower)
                values ($1, $2, $3, $4, $5)
                on conflict (fingerprint, operation) do update set pairs = latency_pairs.pairs + excluded.pairs,
                    candidate_slower = latency_pairs.candidate_slower + excluded.candidate_slower,
                    control_slower = latency_pairs.control_slower + excluded.control_slower
                """,
                fingerprint, operation.Operation, counts.Pairs, counts.CandidateSlower, counts.ControlSlower);
        }

        // In the same transaction as the blocks: a pair is either in a block or left for one.
        if (open is null) return;
        Add(commands,
            """
            insert into shadow.latency_open (fingerprint, instance, operation, thresholds, control, candidate)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (fingerprint, instance, operation) do update set thresholds = excluded.thresholds, control = excluded.control,
                candidate = excluded.candidate, at = now()
            """,
            fingerprint, instance, operation.Operation, open.Thresholds.ToArray(), open.Pairs.Select(pair => pair.Control).ToArray(),
            open.Pairs.Select(pair => pair.Candidate).ToArray());
    }
}
