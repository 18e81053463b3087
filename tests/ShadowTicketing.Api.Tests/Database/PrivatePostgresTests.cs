using System.Diagnostics;
using Npgsql;
using ShadowTicketing.Demo.Database;

namespace ShadowTicketing.Api.Tests.Database;

public sealed class PrivatePostgresTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_left_of_it_neither_process_nor_directory()
    {
        var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var (process, directory) = (postgres.ProcessId, postgres.DirectoryPath);
        Assert.True(Directory.Exists(directory));
        await postgres.DisposeAsync();
        Assert.False(Directory.Exists(directory));
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(process));
    }

    [Fact]
    public async Task A_restart_keeps_port_and_data()
    {
        await using var postgres = await PrivatePostgres.StartAsync(durable: true, Cancellation);
        var database = await postgres.CreateAsync("kept", Cancellation);
        var port = postgres.Port;
        await ExecuteAsync("insert into users (email, password_hash, first_name, last_name) values ('a@example.com', '', 'A', 'B')");
        await postgres.RestartAsync(Cancellation);
        Assert.Equal(port, postgres.Port);
        Assert.Equal(1L, await ExecuteAsync("select count(*) from users"));

        async Task<object?> ExecuteAsync(string sql)
        {
            await using var source = NpgsqlDataSource.Create(database.Owner + ";Pooling=false");
            await using var command = source.CreateCommand(sql);
            return await command.ExecuteScalarAsync(Cancellation);
        }
    }
}
