using Shadowing.Journal;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>How often accepted mismatches are seen.</summary>
public sealed partial class MismatchStore
{
    /// <summary>
    /// The share of mismatches of the signature $1 until now, of the builds that have shown it; only since it was accepted before, where it
    /// has grown since.
    /// </summary>
    private const string ShareUntilNow =
        """
        select coalesce(max(again.seen), max(first.seen), 0)::bigint as seen,
            coalesce(max(again.compared), max(first.compared), 0)::bigint as compared
        from (select (select sum((document ->> 'due')::bigint) from shadow.mismatch where signature = $1) as seen,
                (select sum(e.decided) from shadow.evidence e where e.operation = $2 and e.fingerprint in (
                    select jsonb_array_elements_text(document -> 'builds') from shadow.mismatch
                    where signature = $1 and document ->> 'due' is not null)) as compared) first
        left join (select sum(c.seen) as seen, sum(c.compared) as compared from shadow.acceptance_count c
            join shadow.acceptance a using (signature, accepted_at) join shadow.acceptance_watch w using (signature, accepted_at)
            where signature = $1 and w.has_grown) again on again.compared > 0
        """;

    /// <summary>Stores what a run has counted of accepted mismatches since it started.</summary>
    public async Task SaveAsync(Guid instance, IReadOnlyCollection<AcceptedCount> counts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(counts);
        await using var command = evidence.CreateCommand(
            """
            insert into shadow.acceptance_count (signature, accepted_at, instance, seen, compared)
            select signature, accepted_at, $1, seen, compared from unnest($2, $3, $4, $5) as t(signature, accepted_at, seen, compared)
            on conflict (signature, accepted_at, instance) do update set seen = excluded.seen, compared = excluded.compared
            """);
        command.Bind(
            instance, Column(count => count.Signature), Column(count => count.AcceptedAt.UtcDateTime), Column(count => count.Seen),
            Column(count => count.Compared));
        await command.ExecuteNonQueryAsync(cancellationToken);

        T[] Column<T>(Func<AcceptedCount, T> of) => [.. counts.Select(of)];
    }

    /// <summary>
    /// Opens an accepted mismatch again, because its share has grown; audited. Only the first replica to call it opens it.
    /// </summary>
    /// <returns>Whether it was open to that.</returns>
    public Task<bool> ReopenAsync(Acceptance acceptance, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(acceptance);
        var share = acceptance.Share;
        return AnyAsync(
            """
            with grown as (update shadow.acceptance_watch set has_grown = true where signature = $1 and accepted_at = $2 and not has_grown
                returning signature),
            entry as (insert into shadow.audit (actor, action, subject, detail) select 'service', 'mismatch.grow', signature,
                jsonb_build_object('seenBefore', $3, 'comparedBefore', $4, 'seenSince', $5, 'comparedSince', $6) from grown)
            select from grown
            """,
            cancellationToken, acceptance.Signature, acceptance.AcceptedAt.UtcDateTime, share.SeenBefore, share.ComparedBefore,
            share.SeenSince, share.ComparedSince);
    }
}
