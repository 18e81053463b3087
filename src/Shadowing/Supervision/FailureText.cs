using System.Data.Common;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Shadowing.Model;

namespace Shadowing.Supervision;

/// <summary>A failure in words that an operator may read: what the server said where that cannot quote a value, else the kind.</summary>
public static partial class FailureText
{
    /// <summary>
    /// Classes of SQLSTATE whose sentence names objects, roles and limits, and never a value: connection, login, database, access and
    /// names,
    /// resources, state of an object, operator's intervention, system.
    /// </summary>
    private static readonly string[] Quotable = ["08", "28", "3D", "3F", "42", "53", "55", "57", "58"];

    /// <summary>Those of a server that cannot be reached, refuses the login, or has no room.</summary>
    private static readonly string[] Away = ["08", "28", "3D", "53", "57", "58"];

    /// <summary>Such as <c>57P03: the database system is shutting down</c>, <c>ConnectionRefused</c> or <c>TimeoutException</c>.</summary>
    public static string Sentence(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case DbException { SqlState: { Length: 5 } state } refused:
                    return Quotable.Contains(state[..2]) ? PlainText.Clean(Told(state, refused.Message), PlainText.LongestReason) : state;
                case SocketException socket: return socket.SocketErrorCode.ToString();
                case TimeoutException: return nameof(TimeoutException);
            }
        }

        return failure.GetType().Name;
    }

    /// <summary>Whether something outside of this process was away or did not answer: its stack says nothing.</summary>
    internal static bool IsOutage(Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException or TimeoutException or IOException) return true;
            if (cause is DbException database) return database.SqlState is not { Length: 5 } state || Away.Contains(state[..2]);
        }

        return false;
    }

    /// <summary>The first line. The names that a refused login quotes come from a connection string, of which nothing is ever
    /// quoted.</summary>
    private static string Told(string state, string text)
    {
        var line = text.Split('\n', 2)[0].TrimEnd();
        return state.StartsWith("28", StringComparison.Ordinal) || state.StartsWith("3D", StringComparison.Ordinal)
            ? Quoted().Replace(line, "…") : line;
    }

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();
}
