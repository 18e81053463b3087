using System.Net.Sockets;
using Npgsql;
using Shadowing.Model;

namespace Shadowing.Postgres.Statements;

/// <summary>What PostgreSQL's failures mean, also where a library has wrapped them in other exceptions.</summary>
public static class PostgresErrors
{
    /// <summary>
    /// The server's routine that compares the result type of a prepared plan with the one at the time of preparation. The error's message
    /// is translated; the routine's name is not.
    /// </summary>
    private const string ComparingPlans = "RevalidateCachedQuery";

    /// <summary>
    /// Whether a statement was refused because the schema has changed since it was prepared. It had no effect, and is not the fault of the
    /// code that sent it: prepared anew, it would run. Any other error with this SQLSTATE (0A000) is the statement's own fault.
    /// </summary>
    public static bool IsOutdatedPlan(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is PostgresException refused) return RefusesPlan(refused);
        }

        return false;
    }

    /// <summary>The SQLSTATE where the database refused; otherwise <c>connection</c> or the exception's type.</summary>
    public static ErrorCategory Categorize(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case PostgresException refused:
                    return new(refused.SqlState, IsUnavailable(refused.SqlState), RefusesPlan(refused))
                    {
                        Detail = refused.SqlState.StartsWith("23", StringComparison.Ordinal) ? refused.ConstraintName : null,
                        OnlyHere = PositionRefusal.Explain(refused),
                    };
                case SocketException or IOException: return new("connection", true);
                // Only transient failures of the driver. A command that begins while another runs, for example, is the calling code's
                // fault.
                case NpgsqlException { IsTransient: true }: return new("connection", true);
            }
        }

        // Which library has wrapped it does not matter to users.
        var inmost = error;
        while (inmost?.InnerException is { } inner) inmost = inner;
        return new(error?.GetType().Name ?? "", false) { Detail = inmost == error ? null : inmost?.GetType().Name };
    }

    /// <summary>
    /// Whether a server refused a snapshot because it does not know it: invalid identifier (before 17), undefined object (since 17), or
    /// another database of the same server.
    /// </summary>
    internal static bool IsForeignSnapshot(string state) =>
        state is PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.FeatureNotSupported;

    private static bool RefusesPlan(PostgresException refused) =>
        refused is { SqlState: PostgresErrorCodes.FeatureNotSupported, Routine: ComparingPlans };

    /// <summary>
    /// Whether storing is refused because of the data, and would be refused again: a value that PostgreSQL cannot hold, a constraint, a
    /// limit of the server, or a text that cannot be encoded.
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
