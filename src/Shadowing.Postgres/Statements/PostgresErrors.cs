using System.Net.Sockets;
using Npgsql;
using Shadowing.Model;

namespace Shadowing.Postgres.Statements;

/// <summary>What PostgreSQL's failures mean, whatever a library wraps them in.</summary>
public static class PostgresErrors
{
    /// <summary>
    /// Where the server compares what a prepared plan gives now with what it gave when it was prepared. Its message is translated; this is
    /// not.
    /// </summary>
    private const string ComparingPlans = "RevalidateCachedQuery";

    /// <summary>
    /// Whether a statement was refused because the schema has changed since it was prepared. It did nothing, and says nothing of the code
    /// that sent it: it would run if it were prepared anew. Any other use of its SQLSTATE (0A000) is the statement's own fault.
    /// </summary>
    public static bool IsOutdatedPlan(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is PostgresException refused) return RefusesPlan(refused);
        }

        return false;
    }

    /// <summary>The SQLSTATE where the database refused, else the exception's type.</summary>
    public static ErrorCategory Categorize(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case PostgresException refused: return new(refused.SqlState, IsUnavailable(refused.SqlState), RefusesPlan(refused));
                case SocketException or IOException: return new("connection", true);
                // Not every failure of the driver: a command begun while another runs, say, is a fault of the code that did it.
                case NpgsqlException { IsTransient: true }: return new("connection", true);
            }
        }

        return new(error?.GetType().Name ?? "", false);
    }

    /// <summary>
    /// Whether a server refused a snapshot because it does not know it: invalid identifier (before 17), undefined object (since), or
    /// another database of the same server.
    /// </summary>
    internal static bool IsForeignSnapshot(string state) =>
        state is PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.FeatureNotSupported;

    private static bool RefusesPlan(PostgresException refused) =>
        refused is { SqlState: PostgresErrorCodes.FeatureNotSupported, Routine: ComparingPlans };

    /// <summary>
    /// Whether what was to be stored is refused for what it is, and would be each time: a value that PostgreSQL cannot hold, a constraint,
    /// a limit of the server, or a text that cannot be encoded.
    /// </summary>
    public static bool IsAboutData(Exception error) => error switch
    {
        PostgresException { SqlState: ['2', '1' or '2' or '3', ..] or ['5', '4', ..] } => true,
        ArgumentException or InvalidCastException or OverflowException => true,
        NpgsqlException { InnerException: { } inner } => IsAboutData(inner),
        _ => false,
    };

    /// <summary>Connection failures, a server that is starting, stopping or out of resources, and refused logins.</summary>
    private static bool IsUnavailable(string state) =>
        state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal)
        || state.StartsWith("28", StringComparison.Ordinal) || state is "57P01" or "57P02" or "57P03" or "57P04" or "57P05";
}
