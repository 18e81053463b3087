using Npgsql;
using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Postgres.Connections;

/// <summary>
/// Tells a connection that leads to one server process from one that leads to a pooler, which may give each transaction to another process:
/// then what a session keeps (prepared statements, temporary tables, LISTEN) is lost, or met by strangers.
/// </summary>
public static class DirectConnection
{
    /// <summary>In how many transactions it is asked; each is a round trip.</summary>
    internal const int Transactions = 3;

    /// <summary>
    /// Whether each of several transactions ran in the server process that the connection was told of when it was opened.
    /// </summary>
    /// <remarks>
    /// A pooler tells a number of its own. What is asked is counted to no operation. The same few statements each time: an automatic
    /// preparation must not begin before they are through (<see cref="Guard"/>).
    /// </remarks>
    public static async Task<bool> IsDirectAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _ = StatementLedger.Open();
        await using var ask = new NpgsqlCommand("select pg_backend_pid()", connection);
        for (var transaction = 0; transaction < Transactions; transaction++)
        {
            if (await ask.ExecuteScalarAsync(cancellationToken) is not int process || process != connection.ProcessID) return false;
        }

        return true;
    }

    /// <summary>Refuses each new physical connection that is not direct, before anything else runs on it.</summary>
    /// <param name="prepare">What else a new connection needs.</param>
    /// <param name="refused">Makes what the opening fails with.</param>
    internal static void Guard(NpgsqlDataSourceBuilder builder, Func<Exception> refused, Func<NpgsqlConnection, Task>? prepare = null)
    {
        var settings = builder.ConnectionStringBuilder;
        settings.AutoPrepareMinUsages = Math.Max(settings.AutoPrepareMinUsages, Transactions + 1);
        builder.UsePhysicalConnectionInitializer(
            physical => Task.Run(() => InitializeAsync(physical)).GetAwaiter().GetResult(),
            InitializeAsync);

        async Task InitializeAsync(NpgsqlConnection physical)
        {
            // A side may be the one that opens it.
            RunPlace.StepOut();
            if (!await IsDirectAsync(physical, CancellationToken.None)) throw refused();
            if (prepare is not null) await prepare(physical);
        }
    }
}

/// <summary>A new connection does not lead straight to a server process.</summary>
internal sealed class PooledConnectionException() : Exception("A pooler is between this service and PostgreSQL.")
{
    /// <summary>Where several hosts are given, Npgsql gathers what each failed with.</summary>
    public static bool IsIn(Exception? error) => error switch
    {
        null => false,
        PooledConnectionException => true,
        AggregateException all => all.InnerExceptions.Any(IsIn),
        _ => IsIn(error.InnerException),
    };
}
