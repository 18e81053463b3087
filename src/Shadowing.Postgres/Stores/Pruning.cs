using Npgsql;

namespace Shadowing.Postgres.Stores;

/// <summary>
/// Deletes rows in small steps: each statement deletes a bounded number of rows and each run runs a bounded number of statements, so that
/// pruning holds nothing up.
/// </summary>
internal static class Pruning
{
    /// <summary>The most rows that one statement deletes.</summary>
    public const int Rows = 10_000;

    /// <summary>The most statements of one run for one table; what is left is the next run's.</summary>
    public const int Steps = 50;

    /// <summary>How long rows are kept after they were last counted; longer while a build or an operation names them.</summary>
    public const string Retention = "interval '90 days'";

    /// <param name="condition">Of the rows to delete; the table's alias is <c>t</c>.</param>
    /// <returns>How many rows were deleted.</returns>
    public static async Task<long> DeleteAsync(
        NpgsqlDataSource evidence, string table, string condition, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            $"delete from shadow.{table} where ctid = any (array(select t.ctid from shadow.{table} t where {condition} limit {Rows}))");
        var (deleted, step) = (0L, 0);
        do
        {
            var some = await command.ExecuteNonQueryAsync(cancellationToken);
            deleted += some;
            if (some < Rows) break;
        }
        while (++step < Steps);
        return deleted;
    }
}
