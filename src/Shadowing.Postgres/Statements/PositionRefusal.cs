using System.Text.RegularExpressions;
using Npgsql;

namespace Shadowing.Postgres.Statements;

/// <summary>Explains refusals that come from the role or the transaction of the shadow position, not from the code.</summary>
internal static partial class PositionRefusal
{
    /// <returns>Why, and what to do; null for any other refusal.</returns>
    public static string? Explain(PostgresException refused) => refused.SqlState switch
    {
        PostgresErrorCodes.InsufficientPrivilege => Privilege(refused.MessageText),
        PostgresErrorCodes.ReadOnlySqlTransaction => ReadOnly(refused.MessageText),
        _ => null,
    };

    // The message names objects and no values. Where the server's language is another, only the SQLSTATE is known.
    private static string Privilege(string message)
    {
        const string Lacks = "The role of the shadow lacks a right that was needed (42501)";
        if (Denied().Match(message) is not { Success: true } denied) return $"{Lacks}. Grant it, if it is a right to read.";
        var (kind, name) = (denied.Groups["kind"].Value.ToUpperInvariant(), denied.Groups["name"].Value);
        return kind switch
        {
            "TABLE" or "VIEW" or "MATERIALIZED VIEW" or "RELATION" =>
                $"{Lacks}, on {name}. If it is read, run: GRANT SELECT ON TABLE {name} TO the role; if it is written, it cannot be "
                + "compared.",
            "SCHEMA" => $"{Lacks}, on the schema {name}. Run: GRANT USAGE ON SCHEMA {name} TO the role;",
            "FUNCTION" => $"{Lacks}, on the function {name}. If it only reads, run: GRANT EXECUTE ON FUNCTION {name} TO the role;",
            _ => $"{Lacks}, on the {kind.ToLowerInvariant()} {name}: that would be written to, so it cannot be compared.",
        };
    }

    private static string ReadOnly(string message)
    {
        var command = Command().Match(message) is { Success: true } ran ? ran.Groups["command"].Value : "A command that writes";
        return $"{command} is refused in the shadow's read-only transaction (25006): not comparable in the sandbox. A temporary table "
            + "can be replaced by a common table expression or an array.";
    }

    [GeneratedRegex(
        @"^permission denied for (?<kind>table|(?:materialized )?view|relation|schema|function|sequence|large object) "
        + @"(?<name>[\w.$]{1,63})$")]
    private static partial Regex Denied();

    [GeneratedRegex(@"^cannot execute (?<command>[A-Z ]{1,40}?)(?:\(\))? in a read-only transaction$")]
    private static partial Regex Command();
}
