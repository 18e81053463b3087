using System.Text.Json;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Postgres.Statements;
using Shadowing.Rollout;

namespace Shadowing.Postgres.Stores;

/// <summary>The stored states of all operations.</summary>
/// <param name="Unreadable">Operations whose row this build cannot have written, each with the fault in words.</param>
public sealed record RolloutReading(IReadOnlyList<RolloutState> States, IReadOnlyDictionary<string, string> Unreadable)
{
    /// <summary>See <see cref="StoreMark"/>; null where it was not asked for.</summary>
    internal string? Mark { get; init; }
}

/// <summary>The result of a change.</summary>
/// <param name="State">The operation's state now, changed or not.</param>
/// <param name="Refused">Why the rules refused it; null where they did not refuse it.</param>
/// <param name="IsStale">Whether the operation has another generation than the caller expected; then nothing was changed.</param>
public sealed record RolloutChange(RolloutState State, RolloutRefusal? Refused = null, bool IsStale = false);

/// <summary>
/// The states of the rollout: one row for each operation, changed by comparing generations. Each change is audited in its transaction.
/// </summary>
/// <param name="evidence">A data source of the role that owns the schema <c>shadow</c>.</param>
/// <param name="firstStage">The stage of an operation that has no row yet; it must serve no user.</param>
public sealed class RolloutStore(NpgsqlDataSource evidence, Stage firstStage)
{
    /// <summary>The channel on which changes are announced: a shortcut that no replica relies on.</summary>
    public const string Channel = "shadow_rollout";

    private const string Columns =
        "operation, generation, stage, nominated, attempt, held_because, automatic, forced, now() - staged_at, changed_by, reason, direct";

    /// <summary>Reads the states of all operations.</summary>
    public Task<RolloutReading> ReadAsync(IReadOnlyCollection<string> operations, CancellationToken cancellationToken) =>
        ReadAsync(operations, $"select {Columns}, null from shadow.rollout", [], cancellationToken);

    /// <summary>
    /// Reports what this replica has applied, and reads the states of all operations and the store's mark: one statement, which is all that
    /// a replica without requests asks several times a second.
    /// </summary>
    internal Task<RolloutReading> PollAsync(
        IReadOnlyCollection<string> operations, ReplicaReport report, CancellationToken cancellationToken) => ReadAsync(
            operations,
            $"""
            with {ReplicaRegister.Reported}
            select {Columns}, m.mark from (select {StoreMark.Sql} as mark) m left join shadow.rollout on true
            """,
            ReplicaRegister.ValuesOf(report), cancellationToken);

    private async Task<RolloutReading> ReadAsync(
        IReadOnlyCollection<string> operations, string sql, object?[] values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(operations);
        var (states, unreadable) = (new Dictionary<string, RolloutState>(), new Dictionary<string, string>());
        string? mark = null;
        await using var command = evidence.CreateCommand(sql);
        command.Bind(values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var last = reader.FieldCount - 1;
            mark = reader.IsDBNull(last) ? null : reader.GetString(last);
            // The mark comes also where there is no state.
            if (reader.IsDBNull(0)) continue;
            var (operation, state, fault) = Read(reader);
            if (!operations.Contains(operation)) continue;
            if (fault is null) states[operation] = state;
            else unreadable[operation] = fault;
        }

        foreach (var operation in operations.Where(operation => !unreadable.ContainsKey(operation)))
            states.TryAdd(operation, new(operation, 0, firstStage));
        return new([.. states.Values], unreadable) { Mark = mark };
    }

    /// <summary>Changes an operation by <see cref="RolloutRules"/>, and announces it on <see cref="Channel"/>.</summary>
    /// <param name="expected">The generation that the caller has seen; null where any generation may be changed.</param>
    /// <param name="above">The highest generation that this replica has seen; the new one is above it, even if the row's is lower.</param>
    /// <param name="gate">The gate's decision on the operation at the expected generation; null where that is not known.</param>
    public async Task<RolloutChange> ChangeAsync(
        string operation, RolloutCommand change, long? expected, long above, GateDecision? gate, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        await using var connection = await evidence.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var state = await LockAsync(connection, transaction, operation, cancellationToken);
        if (expected is { } seen && seen != state.Generation) return new(state, IsStale: true);
        if (change is Nominate nominate)
            change =
                nominate with { Attempt = await AttemptAsync(connection, transaction, operation, nominate.Fingerprint, cancellationToken) };
        var (next, refused) = RolloutRules.Apply(state, change, gate);
        if (refused is not null || next == state) return new(state, refused);
        next = next with { Generation = Math.Max(next.Generation, above + 1) };
        await WriteAsync(connection, transaction, next, state, cancellationToken);
        await AuditAsync(transaction, change, state, next, gate, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new(next);
    }

    private async Task<RolloutState> LockAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string operation, CancellationToken cancellationToken)
    {
        await using var own = new NpgsqlCommand("select set_config('shadow.changing', 'rollout', true)", connection, transaction);
        await own.ExecuteNonQueryAsync(cancellationToken);
        await using var begin = new NpgsqlCommand(
            """
            insert into shadow.rollout (operation, generation, stage, attempt, automatic, forced, changed_by, reason)
            values ($1, 0, $2, 1, false, false, '', '') on conflict do nothing
            """,
            connection, transaction);
        begin.Bind(operation, firstStage.Name);
        await begin.ExecuteNonQueryAsync(cancellationToken);
        await using var read =
            new NpgsqlCommand($"select {Columns} from shadow.rollout where operation = $1 for update", connection, transaction);
        read.Bind(operation);
        await using var reader = await read.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return Read(reader).State;
    }

