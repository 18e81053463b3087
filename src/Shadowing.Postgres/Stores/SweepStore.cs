using Npgsql;
using Shadowing.Postgres.Statements;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Stores;

/// <summary>The state of a sweep, as all replicas see it.</summary>
/// <param name="Fingerprint">The code that is swept; only replicas that run this code run the sweep.</param>
/// <param name="Shape">The only shape that is compared; null for all.</param>
/// <param name="State"><c>running</c>, <c>done</c> or <c>stopped</c>.</param>
/// <param name="Rate">Comparisons a second at most.</param>
/// <param name="Walked">Requests made so far, of about <paramref name="Total"/>; the total is null where it is not known.</param>
/// <param name="Replica">The replica that runs it; null while none does.</param>
/// <param name="IsExhaustive">Whether, once done, it has made every request whose answer depends on data that existed then.</param>
public sealed record SweepState(
    long Id, string Operation, string Fingerprint, string? Shape, string State, double Rate, long Walked, long? Total, string? Replica,
    bool IsExhaustive, string StartedBy, string Reason, DateTimeOffset StartedAt, DateTimeOffset? EndedAt,
    IReadOnlyList<SweptShapeState> Shapes);

/// <summary>What a sweep found for a shape: see <see cref="SweptShape"/>.</summary>
public sealed record SweptShapeState(string Shape, long Existing, long Swept, long Mismatches);

/// <summary>A sweep that is ordered.</summary>
/// <param name="Fingerprint">Of the build that is to run it; no other takes it.</param>
/// <param name="Shape">The only shape that is compared; null for all.</param>
/// <param name="Rate">Requests a second at most.</param>
/// <param name="IsExhaustive">Whether it walks all that exists.</param>
/// <param name="Actor">Who orders it, for the audit.</param>
public sealed record SweepRequest(
    string Operation, string Fingerprint, string? Shape, double Rate, bool IsExhaustive, string Actor, string Reason);

/// <summary>
/// Sweeps in the schema <c>shadow</c>: started through any replica, run by one replica at a time, and continued by another one if that
/// replica dies.
/// </summary>
/// <param name="evidence">A data source of the role that owns the schema.</param>
public sealed partial class SweepStore(NpgsqlDataSource evidence)
{
    // Several beats: a replica that misses one is not dead.
    private const string Abandoned = "(owner is null or beat_at < now() - interval '10 seconds')";

