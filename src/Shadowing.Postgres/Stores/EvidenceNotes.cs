using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>
/// What a reading notes for all that follow. It is written after the snapshot has ended, statement by statement: within one, a replica that
/// reads at the same moment as another would fail for it (40001), and its gate would know nothing meanwhile.
/// </summary>
internal sealed class EvidenceNotes(NpgsqlConnection connection, string fingerprint, CancellationToken cancellationToken)
{
    /// <summary>The least bound ever seen is kept: that is what makes looking often harmless.</summary>
    public async Task KeepLeastAsync(IEnumerable<KeyValuePair<string, UnprovenShare>> unproven)
    {
        var lower = unproven.Select(entry => (Operation: entry.Key, entry.Value.Looked().Least, Before: entry.Value.Least))
            .Where(entry => entry.Least < entry.Before).OrderBy(entry => entry.Operation, StringComparer.Ordinal).ToArray();
        if (lower.Length == 0) return;
        await ExecuteAsync(
            """
            insert into shadow.unproven_least (fingerprint, operation, least) select $1, o, l from unnest($2, $3) as t(o, l)
            on conflict (fingerprint, operation) do update set least = excluded.least, last_at = now() where excluded.least <
                unproven_least.least
            """,
            fingerprint, lower.Select(entry => entry.Operation).ToArray(), lower.Select(entry => entry.Least).ToArray());
    }

    /// <summary>Gives this fingerprint its number in each of these operations.</summary>
    /// <returns>Its numbers in all operations.</returns>
    public async Task<Dictionary<string, int>> BeginAttemptsAsync(string[] operations)
    {
        await ExecuteAsync(
            """
            insert into shadow.nomination (operation, fingerprint, attempt)
            select operation, $2, coalesce((select max(attempt) from shadow.nomination n where n.operation = o.operation), 0) + 1
            from unnest($1) as o(operation) on conflict do nothing
            """,
            operations, fingerprint);
        return await new EvidenceReader(connection, null, fingerprint, cancellationToken).AttemptsAsync();
    }

    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Bind(values);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
