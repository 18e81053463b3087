using Npgsql;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Database;

/// <summary>One script leaves no trace of the shadow, and what serves the users stays as it is.</summary>
public sealed class UninstallTests
{
    private const string Traces =
        """
        select 'role ' || rolname from pg_roles where rolname in ('ticketing_shadow', 'ticketing_sandbox', 'ticketing_evidence', 'ticketing_audit')
        union all select 'schema ' || nspname from pg_namespace where nspname = 'shadow'
        union all select 'grant on ' || relname from pg_class where relacl::text ~ 'ticketing_(shadow|sandbox|evidence|audit)'
        union all select 'grant on column ' || attname from pg_attribute where attacl::text ~ 'ticketing_(shadow|sandbox|evidence|audit)'
        union all select 'grant on schema ' || nspname from pg_namespace where nspacl::text ~ 'ticketing_(shadow|sandbox|evidence|audit)'
        union all select 'grant on database ' || datname from pg_database where datacl::text ~ 'ticketing_(shadow|sandbox|evidence|audit)'
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_left_of_the_shadow_and_the_served_role_keeps_what_it_may()
    {
        // A server of its own: roles belong to all databases of a server.
        await using var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var database = await postgres.CreateAsync("uninstall", Cancellation);
        await using var administrator = NpgsqlDataSource.Create(postgres.Administrator(database.Name));
        Assert.NotEmpty(await LinesAsync(administrator, Traces));
        NpgsqlConnection.ClearAllPools();

        var script = await File.ReadAllTextAsync(Path.Combine(Root(), "deploy", "postgres", "uninstall.sql"), Cancellation);
        for (var run = 0; run < 2; run++)
        {
            await using var uninstall = administrator.CreateCommand(script);
            await uninstall.ExecuteNonQueryAsync(Cancellation);
            Assert.Empty(await LinesAsync(administrator, Traces));
        }

        await using var served = NpgsqlDataSource.Create(database.Served);
        Assert.Equal(["0"], await LinesAsync(served, "select count(*)::text from support_tickets"));
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ShadowTicketing.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    private static async Task<List<string>> LinesAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        List<string> lines = [];
        while (await reader.ReadAsync(Cancellation)) lines.Add(reader.GetString(0));
        return lines;
    }
}
