using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Npgsql;

namespace Ticketing.Demo.Database;

/// <summary>A private PostgreSQL cluster of this process: started in about a second, and removed even if the process is killed.</summary>
/// <remarks>
/// Listens on 127.0.0.1 only, on a free port, with random passwords. Its time zone is UTC. Linux only: it needs <c>setpriv</c> and
/// <c>setsid</c>. Started by root, it runs as the user <c>postgres</c> or <c>nobody</c>.
/// </remarks>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private const string Superuser = "postgres";
    private const string Owner = "ticketing_owner";

    private const string WithoutLargeObjects =
        """
        REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea), lo_put(oid, bigint, bytea), lo_import(text),
            lo_import(text, oid), lo_unlink(oid), lo_truncate(int, int), lo_truncate64(int, bigint), lowrite(int, bytea) FROM PUBLIC
        """;

    private const int PortAttempts = 5;
    private static readonly string[] ByPosition = ["ticketing_served", "ticketing_shadow", "ticketing_evidence", "ticketing_sandbox"];

    private readonly ClusterDirectory _directory;
    private readonly PostgresBinaries _binaries;
    private readonly bool _durable;
    private readonly string[] _settings;
    private readonly Dictionary<string, string> _passwords =
        ByPosition.Append(Superuser).Append(Owner).ToDictionary(role => role, _ => RandomNumberGenerator.GetHexString(32));

    private readonly SemaphoreSlim _oneAtATime = new(1); // Roles belong to the cluster, and two grants at once would conflict.
    private PostgresProcess? _process;

    private PrivatePostgres(ClusterDirectory directory, PostgresBinaries binaries, bool durable, string[] settings) =>
        (_directory, _binaries, _durable, _settings) = (directory, binaries, durable, settings);

    /// <summary>The port that it listens on; the same after a restart.</summary>
    public int Port { get; private set; }

    internal int ProcessId => _process?.Id ?? 0;

    internal string DirectoryPath => _directory.Path;

    /// <summary>Creates a cluster and waits until it accepts connections.</summary>
    /// <param name="durable">Whether commits survive a crash of the machine; tests do not need that, and are faster without it.</param>
    /// <param name="settings">Settings of the server, as <c>name=value</c>, besides those of every private cluster.</param>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed or does not start; the message says what to do.</exception>
    public static async Task<PrivatePostgres> StartAsync(bool durable, CancellationToken cancellationToken, params string[] settings)
    {
        var binaries = PostgresBinaries.Find();
        ClusterDirectory.RemoveAbandoned();
        var postgres = new PrivatePostgres(ClusterDirectory.Reserve(), binaries, durable, settings);
        try
        {
            await postgres.InitialiseAsync(cancellationToken);
            await postgres.ListenAsync(cancellationToken);
            await ExecuteAsync(
                postgres.Connect(Superuser, Superuser), $"CREATE ROLE {Owner} LOGIN PASSWORD '{postgres._passwords[Owner]}'",
                cancellationToken);
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates a database with empty ticketing tables, and the roles.</summary>
    public async Task<TicketingDatabase> CreateAsync(string name, CancellationToken cancellationToken)
    {
        await ExecuteAsync(Connect(Superuser, Superuser), $"CREATE DATABASE {Quote(name)} OWNER {Owner}", cancellationToken);
        // A database of this program's own: no other role in it needs large objects, which a read-only transaction does not protect.
        await ExecuteAsync(Connect(name, Superuser), WithoutLargeObjects, cancellationToken);
        await ExecuteAsync(Connect(name, Owner), Resource("schema.sql"), cancellationToken);
        return await GrantAsync(name, cancellationToken);
    }

    /// <summary>Copies a database with its rows. Connections to the template are ended.</summary>
    public async Task<TicketingDatabase> CloneAsync(TicketingDatabase template, string name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(template);
        await ExecuteAsync(
            Connect(Superuser, Superuser),
            $"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{template.Name}'",
            cancellationToken);
        await ExecuteAsync(
            Connect(Superuser, Superuser),
            $"CREATE DATABASE {Quote(name)} OWNER {Owner} TEMPLATE {Quote(template.Name)} STRATEGY file_copy",
            cancellationToken);

        // Grants on a database are not copied with it.
        return await GrantAsync(name, cancellationToken);
    }

    /// <summary>Stops at once, as in a crash, and starts again on the same port with the same data.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        if (_process is not null) await _process.StopAsync(PostgresProcess.ImmediateShutdown);
        _process = await PostgresProcess.StartAsync(_binaries.Serve(_directory.Data, Port, _durable, _settings), cancellationToken);
    }

    /// <summary>Stops the server and removes its directory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.StopAsync(PostgresProcess.FastShutdown);
        _directory.Dispose();
        _oneAtATime.Dispose();
    }

    /// <summary>The superuser's connection string, without pooling, for administration only.</summary>
    internal string Administrator(string database = Superuser) => Connect(database, Superuser);

    private async Task InitialiseAsync(CancellationToken cancellationToken)
    {
        var start = _binaries.Initialise(_directory.Path, Superuser);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        using var initdb = Process.Start(start)!;
        var output = initdb.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = initdb.StandardError.ReadToEndAsync(cancellationToken);
        await using (cancellationToken.Register(() => initdb.Kill(entireProcessTree: true)))
        {
            await initdb.StandardInput.WriteLineAsync(_passwords[Superuser]);
            initdb.StandardInput.Close();
            await initdb.WaitForExitAsync(CancellationToken.None);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (initdb.ExitCode != 0) throw new InvalidOperationException($"initdb failed: {await errors}{await output}");
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            Port = FreePort();
            try
            {
                _process = await PostgresProcess.StartAsync(_binaries.Serve(_directory.Data, Port, _durable, _settings), cancellationToken);
                return;
            }
            catch (InvalidOperationException e)
                when (attempt < PortAttempts && e.Message.Contains("Address already in use", StringComparison.Ordinal))
            {
                // Another process took the port after it was found free and before the server used it.
            }
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<TicketingDatabase> GrantAsync(string name, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await ExecuteAsync(Connect(name, Superuser), Resource("roles.sql"), cancellationToken);
            await ExecuteAsync(
                Connect(name, Superuser),
                string.Concat(ByPosition.Select(role => $"ALTER ROLE {role} PASSWORD '{_passwords[role]}';")),
                cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }

        string[] pooled = [.. ByPosition.Select(role => Connect(name, role, pooling: true))];
        return new(name, Connect(name, Owner), pooled[0], pooled[1], pooled[2], pooled[3]);
    }

    private string Connect(string database, string role, bool pooling = false) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Database = database,
            Username = role,
            Password = _passwords[role],
            ApplicationName = role,
            Pooling = pooling,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(PrivatePostgres).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private static string Quote(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
