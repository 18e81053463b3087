using Npgsql;
using Shadowing.Journal;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>Mismatches that are triaged, in the schema <c>shadow</c>; the gate reads them with the evidence.</summary>
/// <param name="evidence">A data source of the role that owns the schema.</param>
public sealed class TriageStore(NpgsqlDataSource evidence)
{
    /// <summary>Triages a signature, or replaces its triage; audited in the same transaction. Evidence goes on.</summary>
    public async Task TriageAsync(Triage triage, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(triage);
        await using var command = evidence.CreateCommand(
            """
            with entry as (
                insert into shadow.audit (actor, action, subject, detail)
                values ($5, 'mismatch.triage', $1, jsonb_build_object('operation', $2, 'owner', $3, 'reason', $4, 'expiresAt',
                    $7::timestamptz)))
            insert into shadow.triage (signature, operation, owner, reason, triaged_by, triaged_at, expires_at, causes)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (signature) do update set owner = excluded.owner, reason = excluded.reason, triaged_by = excluded.triaged_by,
                triaged_at = excluded.triaged_at, expires_at = excluded.expires_at, causes = excluded.causes
            """);
        command.Bind(
            triage.Signature, triage.Operation, triage.Owner, triage.Reason, triage.TriagedBy, triage.TriagedAt.UtcDateTime,
            triage.ExpiresAt.UtcDateTime, triage.Causes.ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Ends a triage before its time; audited.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> RevokeAsync(string signature, string actor, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            """
            with over as (delete from shadow.triage where signature = $1 returning signature)
            insert into shadow.audit (actor, action, subject, detail) select $2, 'mismatch.untriage', signature, '{}' from over
            """);
        command.Bind(signature, actor);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>The triage of a signature that is in force; null where there is none.</summary>
    public async Task<Triage?> FindAsync(string signature, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            """
            select signature, operation, owner, reason, triaged_by, triaged_at, expires_at, causes from shadow.triage
            where signature = $1 and expires_at > now()
            """);
        command.Bind(signature);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return !await reader.ReadAsync(cancellationToken) ? null : new(
            reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
            reader.GetFieldValue<DateTimeOffset>(5), reader.GetFieldValue<DateTimeOffset>(6))
        {
            Causes = reader.GetFieldValue<string[]>(7),
        };
    }
}
