using System.Globalization;
using System.Text;
using Npgsql;
using Ticketing.Demo;
using Ticketing.Demo.Database;
using Ticketing.Demo.Screen;
using Ticketing.Demo.Status;

namespace Benchmarks.Idling;

/// <summary>What a replica asks of PostgreSQL while no user comes: by the server's own count of statements.</summary>
internal static class IdleBench
{
    private const string Counted = "select query, calls from pg_stat_statements where query not like '%pg_stat_%' order by calls desc";

    /// <returns>A Markdown table.</returns>
    public static async Task<string> RunAsync(TimeSpan time, TimeProvider clock, CancellationToken stop)
    {
        await using var postgres = await PrivatePostgres.StartAsync(
            durable: false, stop, "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=top");
        var database = await postgres.CreateAsync("idle", stop);
        await Seeder.SeedAsync(database, 1_000, stop);
        await using var source = NpgsqlDataSource.Create(postgres.Administrator(database.Name));
        await ExecuteAsync("create extension pg_stat_statements");
        var secrets = DemoSecrets.Draw();
        await using var service = await DemoService.StartAsync(0, database, secrets, new([]), new DemoLog(), stop);
        using var status = new StatusClient([service.Address], secrets.ViewerToken, clock);
        await status.ReadyAsync(stop);
        await status.WhenAsync(now => now.Enabled, TimeSpan.FromMinutes(1), stop);
        // What is done once is over by then.
        await Task.Delay(TimeSpan.FromSeconds(5), clock, stop);
        await ExecuteAsync("select pg_stat_statements_reset()");
        var began = clock.GetTimestamp();
        await Task.Delay(time, clock, stop);
        var rows = new List<(string Statement, long Calls)>();
        var seconds = clock.GetElapsedTime(began).TotalSeconds;
        await using (var command = source.CreateCommand(Counted))
        await using (var reader = await command.ExecuteReaderAsync(stop))
        {
            while (await reader.ReadAsync(stop)) rows.Add((reader.GetString(0), reader.GetInt64(1)));
        }

        var sessions = await ReadAsync(
            "select string_agg(application_name || ' ' || n, ', ' order by application_name) from (select application_name, count(*) n from "
            + "pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() group by 1) each");
        var report = new StringBuilder("# What a replica asks of PostgreSQL while no user comes\n\n").Append(CultureInfo.InvariantCulture, $"""
            {rows.Sum(row => row.Calls) / seconds:N1} statements a second over {seconds:N0} s. Sessions: {sessions}.

            | a second | statement |
            |---|---|

            """);
        foreach (var (statement, calls) in rows)
        {
            var line = string.Join(' ', statement.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Replace('|', '¦');
            report.Append(CultureInfo.InvariantCulture, $"| {calls / seconds:N2} | `{(line.Length > 110 ? line[..110] + "…" : line)}` |\n");
        }

        return report.ToString();

        async Task ExecuteAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(stop);
        }

        async Task<string> ReadAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            return (string)(await command.ExecuteScalarAsync(stop))!;
        }
    }
}
