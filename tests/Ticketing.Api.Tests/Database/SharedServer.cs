using Npgsql;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

/// <summary>A cluster of its own, because roles belong to all of a cluster's databases, with logins of other teams in it.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    private const string Password = "of no secret";

    private PrivatePostgres _postgres = null!;

    /// <summary>Runs as the superuser.</summary>
    public Task AsAdministratorAsync(string database, string sql) => RunAsync(Administrator(database), sql);

    /// <summary>The connection string of a login, which is made if it is not there.</summary>
    public async Task<string> LoginAsync(string role, string database, string attributes = "")
    {
        await AsAdministratorAsync("postgres", $"""
            do $$ begin
                if to_regrole('{role}') is null then create role {role} login {attributes} password '{Password}'; end if;
            end $$
            """);
        return new NpgsqlConnectionStringBuilder(Administrator(database)) { Username = role, Password = Password }.ConnectionString;
    }

    /// <summary>Makes a ticketing database with this project's roles in it.</summary>
    public Task<TicketingDatabase> CreateAsync(string name) => _postgres.CreateAsync(name, TestContext.Current.CancellationToken);

    public string Administrator(string database) => _postgres.Administrator(database);

    public static async Task RunAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask InitializeAsync() => _postgres = await PrivatePostgres.StartAsync(durable: false, CancellationToken.None);

    public ValueTask DisposeAsync() => _postgres?.DisposeAsync() ?? ValueTask.CompletedTask;
}
