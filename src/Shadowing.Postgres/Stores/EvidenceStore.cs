using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>
/// The state of shadowing, in the schema <c>shadow</c> and nowhere else: versioned from the first day, never in the application's tables.
/// </summary>
/// <param name="evidence">A data source of the role that owns the schema and can touch nothing else.</param>
/// <param name="clock">The system's where none is given.</param>
public sealed partial class EvidenceStore(NpgsqlDataSource evidence, TimeProvider? clock = null)
{
    private const long MigrationLock = 0x5348_4144_4F57;

    /// <summary>
    /// Lets another role own the audit, where the deployment has made one with the function for it. Asked at each start: the deployment may
    /// have done so since, or a build that knows nothing of it made the table.
    /// </summary>
    private const string GiveAuditAway =
        """
        do $$ begin
            if has_function_privilege(to_regprocedure('shadow.take_audit()'), 'execute') then perform shadow.take_audit(); end if;
        end $$
        """;

    /// <summary>Brings the schema to the version of this build. Safe to call from any number of replicas at once.</summary>
    /// <returns>The version, from 1.</returns>
    /// <exception cref="InvalidOperationException">The schema is of a later version, which does not work with this build.</exception>
    public async Task<int> MigrateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await evidence.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync($"select pg_advisory_xact_lock({MigrationLock})");
        await ExecuteAsync(
            "create table if not exists shadow.migration (version int primary key, applied_at timestamptz not null default now())");
        await ExecuteAsync("alter table shadow.migration add column if not exists oldest int");
        await using var ask = new NpgsqlCommand("select coalesce(max(version), 0) from shadow.migration", connection, transaction);
        var version = (int)(await ask.ExecuteScalarAsync(cancellationToken))!;
        if (version > Migrations.InOrder.Length && await OldestAsync() is var oldest && (oldest ?? version) > Migrations.InOrder.Length)
            throw new InvalidOperationException(
                $"Schema shadow is of version {version}, which works with builds from version {oldest ?? version} on; this build knows "
                    + $"up to "
                    + $"{Migrations.InOrder.Length}. Start a newer build, or restore the schema from before the upgrade.");
        for (; version < Migrations.InOrder.Length; version++)
        {
            await ExecuteAsync(Migrations.InOrder[version]);
            await ExecuteAsync($"insert into shadow.migration (version, oldest) values ({version + 1}, {Migrations.Oldest})");
        }

        await ExecuteAsync(GiveAuditAway);
        await transaction.CommitAsync(cancellationToken);
        return version;

        async Task<int?> OldestAsync()
        {
            await using var command = new NpgsqlCommand(
                "select oldest from shadow.migration order by version desc limit 1", connection, transaction);
            return await command.ExecuteScalarAsync(cancellationToken) as int?;
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Notes that this run has begun.</summary>
    public async Task BeginAsync(Instance instance, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(instance);
        await using var command = evidence.CreateCommand(
            "insert into shadow.instance (id, replica, candidate, control, config_hash) values ($1, $2, $3, $4, $5)");
        command.Bind(instance.Id, instance.Replica, instance.Candidate, instance.Control, instance.ConfigHash);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Notes that this run has ended cleanly.</summary>
    public async Task EndAsync(Guid instance, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand("update shadow.instance set stopped_at = now() where id = $1");
        command.Bind(instance);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>One run of the service on one replica.</summary>
/// <param name="Candidate">The fingerprint of the candidate's code.</param>
/// <param name="Control">The fingerprint of the control's code.</param>
public sealed record Instance(Guid Id, string Replica, string Candidate, string Control, string ConfigHash);