    /// <summary>Starts a sweep; audited in the same transaction.</summary>
    /// <returns>Its id; null where a sweep of this operation and fingerprint is running.</returns>
    public async Task<long?> StartAsync(SweepRequest sweep, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sweep);
        await using var command = Ask(
            """
            with started as (
                insert into shadow.sweep (operation, fingerprint, shape, rate, exhaustive, started_by, reason) values ($1, $2, $3, $4, $5,
                    $6, $7)
                on conflict (operation, fingerprint) where state = 'running' do nothing returning id),
            entry as (
                insert into shadow.audit (actor, action, subject, detail)
                select $6, 'sweep.start', $1, jsonb_build_object('text', $7, 'sweep', id, 'fingerprint', $2, 'shape', $3::text, 'rate', $4)
                    from started)
            select id from started
            """,
            sweep.Operation, sweep.Fingerprint, sweep.Shape, sweep.Rate, sweep.IsExhaustive, sweep.Actor, sweep.Reason);
        return (long?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>Stops a sweep; audited in the same transaction. What it has compared stays.</summary>
    /// <returns>Whether it was running.</returns>
    public async Task<bool> StopAsync(long id, string actor, string reason, CancellationToken cancellationToken)
    {
        await using var command = Ask(
            """
            with stopped as (
                update shadow.sweep set state = 'stopped', ended_at = now(), owner = null where id = $1 and state = 'running' returning
                    operation, walked)
            insert into shadow.audit (actor, action, subject, detail)
            select $2, 'sweep.stop', operation, jsonb_build_object('text', $3, 'sweep', $1, 'walked', walked) from stopped
            """,
            id, actor, reason);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Takes a running sweep of this code that no replica runs.</summary>
    public async Task<SweepOrder?> ClaimAsync(Guid instance, string replica, string fingerprint, CancellationToken cancellationToken)
    {
        await using var command = Ask(
            $"""
            with claimed as (
                update shadow.sweep set owner = $1, replica = $2, beat_at = now()
                where id = (
                    select id from shadow.sweep where fingerprint = $3 and state = 'running' and {Abandoned} order by id limit 1 for update
                        skip locked)
                returning id, operation, shape, rate, cursor, sequence)
            select c.*, r.shape, r.epoch from claimed c left join shadow.restart r on r.fingerprint = $3 and r.operation = c.operation
            """,
            instance, replica, fingerprint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        SweepOrder? order = null;
        var epochs = new Dictionary<string, int>();
        while (await reader.ReadAsync(cancellationToken))
        {
            order ??= new(
                reader.GetInt64(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.GetDouble(3),
                reader.IsDBNull(4) ? null : reader.GetString(4), reader.GetInt64(5), epochs);
            if (!reader.IsDBNull(6)) epochs[reader.GetString(6)] = reader.GetInt32(7);
        }

        return order;
    }

    /// <summary>Reports that this run still runs the sweep.</summary>
    /// <returns>Whether the sweep still belongs to this run.</returns>
    public async Task<bool> BeatAsync(long id, Guid instance, CancellationToken cancellationToken)
    {
        await using var command =
            Ask("update shadow.sweep set beat_at = now() where id = $1 and owner = $2 and state = 'running'", id, instance);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Gives a sweep back, so that another replica or this one can continue it.</summary>
    public async Task ReleaseAsync(long id, Guid instance, CancellationToken cancellationToken)
    {
        await using var command = Ask("update shadow.sweep set owner = null, replica = null where id = $1 and owner = $2", id, instance);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Stores about how many requests the sweep will make.</summary>
    public async Task MeasureAsync(long id, long total, CancellationToken cancellationToken)
    {
        await using var command = Ask("update shadow.sweep set total = $2 where id = $1 and total is null", id, total);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Stores new results, their cases and the cursor in one transaction. A repeated call with the same sequence has no effect.
    /// </summary>
    /// <returns>Whether the sweep still belongs to this run.</returns>
    public async Task<bool> AdvanceAsync(Guid instance, SweepAdvance advance, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(advance);
        await using var connection = await evidence.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        await using var move = Within(connection, transaction,
            """
            update shadow.sweep set cursor = $4, sequence = $3, walked = walked + $5, beat_at = now(),
                state = case when $6 then 'done' else state end, ended_at = case when $6 then now() end, owner = case when $6 then null else
                    owner end
            where id = $1 and owner = $2 and state = 'running' and sequence < $3
            """,
            advance.Id, instance, advance.Sequence, advance.Cursor, advance.Walked, advance.IsFinished);
        if (await move.ExecuteNonQueryAsync(cancellationToken) == 0)
            return await WasStoredAsync(connection, transaction, advance, cancellationToken);
        if (advance.Shapes.Count > 0)
        {
            Add(
                """
                insert into shadow.sweep_shape (sweep, shape, existing, swept, mismatches) select $1, * from unnest($2, $3, $4, $5)
                on conflict (sweep, shape) do update set existing = sweep_shape.existing + excluded.existing,
                    swept = sweep_shape.swept + excluded.swept, mismatches = sweep_shape.mismatches + excluded.mismatches
                """,
                advance.Id, advance.Shapes.Keys.ToArray(), Column(shape => shape.Existing), Column(shape => shape.Swept),
                Column(shape => shape.Mismatches));
        }

        if (advance.IsFinished)
        {
            Add(
                """
                insert into shadow.audit (actor, action, subject, detail)
                select 'service', 'sweep.done', operation, jsonb_build_object('sweep', id, 'walked', walked, 'mismatches',
                    (select coalesce(sum(mismatches), 0) from shadow.sweep_shape where sweep = id))
                from shadow.sweep where id = $1
                """,
                advance.Id);
        }

        if (advance.Cases is { } cases) EvidenceStore.AddPages(batch, cases);
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;

        long[] Column(Func<SweptShape, long> of) => [.. advance.Shapes.Values.Select(of)];

        void Add(string sql, params object[] values)
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Bind(values);
            batch.BatchCommands.Add(command);
        }
    }

    private static async Task<bool> WasStoredAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, SweepAdvance advance, CancellationToken cancellationToken)
    {
        await using var command = Within(
            connection, transaction, "select sequence = $2 and state <> 'stopped' from shadow.sweep where id = $1", advance.Id,
            advance.Sequence);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static NpgsqlCommand Within(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, params object?[] values) =>
        Filled(new(sql, connection, transaction), values);

    private NpgsqlCommand Ask(string sql, params object?[] values) => Filled(evidence.CreateCommand(sql), values);

    private static NpgsqlCommand Filled(NpgsqlCommand command, object?[] values)
    {
        command.Bind(values);
        return command;
    }
}
