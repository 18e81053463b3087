using System.Text.Json;
using Npgsql;
using Shadowing.Postgres.Statements;
using Shadowing.Serving;

namespace Shadowing.Postgres.Stores;

/// <summary>What a replica has applied of an operation.</summary>
/// <param name="Serving">Requests that its candidate was answering at that moment.</param>
/// <param name="Writes">Those of them that write; null from a build that served none.</param>
public sealed record AppliedRollout(
    long Generation, string Stage, double ServePercent, int Serving, IReadOnlyCollection<WriteInFlight>? Writes = null);

/// <summary>A replica, as it last reported.</summary>
/// <param name="Age">How long ago that was, by the store's clock.</param>
/// <param name="Applied">By operation.</param>
public sealed record ReplicaReport(
    Guid Instance, string Replica, string Fingerprint, TimeSpan Age, IReadOnlyDictionary<string, AppliedRollout> Applied);

/// <summary>Which replicas there are, and what each of them has applied.</summary>
/// <param name="evidence">A data source of the role that owns the schema <c>shadow</c>.</param>
public sealed class ReplicaRegister(NpgsqlDataSource evidence)
{
    /// <summary>The parts of a statement with <see cref="ValuesOf"/> that note what a replica has applied.</summary>
    internal const string Reported =
        """
        pruned as (delete from shadow.replica where seen_at < now() - interval '1 hour'),
        reported as (
            insert into shadow.replica (instance, replica, fingerprint, standing) values ($1, $2, $3, $4)
            on conflict (instance) do update set fingerprint = excluded.fingerprint, standing = excluded.standing, seen_at = now())
        """;

    internal static object?[] ValuesOf(ReplicaReport report) =>
        [report.Instance, report.Replica, report.Fingerprint, new JsonText(JsonSerializer.Serialize(report.Applied))];

    /// <summary>
    /// The builds that are known: those that a replica runs now, and those that have left evidence. Each by its fingerprint.
    /// </summary>
    public async Task<IReadOnlyList<string>> BuildsAsync(CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            """
            select fingerprint from shadow.replica where seen_at > now() - interval '1 minute'
            union select fingerprint from shadow.evidence order by 1
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var builds = new List<string>();
        while (await reader.ReadAsync(cancellationToken)) builds.Add(reader.GetString(0));
        return builds;
    }

    /// <summary>Notes what this replica has applied, and forgets those that have been silent for an hour.</summary>
    public async Task ReportAsync(
        Guid instance, string replica, string fingerprint, IReadOnlyDictionary<string, AppliedRollout> applied,
        CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand($"with {Reported} select");
        command.Bind(ValuesOf(new(instance, replica, fingerprint, TimeSpan.Zero, applied)));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>This run is over: nothing is served by it.</summary>
    public async Task LeaveAsync(Guid instance, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand("delete from shadow.replica where instance = $1");
        command.Bind(instance);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Replicas that have reported within the last minute.</summary>
    public async Task<IReadOnlyList<ReplicaReport>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            """
            select instance, replica, fingerprint, now() - seen_at, standing from shadow.replica
            where seen_at > now() - interval '1 minute' order by replica, instance
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var replicas = new List<ReplicaReport>();
        while (await reader.ReadAsync(cancellationToken))
        {
            replicas.Add(new(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetTimeSpan(3),
                JsonSerializer.Deserialize<Dictionary<string, AppliedRollout>>(reader.GetString(4)) ?? []));
        }

        return replicas;
    }
}
