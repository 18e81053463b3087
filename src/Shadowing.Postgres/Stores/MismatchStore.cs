using System.Text.Json;
using Npgsql;
using Shadowing.Journal;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>Mismatches and acceptances of all replicas, in the schema <c>shadow</c>.</summary>
/// <remarks>
/// Each run of the service owns its rows, and overwrites them with all that it has seen since it started. So a flush that is repeated or
/// incomplete counts nothing twice and loses nothing. Readers merge the runs.
/// </remarks>
/// <param name="evidence">A data source of the role that owns the schema.</param>
public sealed partial class MismatchStore(NpgsqlDataSource evidence)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Stores what a run has seen of some signatures.</summary>
    public async Task SaveAsync(Guid instance, IReadOnlyCollection<MismatchGroup> groups, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(groups);
        await using var command = evidence.CreateCommand(
            """
            insert into shadow.mismatch (signature, instance, operation, last_seen, document)
            select * from unnest($1, $2, $3, $4, $5)
            on conflict (signature, instance) do update set last_seen = excluded.last_seen, document = excluded.document
            """);
        command.Bind(
            Column(group => group.Signature), Column(_ => instance), Column(group => group.Operation),
            Column(group => group.LastSeen.UtcDateTime),
            Column(group => new JsonText(Write(group))));
        await command.ExecuteNonQueryAsync(cancellationToken);

        T[] Column<T>(Func<MismatchGroup, T> of) => [.. groups.Select(of)];
    }

    /// <summary>The groups of all runs except the caller's, which are in its memory already. They are not merged.</summary>
    public async Task<IReadOnlyList<MismatchGroup>> LoadAsync(Guid except, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            "select document from shadow.mismatch where instance <> $1 order by last_seen desc limit 2000");
        command.Bind(except);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var groups = new List<MismatchGroup>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (TryRead(reader.GetString(0)) is { } group) groups.Add(group);
        }

        return groups;
    }

    /// <summary>Acceptances that have not been revoked, and have not been expired for longer than 30 days.</summary>
    public async Task<IReadOnlyList<Acceptance>> AcceptancesAsync(CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            """
            select a.signature, a.operation, a.owner, a.reason, a.accepted_by, a.accepted_at, a.expires_at, a.lapsed, a.causes,
                coalesce(w.seen, 0), coalesce(w.compared, 0), coalesce(w.has_grown, false), coalesce(c.seen, 0), coalesce(c.compared, 0)
            from shadow.acceptance a left join shadow.acceptance_watch w using (signature, accepted_at)
            left join lateral (select sum(seen)::bigint as seen, sum(compared)::bigint as compared from shadow.acceptance_count c
                where (c.signature, c.accepted_at) = (a.signature, a.accepted_at)) c on true
            where a.expires_at > now() - interval '30 days'
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var acceptances = new List<Acceptance>();
        while (await reader.ReadAsync(cancellationToken))
        {
            acceptances.Add(new(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                reader.GetFieldValue<DateTimeOffset>(5), reader.GetFieldValue<DateTimeOffset>(6), reader.GetBoolean(7))
            {
                Causes = reader.GetFieldValue<string[]>(8),
                HasGrown = reader.GetBoolean(11),
                Share = new(reader.GetInt64(9), reader.GetInt64(10), reader.GetInt64(12), reader.GetInt64(13)),
            });
        }

        return acceptances;
    }

    /// <summary>
    /// Accepts a signature, or replaces its acceptance; audited in the same transaction. Evidence starts again for every shape in which the
    /// signature was ever seen. What its mismatches have pointed to so far is accepted; another cause is not.
    /// </summary>
    public Task AcceptAsync(Acceptance acceptance, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(acceptance);
        return ExecuteAsync(
            $$"""
            with entry as (
                insert into shadow.audit (actor, action, subject, detail)
                values ($5, 'mismatch.accept', $1, jsonb_build_object('operation', $2, 'owner', $3, 'reason', $4, 'expiresAt',
                    $7::timestamptz)))
            , accepted as (
                insert into shadow.acceptance (signature, operation, owner, reason, accepted_by, accepted_at, expires_at, causes)
                select $1, $2, $3, $4, $5, $6, $7, coalesce(array_agg(distinct cause), '{}')
                from (select jsonb_object_keys(document -> 'causes') as cause from shadow.mismatch where signature = $1
                    union select unnest($8::text[])) seen
                on conflict (signature) do update set owner = excluded.owner, reason = excluded.reason, accepted_by = excluded.accepted_by,
                    accepted_at = excluded.accepted_at, expires_at = excluded.expires_at, causes = excluded.causes, lapsed = false
                returning signature)
            , watched as (
                insert into shadow.acceptance_watch (signature, accepted_at, seen, compared) select $1, $6, s.seen, s.compared
                from ({{ShareUntilNow}}) s on conflict (signature, accepted_at) do nothing)
            select shadow.restart_hit(signature, 'accepted') from accepted
            """,
            cancellationToken, acceptance.Signature, acceptance.Operation, acceptance.Owner, acceptance.Reason, acceptance.AcceptedBy,
            acceptance.AcceptedAt.UtcDateTime, acceptance.ExpiresAt.UtcDateTime, acceptance.Causes.ToArray());
    }

    /// <summary>Revokes an acceptance; audited, and evidence starts again, as for accepting.</summary>
    /// <returns>Whether there was one.</returns>
    public Task<bool> RevokeAsync(string signature, string actor, CancellationToken cancellationToken) => AnyAsync(
        """
        with revoked as (delete from shadow.acceptance where signature = $1 returning signature),
        entry as (insert into shadow.audit (actor, action, subject, detail) select $2, 'mismatch.revoke', signature, '{}' from revoked)
        select shadow.restart_hit(signature, 'revoked') from revoked
        """,
        cancellationToken, signature, actor);

    /// <summary>Ends expired acceptances as if they had been revoked. Only the first replica to call it ends each of them.</summary>
    /// <returns>Whether there was one.</returns>
    public Task<bool> LapseAsync(CancellationToken cancellationToken) => AnyAsync(
        """
        with over as (update shadow.acceptance set lapsed = true where expires_at <= now() and not lapsed returning signature),
        entry as (insert into shadow.audit (actor, action, subject, detail) select 'service', 'mismatch.expire', signature, '{}' from over)
        select shadow.restart_hit(signature, 'expired') from over
        """,
        cancellationToken);

    /// <summary>
    /// Deletes mismatches that were last seen more than 90 days ago, and acceptances and triages that expired more than 90 days ago.
    /// Mismatches of a candidate that still runs are kept, because the gate counts its open ones.
    /// </summary>
    public async Task PruneAsync(CancellationToken cancellationToken)
    {
        await Pruning.DeleteAsync(
            evidence, "mismatch",
            $"""
            t.last_seen < now() - {Pruning.Retention} and not exists (
                select from shadow.instance i join shadow.flush f on f.instance = i.id
                where t.document -> 'fingerprints' ? i.candidate and f.at >= now() - {Pruning.Retention})
            """,
            cancellationToken);
        await Pruning.DeleteAsync(
            evidence, "acceptance_count", "not exists (select from shadow.acceptance a where (a.signature, a.accepted_at) = "
                + "(t.signature, t.accepted_at)) and t.accepted_at < now() - interval '1 day'", cancellationToken);
        await Pruning.DeleteAsync(
            evidence, "acceptance_watch", "not exists (select from shadow.acceptance a where (a.signature, a.accepted_at) = "
                + "(t.signature, t.accepted_at)) and t.accepted_at < now() - interval '1 day'", cancellationToken);
        foreach (var table in new[] { "acceptance", "triage" })
            await Pruning.DeleteAsync(evidence, table, $"t.expires_at < now() - {Pruning.Retention}", cancellationToken);
    }

    private async Task<bool> AnyAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = evidence.CreateCommand(sql);
        command.Bind(values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = evidence.CreateCommand(sql);
        command.Bind(values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Write(MismatchGroup group) => JsonSerializer.Serialize(group, Json);

    /// <summary>A document of another version may lack members that this one needs. Then it is not read.</summary>
    private static MismatchGroup? TryRead(string document)
    {
        try
        {
            var group = JsonSerializer.Deserialize<MismatchGroup>(document, Json);
            return group is { Causes.Count: > 0, Samples: not null, Fingerprints: not null, Shapes: not null, Diagnosis: not null } ? group
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