    /// <summary>The number of a nominated fingerprint of the operation; the same fingerprint always has the same number.</summary>
    private static async Task<int> AttemptAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string operation, string fingerprint,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            with added as (
                insert into shadow.nomination (operation, fingerprint, attempt)
                select $1, $2, coalesce(max(attempt), 0) + 1 from shadow.nomination where operation = $1
                on conflict do nothing returning attempt)
            select attempt from added union all select attempt from shadow.nomination where operation = $1 and fingerprint = $2 limit 1
            """,
            connection, transaction);
        command.Bind(operation, fingerprint);
        // Another fingerprint may be given the same number at the same moment: then the next number is taken.
        while (true)
        {
            if (await command.ExecuteScalarAsync(cancellationToken) is int attempt) return attempt;
        }
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, RolloutState next, RolloutState before,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            update shadow.rollout set generation = $2, stage = $3, nominated = $4, attempt = $5, held_because = $6, automatic = $7, forced =
                $8,
                staged_at = case when $9 then now() else staged_at end, changed_at = now(), changed_by = $10, reason = $11
            where operation = $1
            """,
            connection, transaction);
        command.Bind(
            next.Operation, next.Generation, next.Stage.Name, next.Nominated, next.Attempt, next.HeldBecause, next.IsAutomatic,
            next.IsForced,
            next.Stage != before.Stage, next.ChangedBy, next.Reason);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await using var notify = new NpgsqlCommand($"select pg_notify('{Channel}', $1)", connection, transaction);
        notify.Bind(next.Operation);
        await notify.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task AuditAsync(
        NpgsqlTransaction transaction, RolloutCommand change, RolloutState before, RolloutState next, GateDecision? gate,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "insert into shadow.audit (actor, action, subject, detail) values ($1, $2, $3, $4)", transaction.Connection, transaction);
        var detail = JsonSerializer.Serialize(new
        {
            text = change.Reason,
            generation = next.Generation,
            from = before.Stage.Name,
            to = next.Stage.Name,
            nominated = next.Nominated,
            attempt = next.Attempt,
            held = next.HeldBecause,
            forced = next.IsForced,
            automatic = next.IsAutomatic,
            gate = gate is null ? null
                : new { decision = gate.Decision.Wire(), gate.Sentence, gate.Policy, gate.PolicyVersion, gate.Figures },
        });
        command.Bind(change.Actor, change.Action, next.Operation, new JsonText(detail));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Reads a row. One that this build cannot have written gets a fault, and no user is served by it.</summary>
    private static (string Operation, RolloutState State, string? Fault) Read(NpgsqlDataReader row)
    {
        var (operation, generation, name) = (row.GetString(0), row.GetInt64(1), row.GetString(2));
        var isKnown = Stage.TryParse(name, out var stage);
        var state = new RolloutState(
            operation, generation, stage ?? Stage.Off, row.IsDBNull(3) ? null : row.GetString(3), row.GetInt32(4), row.IsDBNull(5) ? null
                : row.GetString(5),
            row.GetBoolean(6), row.GetBoolean(7), row.GetTimeSpan(8), row.GetString(9), row.GetString(10));
        var fault = !isKnown ? $"{operation}: there is no stage '{PlainText.Clean(name, 40)}'"
            : generation < 0 || state.Attempt < 1 ? $"{operation}: generation {generation}, attempt {state.Attempt}"
            : null;
        // No user is served by it, and the gate is asked for each step from there, as for any operation that is held.
        if (row.GetBoolean(11) && state.Stage.Serves)
        {
            state = state with
            {
                Stage = Stage.Shadow,
                IsForced = true,
                HeldBecause = state.HeldBecause ?? $"The stage {state.Stage.Name} was set by SQL, not by the service.",
            };
        }

        return (operation, state, fault);
    }
}
