using Shadowing.Evidence;

namespace Shadowing.Postgres.Stores;

/// <summary>Timed pairs: in blocks, and one by one.</summary>
internal sealed partial class EvidenceReader
{
    public async Task<Dictionary<string, PairedLatency>> LatencyAsync() => (await ListAsync(
        $"select operation, quantile, blocks, total, squares from shadow.latency {Mine}",
        static row => (Operation: row.GetString(0), Quantile: row.GetString(1),
            Blocks: new LatencyBlocks(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4))),
        fingerprint)).GroupBy(row => row.Operation).ToDictionary(operation => operation.Key, operation => new PairedLatency(
            operation.FirstOrDefault(row => row.Quantile == "p50").Blocks,
            operation.FirstOrDefault(row => row.Quantile == "p95").Blocks,
            operation.FirstOrDefault(row => row.Quantile == "p99").Blocks));

    public async Task<Dictionary<string, PairCounts>> PairsAsync() => (await ListAsync(
        $"select operation, pairs, candidate_slower, control_slower from shadow.latency_pairs {Mine}",
        static row => (Operation: row.GetString(0), Counts: new PairCounts(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3))),
        fingerprint)).ToDictionary(row => row.Operation, row => row.Counts);
}
