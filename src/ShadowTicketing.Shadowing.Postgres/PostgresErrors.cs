using System.Net.Sockets;
using Npgsql;

namespace ShadowTicketing.Shadowing.Postgres;

/// <summary>What PostgreSQL's failures mean, whatever a library wraps them in.</summary>
public static class PostgresErrors
{
    /// <summary>The SQLSTATE where the database refused, else the exception's type.</summary>
    public static ErrorCategory Categorize(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case PostgresException refused: return new(refused.SqlState, IsUnavailable(refused.SqlState));
                case SocketException or IOException: return new("connection", true);
                // Not every failure of the driver: a command begun while another runs, say, is a fault of the code that did it.
                case NpgsqlException { IsTransient: true }: return new("connection", true);
            }
        }

        return new(error?.GetType().Name ?? "", false);
    }

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
