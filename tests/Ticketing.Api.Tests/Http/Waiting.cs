using Npgsql;

namespace Ticketing.Api.Tests.Http;

/// <summary>Waits for what can be seen, never for a time.</summary>
internal static class Waiting
{
    // pg_stat_activity hides what the sessions of other roles wait for; the locks themselves are there for all to see.
    private const string HoldsUp = "select exists (select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))";

    /// <summary>Until some statement waits for a lock of the connection's.</summary>
    public static Task UntilItHoldsSomebodyUpAsync(NpgsqlConnection connection) => UntilAsync(connection, holdsUp: true);

    /// <summary>Until none does.</summary>
    public static Task UntilItHoldsNobodyUpAsync(NpgsqlConnection connection) => UntilAsync(connection, holdsUp: false);

    private static async Task UntilAsync(NpgsqlConnection connection, bool holdsUp)
    {
        await using var command = new NpgsqlCommand(HoldsUp, connection);
        while ((bool)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))! != holdsUp) await Task.Yield();
    }
}
