using System.Security.Cryptography;
using Npgsql;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Deploy;

/// <summary>
/// A ticketing database as it is before this project comes: tables with rows, an owner who is no superuser, and a server that takes
/// passwords over TLS alone, with a certificate of an authority of its own.
/// </summary>
internal sealed class ExistingDatabase : IAsyncDisposable
{
    private const string Owner = "ticketing_team";

    /// <summary>Makes them as the server's user: PostgreSQL takes no key that another one could change.</summary>
    private const string Certificates =
        """
        set -e; umask 077; mkdir "$1"; cd "$1"
        key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        openssl req -x509 $key -days 2 -subj "/CN=authority" -keyout authority.key -out authority.crt
        openssl req $key -subj "/CN=database" -keyout server.key -out server.csr
        echo "subjectAltName=IP:127.0.0.1" >names
        openssl x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 -extfile names -out server.crt
        openssl req -x509 $key -days 2 -subj "/CN=another authority" -keyout other.key -out other.crt
        echo "hostnossl all postgres 127.0.0.1/32 scram-sha-256" >hba
        echo "hostssl all all 127.0.0.1/32 scram-sha-256" >>hba
        chmod 755 . && chmod 644 authority.crt other.crt
        """;

    private const string Rows =
        """
        insert into users (email, password_hash, first_name, last_name, role) values ('first@example.com', 'none', 'First', 'User', 'user');
        insert into support_tickets (user_id, subject, description) values (1, 'A ticket', 'that was there before');
        """;

    private readonly string _folder;
    private readonly string _password = RandomNumberGenerator.GetHexString(32);
    private readonly PrivatePostgres _postgres;

    private ExistingDatabase(string folder, PrivatePostgres postgres) => (_folder, _postgres) = (folder, postgres);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<ExistingDatabase> StartAsync()
    {
        var folder = $"/tmp/shadow-ticketing-existing-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        var (exitCode, printed) = await Tool.RunAsync(PostgresBinaries.AsServerUser([], ["sh", "-c", Certificates, "sh", folder]));
        Assert.True(exitCode == 0, printed);
        var postgres = await PrivatePostgres.StartAsync(
            durable: false, Cancellation, "ssl=on", $"ssl_cert_file={folder}/server.crt", $"ssl_key_file={folder}/server.key", $"hba_file={folder}/hba");
        var database = new ExistingDatabase(folder, postgres);
        await database.ExecuteAsync("postgres", $"create role {Owner} login createrole password '{database._password}'");
        await database.ExecuteAsync("postgres", $"create database {Owner} owner {Owner}");
        var schema = await File.ReadAllTextAsync(Repository.Path("deploy", "postgres", "schema.sql"), Cancellation);
        await database.ExecuteAsync(Owner, $"set role {Owner};{schema};{Rows}");
        return database;
    }

    /// <summary>As its owner connects, the server's certificate verified.</summary>
    /// <param name="authority">The file with the certificate that is trusted.</param>
    public string Url(string authority = "authority.crt") =>
        $"postgresql://{Owner}:{_password}@127.0.0.1:{_postgres.Port}/{Owner}?sslmode=verify-full&sslrootcert={_folder}/{authority}";

    /// <summary>Runs statements as the server's administrator.</summary>
    public Task ExecuteAsync(string sql) => ExecuteAsync(Owner, sql);

    public async Task<object?> ReadAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.Administrator(Owner));
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.Administrator(database));
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
