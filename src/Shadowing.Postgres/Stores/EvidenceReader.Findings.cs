using Shadowing.Evidence;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Stores;

/// <summary>What is known of an operation beside its counts and cases.</summary>
internal sealed partial class EvidenceReader
{
    /// <summary>
    /// Mismatches that this candidate showed with this fingerprint, by signature: one that was mended in a rule, the control or the schema
    /// is closed with the fingerprint that showed it.
    /// </summary>
    public Task<List<OpenMismatch>> OpenMismatchesAsync(string candidate) => ListAsync(
        """
        select operation, bool_or(document ->> 'severity' = 'critical'),
            exists (select from shadow.acceptance a where a.signature = m.signature and a.expires_at > now() and not exists (
                select from shadow.acceptance_watch w
                where (w.signature, w.accepted_at) = (a.signature, a.accepted_at) and w.has_grown) and (a.causes = '{}'
                or not exists (select from shadow.mismatch s, jsonb_object_keys(s.document -> 'causes') cause
                    where s.signature = m.signature and cause <> all (a.causes)))),
            exists (select from shadow.triage t where t.signature = m.signature and t.expires_at > now() and not exists (
                select from shadow.mismatch s, jsonb_object_keys(s.document -> 'causes') cause
                where s.signature = m.signature and cause <> all (t.causes)))
        from shadow.mismatch m
        where document -> 'fingerprints' ? $1 and document ->> 'outcome' <> 'match'
            and (coalesce(document -> 'builds', '[]') = '[]' or document -> 'builds' ? $2)
        group by signature, operation
        """,
        static row => new OpenMismatch(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2), row.GetBoolean(3)), candidate,
        fingerprint);

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
}
