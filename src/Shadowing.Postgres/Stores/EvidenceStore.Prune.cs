namespace Shadowing.Postgres.Stores;

/// <summary>Deleting evidence that no gate will ask for again.</summary>
public sealed partial class EvidenceStore
{
    /// <summary>
    /// No build has the fingerprint of a row any more: nothing was counted for it in the retention, no operation nominates it, no replica
    /// reports it and no sweep runs on it. The evidence of a fingerprint is deleted as a whole or not at all.
    /// </summary>
    private const string Forgotten =
        $"""
        not exists (select from shadow.evidence e where e.fingerprint = t.fingerprint and e.last_at >= now() - {Pruning.Retention})
        and not exists (select from shadow.evidence_page p where p.fingerprint = t.fingerprint and p.last_at >= now() - {Pruning.Retention})
        and not exists (select from shadow.rollout r where r.nominated = t.fingerprint)
        and not exists (select from shadow.replica a where a.fingerprint = t.fingerprint)
        and not exists (select from shadow.sweep w where w.fingerprint = t.fingerprint and w.state = 'running')
        """;

    /// <summary>A restart hides earlier epochs: without it they would be read again. It is deleted once they are.</summary>
    private const string HidesNothing =
        """
        not exists (select from shadow.evidence e where e.fingerprint = t.fingerprint)
        and not exists (select from shadow.evidence_page p where p.fingerprint = t.fingerprint)
        """;

    /// <summary>In this order, because the tables that tell whether a fingerprint is forgotten must be pruned last.</summary>
    private static readonly (string Table, string Condition)[] Prunable =
    [
        ("traffic", "t.minute < now() - interval '15 days'"),
        ("traffic_day", "t.day < (now() - interval '400 days')::date"),
        ("doubt", $"t.last_at < now() - {Pruning.Retention}"), ("sample", $"t.last_at < now() - {Pruning.Retention} and {Forgotten}"),
        ("unproven", Forgotten), ("unproven_least", $"t.last_at < now() - {Pruning.Retention} and {Forgotten}"), ("latency", Forgotten),
        ("latency_pairs", Forgotten), ("latency_open", $"t.at < now() - {Pruning.Retention}"),
        ("evidence_page", $"t.last_at < now() - {Pruning.Retention} and {Forgotten}"),
        // Cases of earlier epochs, which are not read any more. For a day a replica may still be counting in one.
        ("evidence_page",
            """
            t.last_at < now() - interval '1 day' and exists (
                select from shadow.restart r
                where (r.fingerprint, r.operation, r.shape) = (t.fingerprint, t.operation, t.shape) and r.epoch > t.epoch)
            """),
        ("evidence", $"t.last_at < now() - {Pruning.Retention} and {Forgotten}"),
        ("restart", $"t.at < now() - {Pruning.Retention} and {Forgotten} and {HidesNothing}"),
        ("instance",
            $"""
            t.started_at < now() - {Pruning.Retention}
            and not exists (select from shadow.flush f where f.instance = t.id and f.at >= now() - {Pruning.Retention})
            """),
        ("flush", $"t.at < now() - {Pruning.Retention}"),
    ];

    /// <summary>Deletes what no gate asks for any more, in bounded steps. Safe to call from any number of replicas at once.</summary>
    /// <returns>How many rows were deleted.</returns>
    public async Task<long> PruneAsync(CancellationToken cancellationToken)
    {
        var deleted = 0L;
        foreach (var (table, condition) in Prunable)
            deleted += await Pruning.DeleteAsync(evidence, table, condition, cancellationToken);
        return deleted;
    }
}
