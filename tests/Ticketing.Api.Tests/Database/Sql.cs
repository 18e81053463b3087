using Npgsql;

namespace Ticketing.Api.Tests.Database;

internal static class Sql
{
    /// <summary>The rows as text, columns separated by a bar.</summary>
    public static async Task<string[]> LinesAsync(string connectionString, string query)
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(query, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        List<string> lines = [];
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            lines.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(reader.GetValue)));
        return [.. lines];
    }

    public static async Task<string> LineAsync(string connectionString, string query) => Assert.Single(await LinesAsync(connectionString, query));

    /// <summary>The SQLSTATE that the statements end with; null where all succeed.</summary>
    public static async Task<string?> StateAsync(string connectionString, string statements)
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(statements, connection);
        try
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            return null;
        }
        catch (PostgresException e)
        {
            return e.SqlState;
        }
    }

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }
}
