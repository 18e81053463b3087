using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Npgsql;
using Shadowing.Orders.Tests;
using Ticketing.Demo.Database;

[assembly: AssemblyFixture(typeof(OrdersFixture))]

namespace Shadowing.Orders.Tests;

/// <summary>
/// Packs the engine, builds the orders service from the packages alone in a folder of its own, and makes its databases. What else it needs is
/// found among the packages that this solution has restored.
/// </summary>
public sealed class OrdersFixture : IAsyncLifetime
{
    private static readonly string[] Packed = ["Shadowing", "Shadowing.Postgres", "Shadowing.AspNetCore"];
    private readonly string _folder = Directory.CreateTempSubdirectory("orders").FullName;
    private readonly string _password = Guid.NewGuid().ToString("N");
    private readonly ConcurrentDictionary<string, Lazy<Task>> _databases = [];
    private PrivatePostgres _postgres = null!;

    public string Program => Path.Combine(_folder, "bin", "Orders.dll");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Each test has a database of its own: they run beside each other, some write, and a rollback is kept.</summary>
    private static string Database => $"orders_{TestContext.Current.Test!.UniqueID[..16]}";

    /// <summary>How a role reaches the database of this test, which is made for the first that asks.</summary>
    public async Task<string> ConnectionAsync(string role)
    {
        await _databases.GetOrAdd(Database, static (name, fixture) => new(() => fixture.CreateAsync(name)), this).Value;
        return new NpgsqlConnectionStringBuilder(_postgres.Administrator(Database))
        {
            Username = role,
            Password = _password,
            Pooling = true,
        }.ConnectionString;
    }

    public async ValueTask InitializeAsync()
    {
        var building = BuildAsync();
        _postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        foreach (var role in new[] { "orders_served", "orders_shadow", "orders_evidence" })
            await ExecuteAsync(_postgres.Administrator(), $"create role {role} login password '{_password}'");
        await ExecuteAsync(_postgres.Administrator(), "create role orders_audit nologin; grant orders_evidence to orders_audit");
        await building;
    }

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null) await _postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs a statement as the owner, in the database of this test.</summary>
    public Task ExecuteAsync(string sql) => ExecuteAsync(_postgres.Administrator(Database), sql);

    /// <summary>A number that a query gives.</summary>
    public async Task<long> CountAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.Administrator(Database));
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task CreateAsync(string database)
    {
        await ExecuteAsync(_postgres.Administrator(), $"create database {database}");
        var schema = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Schema.sql"), Cancellation);
        await ExecuteAsync(_postgres.Administrator(database), schema.Replace("$database", database, StringComparison.Ordinal));
    }

    private async Task BuildAsync()
    {
        foreach (var package in Packed)
            await RunAsync("pack", Path.Combine(Metadata("Source"), package), "-c", "Release", "--no-build", "-o", Path.Combine(_folder, "feed"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Orders"), "*"))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        var restored = (await RunAsync("nuget", "locals", "global-packages", "-l")).Split(": ", 2)[1].Trim();
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "nuget.config"),
            $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="feed" /></packageSources>
              <fallbackPackageFolders><add key="restored" value="{restored}" /></fallbackPackageFolders>
            </configuration>
            """, Cancellation);
        await RunAsync(["build", "Orders.csproj", "-c", "Release", "-o", "bin", .. Metadata("Versions").Split(' ')]);
    }

    private static string Metadata(string key) => typeof(OrdersFixture).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == key).Value!;

    private async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            Environment = { ["NUGET_PACKAGES"] = arguments[0] == "build" ? Path.Combine(_folder, "packages") : null },
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, $"dotnet {arguments[0]}: {output}");
        return output;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
