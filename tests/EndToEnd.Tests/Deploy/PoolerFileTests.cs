using System.Diagnostics;
using System.Security.Cryptography;
using Npgsql;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Deploy;

/// <summary>PgBouncer runs by the file that is shipped, and the roles of the service get through it.</summary>
public sealed class PoolerFileTests
{
    private const int Terminate = 15;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_roles_of_the_service_get_through_the_pooler_as_it_is_configured()
    {
        await using var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var database = await postgres.CreateAsync("ticketing", Cancellation);
        // Where the user that it runs as may read.
        var folder = $"/tmp/shadow-ticketing-pooler-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        Directory.CreateDirectory(folder);
        try
        {
            string[] roles = [database.Served, database.Shadow, database.Evidence];
            var users = roles.Select(text => new NpgsqlConnectionStringBuilder(text)).Select(user => $"\"{user.Username}\" \"{user.Password}\"");
            await File.WriteAllLinesAsync($"{folder}/userlist.txt", users, Cancellation);
            var port = PrivatePostgres.FreePort();
            var shipped = await File.ReadAllTextAsync(Repository.Path("deploy", "pgbouncer", "pgbouncer.ini"), Cancellation);
            // Only addresses are this test's own.
            var own = shipped.Replace("host=postgres port=5432", $"host=127.0.0.1 port={postgres.Port}", StringComparison.Ordinal)
                .Replace("listen_addr = 0.0.0.0", "listen_addr = 127.0.0.1", StringComparison.Ordinal)
                .Replace("listen_port = 6432", $"listen_port = {port}", StringComparison.Ordinal)
                .Replace("/etc/pgbouncer/userlist.txt", $"{folder}/userlist.txt", StringComparison.Ordinal);
            await File.WriteAllTextAsync($"{folder}/pgbouncer.ini", own, Cancellation);
            var pooler = await PostgresProcess.StartAsync(Command(folder), Cancellation, "process up: PgBouncer");
            try
            {
                foreach (var role in roles)
                {
                    await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(role)
                    {
                        Port = port,
                        Pooling = false,
                        // As the service opens its sessions: a pooler refuses this unless it is told to bear it.
                        Options = "-c statement_timeout=5s",
                    }.ConnectionString);
                    await connection.OpenAsync(Cancellation);
                    await using var command = new NpgsqlCommand("select 1", connection);
                    Assert.Equal(1, await command.ExecuteScalarAsync(Cancellation));
                }
            }
            finally
            {
                await pooler.StopAsync(Terminate);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ProcessStartInfo Command(string folder)
    {
        // A copy where that user may go, with the libraries beside it that ensure has unpacked.
        var program = Tool.Find("pgbouncer");
        File.Copy(program, $"{folder}/pgbouncer");
        var libraries = Repository.Path(".cache", "pgbouncer", "lib");
        if (Directory.Exists(libraries)) foreach (var library in Directory.GetFiles(libraries)) File.Copy(library, $"{folder}/{Path.GetFileName(library)}");
        var start = PostgresBinaries.AsServerUser(["--pdeathsig", "SIGKILL"], [$"{folder}/pgbouncer", $"{folder}/pgbouncer.ini"]);
        start.Environment["LD_LIBRARY_PATH"] = folder;
        return start;
    }
}
