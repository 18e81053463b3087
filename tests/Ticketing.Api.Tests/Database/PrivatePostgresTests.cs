using System.Diagnostics;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

public sealed class PrivatePostgresTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_restart_keeps_port_and_data_and_disposal_leaves_neither_process_nor_directory()
    {
        int process;
        string directory;
        await using (var postgres = await PrivatePostgres.StartAsync(durable: true, Token))
        {
            var database = await postgres.CreateAsync("restarted", Token);
            await Sql.StateAsync(database.Owner, "INSERT INTO users (email, password_hash, first_name, last_name) VALUES ('kept@example.com', 'x', 'x', 'x')");
            var (port, before) = (postgres.Port, postgres.ProcessId);

            await postgres.RestartAsync(Token);

            Assert.Equal("kept@example.com", await Sql.LineAsync(database.Served, "SELECT email FROM users"));
            Assert.Equal(port, postgres.Port);
            Assert.NotEqual(before, postgres.ProcessId);
            (process, directory) = (postgres.ProcessId, postgres.DirectoryPath);
            Assert.True(Directory.Exists($"/proc/{process}"));
        }

        Assert.False(Directory.Exists($"/proc/{process}"));
        Assert.False(Directory.Exists(directory));
        Assert.False(File.Exists(directory + ".lock"));
    }

    [Fact]
    public async Task A_server_dies_with_its_killed_owner()
    {
        var binaries = PostgresBinaries.Find();
        using var directory = ClusterDirectory.Reserve();
        var initialise = binaries.Initialise(directory.Path, "postgres");
        (initialise.RedirectStandardInput, initialise.RedirectStandardOutput) = (true, true);
        using (var initdb = Process.Start(initialise)!)
        {
            await initdb.StandardInput.WriteLineAsync("password");
            initdb.StandardInput.Close();
            await initdb.StandardOutput.ReadToEndAsync(Token);
            await initdb.WaitForExitAsync(Token);
        }

        // The shell stands for the owner: it has the server for a child, and is killed before it can do anything about it.
        var serve = binaries.Serve(directory.Data, PrivatePostgres.FreePort(), durable: false);
        using var owner = Process.Start(new ProcessStartInfo("sh", ["-c", "\"$@\" & wait", "sh", serve.FileName, .. serve.ArgumentList])
        {
            WorkingDirectory = "/",
            RedirectStandardError = true,
        })!;
        while (await owner.StandardError.ReadLineAsync(Token) is { } line && !line.Contains("ready to accept", StringComparison.Ordinal)) ;
        Assert.True(File.Exists(Path.Combine(directory.Data, "postmaster.pid")));

        owner.Kill();
        await owner.StandardError.ReadToEndAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token); // Open until the last of its children is gone.
        Assert.False(File.Exists(Path.Combine(directory.Data, "postmaster.pid")));
    }

    [Fact]
    public void What_a_killed_owner_left_is_removed_and_what_a_live_one_holds_is_not()
    {
        using var held = ClusterDirectory.Reserve();
        Directory.CreateDirectory(held.Data);
        var abandoned = held.Path + "-abandoned";
        Directory.CreateDirectory(Path.Combine(abandoned, "data"));
        File.WriteAllText(abandoned + ".lock", "");

        ClusterDirectory.RemoveAbandoned();

        Assert.False(Directory.Exists(abandoned));
        Assert.False(File.Exists(abandoned + ".lock"));
        Assert.True(Directory.Exists(held.Data));
    }
}
