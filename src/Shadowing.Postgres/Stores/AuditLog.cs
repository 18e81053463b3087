using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>Who did what, and why.</summary>
/// <param name="At">By the database's clock.</param>
/// <param name="Actor">The operator's token's name, the owner that a setting names, or the service itself.</param>
/// <param name="Action">Such as <c>mismatch.accept</c>.</param>
/// <param name="Detail">A JSON object.</param>
public sealed record AuditEntry(long Id, DateTimeOffset At, string Actor, string Action, string Subject, string Detail);

/// <summary>The audit: entries are added, and neither changed nor removed; the database refuses both.</summary>
/// <param name="evidence">A data source of the role that owns the schema <c>shadow</c>.</param>
public sealed class AuditLog(NpgsqlDataSource evidence)
{
    /// <summary>Adds an entry.</summary>
    public async Task AddAsync(string actor, string action, string subject, string text, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            "insert into shadow.audit (actor, action, subject, detail) values ($1, $2, $3, jsonb_build_object('text', $4))");
        command.Bind(actor, action, subject, text);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Entries that fit, newest first.</summary>
    public async Task<IReadOnlyList<AuditEntry>> ReadAsync(AuditQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        await using var command = evidence.CreateCommand(
            $"select id, at, actor, action, subject, detail from shadow.audit {AuditQuery.Where} order by id desc limit $1");
        command.Bind(query.Count, query.Before, query.Actor, query.Action, query.Subject, query.Since?.UtcDateTime, query.WithRefusals);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new List<AuditEntry>();
        while (await reader.ReadAsync(cancellationToken))
        {
            entries.Add(new(
                reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                reader.GetString(5)));
        }

        return entries;
    }
}
