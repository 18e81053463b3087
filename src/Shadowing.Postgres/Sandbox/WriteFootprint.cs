using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Sandbox;

/// <summary>Which rows a write may look at or touch.</summary>
/// <param name="Locks">Locks the rows that the write itself will lock, in its order and no stronger; empty where it locks none.</param>
/// <param name="Image">
/// Gives those rows and a few bystanders, four columns each: table (<c>text</c>), key (<c>bigint</c>), the row (<c>jsonb</c> as text), and
/// how it stands to the write (<c>text</c>): <see cref="Locked"/> against any change, <see cref="Aside"/>, or anything else. Runs after the
/// locks are held.
/// </param>
/// <param name="Parameters">Of all these statements, by name.</param>
public sealed record WriteFootprint(IReadOnlyList<string> Locks, string Image, Func<IReadOnlyList<NpgsqlParameter>> Parameters)
{
    /// <summary>A row that no other transaction can change until the write has ended, because of the locks.</summary>
    public const string Locked = "locked";

    /// <summary>A bystander.</summary>
    public const string Aside = "aside";

    internal NpgsqlBatchCommand Command(string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in Parameters())
        {
            if (sql.Contains("@" + parameter.ParameterName, StringComparison.Ordinal)) command.Parameters.AddVerbatim(parameter);
        }

        return command;
    }
}
