using Npgsql;
using Shadowing.Postgres.Connections;

namespace Shadowing.Postgres.Doctor;

/// <summary>Asks one position's server what a check needs; reads only, and nothing of the application's tables.</summary>
internal static class PositionProbe
{
    private const string Ask =
        """
        select current_user, current_database(), current_setting('server_version_num')::int,
            array_to_string(current_schemas(false), ', '), clock_timestamp(), r.rolsuper or r.rolbypassrls, pg_is_in_recovery(),
            r.rolconnlimit, (select count(*) from pg_stat_activity where usename = current_user)::int,
            current_setting('max_connections')::int, current_setting('default_transaction_read_only')::bool
        from pg_roles r where r.rolname = current_user
        """;

    public static async Task<PositionFacts> AskAsync(
        string name, NpgsqlDataSource source, TimeProvider clock, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        var isDirect = await DirectConnection.IsDirectAsync(connection, cancellationToken);
        await using var command = new NpgsqlCommand(Ask, connection);
        var before = clock.GetUtcNow();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var after = clock.GetUtcNow();
        var server = reader.GetFieldValue<DateTimeOffset>(4);
        // Half of the round trip may have passed since the server looked at its clock.
        var skew = server - (before + ((after - before) / 2));
        return new(
            name, isDirect, reader.GetString(0), reader.GetString(1), reader.GetInt32(2), reader.GetString(3), skew, reader.GetBoolean(5),
            reader.GetBoolean(6), reader.GetInt32(7), reader.GetInt32(8), reader.GetInt32(9), reader.GetBoolean(10));
    }
}
