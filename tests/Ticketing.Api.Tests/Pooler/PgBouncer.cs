using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Pooler;

/// <summary>
/// A PgBouncer of the test's own in front of its database: transaction mode, and so few server connections that clients share them.
/// </summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int PortAttempts = 5;
    private readonly string _directory;
    private readonly PostgresProcess _process;
    private readonly int _port;

    private PgBouncer(string directory, PostgresProcess process, int port) => (_directory, _process, _port) = (directory, process, port);

    /// <param name="servers">Connections to PostgreSQL for each user.</param>
    public static async Task<PgBouncer> StartAsync(TicketingDatabase database, int servers, CancellationToken cancellationToken)
    {
        var (folder, libraries) = Find();
        // Where any user may go: it refuses to run as root.
        var directory = $"/tmp/shadow-ticketing-pgbouncer-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        Directory.CreateDirectory(directory);
        foreach (var file in (string[])[Path.Combine(folder, "pgbouncer"), .. libraries])
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        string[] all = [database.Owner, database.Served, database.Shadow, database.Sandbox, database.Evidence];
        var users = all.Select(text => new NpgsqlConnectionStringBuilder(text)).ToArray();
        var passwords = users.Select(user => $"\"{user.Username}\" \"{user.Password}\"");
        await File.WriteAllLinesAsync(Path.Combine(directory, "users"), passwords, cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var port = PrivatePostgres.FreePort();
            var ini = Path.Combine(directory, "ini");
            await File.WriteAllTextAsync(ini, Configuration(users[0].Port, port, servers, directory), cancellationToken);
            var start = PostgresBinaries.AsServerUser(["--pdeathsig", "SIGKILL"], [Path.Combine(directory, "pgbouncer"), ini]);
            start.Environment["LD_LIBRARY_PATH"] = directory;
            try
            {
                return new(directory, await PostgresProcess.StartAsync(start, cancellationToken, "process up: PgBouncer"), port);
            }
            catch (InvalidOperationException taken)
                when (attempt < PortAttempts && taken.Message.Contains("Address already in use", StringComparison.Ordinal))
            {
                // Another process took the port first.
            }
        }
    }

    public int Port => _port;

    /// <summary>The same database by way of the pooler.</summary>
    public string Through(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString) { Port = _port }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await _process.StopAsync(Terminate);
        Directory.Delete(_directory, recursive: true);
    }

    private static string Configuration(int server, int port, int servers, string directory) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        [databases]
        * = host=127.0.0.1 port={server}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = scram-sha-256
        auth_file = {directory}/users
        pool_mode = transaction
        default_pool_size = {servers}
        max_client_conn = 200
        ignore_startup_parameters = extra_float_digits,options
        """);

    /// <summary>Looks in the order that <c>deploy/pgbouncer/ensure</c> follows too.</summary>
    private static (string Folder, IReadOnlyList<string> Libraries) Find()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        var installed = path.Split(':', StringSplitOptions.RemoveEmptyEntries).Append("/usr/sbin");
        if (installed.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "pgbouncer"))) is { } there) return (there, []);
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var cache = Path.Combine(directory.FullName, ".cache/pgbouncer");
            if (File.Exists(Path.Combine(cache, "usr/sbin/pgbouncer")))
                return (Path.Combine(cache, "usr/sbin"), Directory.GetFiles(Path.Combine(cache, "lib")));
        }

        throw new InvalidOperationException("PgBouncer is not installed. Run: deploy/pgbouncer/ensure");
    }
}
