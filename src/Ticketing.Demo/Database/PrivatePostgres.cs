using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Npgsql;

namespace Ticketing.Demo.Database;

/// <summary>A PostgreSQL cluster of this process's own: booted in about a second, gone with the process, even one that is killed.</summary>
/// <remarks>
/// Listens on 127.0.0.1 only, on a port the system chose, with random passwords. Its zone is UTC. Linux only: it relies on
/// <c>setpriv</c> and <c>setsid</c>. Run by root, it serves as the user postgres or nobody.
/// </remarks>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private const string Superuser = "postgres";
    private const string Owner = "ticketing_owner";
    private const int PortAttempts = 5;
    private static readonly string[] ByPosition = ["ticketing_served", "ticketing_shadow", "ticketing_evidence", "ticketing_sandbox"];

    private readonly ClusterDirectory _directory;
    private readonly PostgresBinaries _binaries;
    private readonly bool _durable;
    private readonly string[] _settings;
    private readonly Dictionary<string, string> _passwords =
        ByPosition.Append(Superuser).Append(Owner).ToDictionary(role => role, _ => RandomNumberGenerator.GetHexString(32));

    private readonly SemaphoreSlim _oneAtATime = new(1); // Roles belong to the cluster: two grants at once would collide.
    private PostgresProcess? _process;

    private PrivatePostgres(ClusterDirectory directory, PostgresBinaries binaries, bool durable, string[] settings) =>
        (_directory, _binaries, _durable, _settings) = (directory, binaries, durable, settings);

    /// <summary>Where it listens; the same after a restart.</summary>
    public int Port { get; private set; }

    internal int ProcessId => _process?.Id ?? 0;

    internal string DirectoryPath => _directory.Path;

    /// <summary>Makes a cluster and waits until it takes connections.</summary>
    /// <param name="durable">Whether commits survive a crash of the machine; tests do without, and are faster.</param>
    /// <param name="settings">The server's own, as <c>name=value</c>, besides those of every private cluster.</param>
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

    /// <summary>Makes a database with the ticketing tables, empty, and the roles.</summary>
    public async Task<TicketingDatabase> CreateAsync(string name, CancellationToken cancellationToken)
    {
        await ExecuteAsync(Connect(Superuser, Superuser), $"CREATE DATABASE {Quote(name)} OWNER {Owner}", cancellationToken);
        await ExecuteAsync(Connect(name, Owner), Resource("schema.sql"), cancellationToken);
        return await GrantAsync(name, cancellationToken);
    }

    /// <summary>Copies a database, rows included. Connections to the template are ended.</summary>
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

        // What is granted on a database is not copied with it.
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

    /// <summary>As the superuser, unpooled: for what only the server's administrator does.</summary>
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
                // Somebody took the port between our look and the server's.
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
