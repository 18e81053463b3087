using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>Reading sweeps.</summary>
public sealed partial class SweepStore
{
    private const string Columns =
        """
        id, operation, fingerprint, shape, state, rate, walked, total, case when not $$ then replica end, exhaustive, started_by, reason,
            started_at, ended_at
        """;

    /// <summary>The latest sweeps, newest first.</summary>
    /// <param name="id">Only this one; null for all.</param>
    public async Task<IReadOnlyList<SweepState>> LatestAsync(long? id, int count, CancellationToken cancellationToken)
    {
        var sweeps = new List<SweepState>();
        await using var batch = evidence.CreateBatch();
        Add($"select {Columns.Replace("$$", Abandoned, StringComparison.Ordinal)} from shadow.sweep where $1::bigint is null or id = $1 "
            + "order by id desc limit $2");
        Add(
            """
            select sweep, shape, existing, swept, mismatches from shadow.sweep_shape
            where sweep in (select id from shadow.sweep where $1::bigint is null or id = $1 order by id desc limit $2) order by shape
            """);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            sweeps.Add(new(
                reader.GetInt64(0), reader.GetString(1), reader.GetString(2), Text(3), reader.GetString(4), reader.GetDouble(5),
                reader.GetInt64(6),
                reader.IsDBNull(7) ? null : reader.GetInt64(7), Text(8), reader.GetBoolean(9), reader.GetString(10), reader.GetString(11),
                reader.GetFieldValue<DateTimeOffset>(12), reader.IsDBNull(13) ? null : reader.GetFieldValue<DateTimeOffset>(13), []));
        }

        await reader.NextResultAsync(cancellationToken);
        var shapes = new List<(long Sweep, SweptShapeState Shape)>();
        while (await reader.ReadAsync(cancellationToken))
            shapes.Add((reader.GetInt64(0), new(reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4))));
        var bySweep = shapes.ToLookup(row => row.Sweep, row => row.Shape);
        return [.. sweeps.Select(sweep => sweep with { Shapes = [.. bySweep[sweep.Id]] })];

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

        void Add(string sql)
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Bind(id, count);
            batch.BatchCommands.Add(command);
        }
    }

    /// <summary>Forgets sweeps that ended more than 90 days ago.</summary>
    public Task PruneAsync(CancellationToken cancellationToken) =>
        Pruning.DeleteAsync(evidence, "sweep", $"t.ended_at < now() - {Pruning.Retention}", cancellationToken);
}
