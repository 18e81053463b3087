using Npgsql;

namespace ShadowTicketing.Shadowing.Postgres.Sandbox;

/// <summary>Which rows a write may look at or touch.</summary>
/// <param name="Locks">Locks the rows that the write itself will lock, in its order and no stronger; empty where it locks none.</param>
/// <param name="Image">
/// Gives those rows and a few bystanders, four columns each: table (<c>text</c>), key (<c>bigint</c>), the row (<c>jsonb</c> as text), and whether it is a bystander
/// (<c>boolean</c>). Runs after the locks are held.
/// </param>
/// <param name="Parameters">Of all these statements, by name.</param>
public sealed record WriteFootprint(IReadOnlyList<string> Locks, string Image, Func<IReadOnlyList<NpgsqlParameter>> Parameters)
{
    internal NpgsqlBatchCommand Command(string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in Parameters())
        {
            if (sql.Contains("@" + parameter.ParameterName, StringComparison.Ordinal)) command.Parameters.Add(parameter);
        }

        return command;
    }
}
