using Npgsql;
using Shadowing.Postgres.Statements;
using Shadowing.Rollout;

namespace Shadowing.Postgres.Stores;

/// <summary>An answer that a user got from the candidate, as it is stored.</summary>
/// <param name="Subject">The key of the row that it is about; null where it is about many rows.</param>
/// <param name="User">A keyed hash: equal for the same user.</param>
/// <param name="Verdict">
/// An outcome; or <c>skipped:</c> and why it was not compared; null while that is not known, or was lost. A write has before that
/// <c>in_flight</c>, then one of: <c>written</c>; <c>not_written</c> where nothing of it remains and the control wrote instead;
/// <c>commit_unknown</c> where it is not known whether it was committed.
/// </param>
public sealed record ServedRow(
    DateTimeOffset At, string Operation, string Shape, long? Subject, string User, string Fingerprint, string? Verdict);

/// <summary>One firing of an alert, for one operation.</summary>
/// <param name="StartsAt">When it began to fire. If the same alert fires again later, that is another claim.</param>
public sealed record AlertClaim(string GroupKey, string Alert, DateTimeOffset StartsAt, string Operation);

/// <summary>The served log: what the candidate has answered to users.</summary>
/// <param name="evidence">A data source of the role that owns the schema <c>shadow</c>.</param>
public sealed class ServedStore(NpgsqlDataSource evidence)
{
    /// <summary>The verdicts of a write before it is judged, in this order; any other verdict replaces them.</summary>
    private static readonly string[] Provisional = ["in_flight", "written"];

    /// <summary>
    /// Longer than any write takes. A write that is in flight for longer was interrupted when its replica died, and may be committed.
    /// </summary>
    private const string Orphaned = "5 minutes";

    private const int MostRows = 1_000_000;

    /// <summary>Stores answers, and the verdicts of answers that are stored. Safe to repeat.</summary>
    public async Task AddAsync(
        Guid instance, IReadOnlyList<ServedAnswer> answers, IReadOnlyList<ServedVerdict> verdicts, Func<long, string> hashOf,
        CancellationToken cancellationToken)
    {
        await using var batch = evidence.CreateBatch();
        verdicts = [.. verdicts.GroupBy(verdict => verdict.Number).Select(
            each => each.OrderBy(verdict => Array.IndexOf(Provisional, verdict.Verdict) is var rank and >= 0 ? rank : Provisional.Length)
                .Last()
                with { Subject = each.Max(verdict => verdict.Subject) })];
        if (answers.Count > 0)
        {
            Add(
                """
                insert into shadow.served (instance, number, at, operation, shape, subject, user_hash, fingerprint)
                select $1, * from unnest($2, $3, $4, $5, $6, $7, $8) on conflict do nothing
                """,
                instance, Column(answer => answer.Number), Column(answer => answer.At.UtcDateTime), Column(answer => answer.Operation),
                Column(answer => answer.Shape), Column(answer => answer.Subject), Column(answer => hashOf(answer.User)),
                Column(answer => answer.Fingerprint));
        }

        if (verdicts.Count > 0)
        {
            Add(
                """
                update shadow.served set
                    verdict = case when new.verdict in ('in_flight', 'written') and coalesce(served.verdict, 'in_flight') <> 'in_flight'
                        then served.verdict else new.verdict end,
                    subject = coalesce(served.subject, new.subject)
                from unnest($2, $3, $4) as new(number, verdict, subject)
                where served.instance = $1 and served.number = new.number
                """,
                instance, verdicts.Select(verdict => verdict.Number).ToArray(), verdicts.Select(verdict => verdict.Verdict).ToArray(),
                verdicts.Select(verdict => verdict.Subject).ToArray());
        }

        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellationToken);

        T[] Column<T>(Func<ServedAnswer, T> of) => [.. answers.Select(of)];

        void Add(string sql, params object[] values)
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Bind(values);
            batch.BatchCommands.Add(command);
        }
    }

    /// <summary>The latest answers, newest first.</summary>
    /// <param name="operation">Only answers of this operation; null for all.</param>
    /// <param name="verdict">Only answers with this verdict; null for all.</param>
    /// <param name="user">Only answers to the user of this keyed hash; null for all.</param>
    public async Task<IReadOnlyList<ServedRow>> LatestAsync(
        string? operation, long? subject, string? verdict, int count, CancellationToken cancellationToken, string? user = null)
    {
        await using var command = evidence.CreateCommand(
            $"""
            select at, operation, shape, subject, user_hash, fingerprint, verdict from (
                select at, number, operation, shape, subject, user_hash, fingerprint,
                    case when verdict = 'in_flight' and at < now() - interval '{Orphaned}' then 'commit_unknown' else verdict end as verdict
                from shadow.served) served
            where ($1::text is null or operation = $1) and ($2::bigint is null or subject = $2) and ($3::text is null or verdict = $3)
                and ($5::text is null or user_hash = $5)
            order by at desc, number desc limit $4
            """);
        command.Bind(operation, subject, verdict, count, user);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<ServedRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new(
                reader.GetFieldValue<DateTimeOffset>(0), reader.GetString(1), reader.GetString(2), reader.IsDBNull(3) ? null
                    : reader.GetInt64(3),
                reader.GetString(4), reader.GetString(5), reader.IsDBNull(6) ? null : reader.GetString(6)));
        }

        return rows;
    }

    /// <summary>
    /// Deletes answers older than 30 days or beyond the latest million, and minutes and alerts older than any window that reads them.
    /// </summary>
    public async Task PruneAsync(CancellationToken cancellationToken)
    {
        await Pruning.DeleteAsync(evidence, "served", "t.at < now() - interval '30 days'", cancellationToken);
        await Pruning.DeleteAsync(
            evidence, "served", $"t.at < (select at from shadow.served order by at desc offset {MostRows} limit 1)", cancellationToken);
        await Pruning.DeleteAsync(evidence, "served_minute", "t.minute < now() - interval '2 days'", cancellationToken);
        await Pruning.DeleteAsync(evidence, "alert", "t.at < now() - interval '30 days'", cancellationToken);
    }

    /// <summary>Whether an alert has been acted on.</summary>
    public async Task<bool> IsClaimedAsync(AlertClaim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        await using var command = evidence.CreateCommand(
            "select exists (select from shadow.alert where (group_key, alert, starts_at, operation) = ($1, $2, $3, $4))");
        command.Bind(claim.GroupKey, claim.Alert, claim.StartsAt.ToUniversalTime(), claim.Operation);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Records that an alert has been acted on.</summary>
    /// <returns>Whether it had not been recorded before.</returns>
    public async Task<bool> ClaimAlertAsync(AlertClaim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        await using var command = evidence.CreateCommand(
            "insert into shadow.alert (group_key, alert, starts_at, operation) values ($1, $2, $3, $4) on conflict do nothing");
        command.Bind(claim.GroupKey, claim.Alert, claim.StartsAt.ToUniversalTime(), claim.Operation);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }
}
