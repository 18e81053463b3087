using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Checks;

/// <summary>What the tables look like to the shadow: evidence of one schema says nothing about another.</summary>
public static class SchemaFingerprint
{
    private const string Sql =
        """
        select coalesce(string_agg(concat_ws(' ', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attcollation, pg_get_expr(d.adbin, d.adrelid)), e'\n' order by a.attrelid::regclass::text, a.attname), '')
        from unnest($1) as t(name)
        join pg_attribute a on a.attrelid = to_regclass(t.name) and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where has_column_privilege(a.attrelid, a.attnum, 'select')
        """;

    /// <summary>Twelve hexadecimal digits over the columns that the connection's role may read: the touched ones, and no others.</summary>
    /// <param name="tables">By the names that statements use.</param>
    public static async Task<string> ReadAsync(NpgsqlConnection connection, string[] tables, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.AddVerbatim(new() { Value = tables });
        var columns = (string)(await command.ExecuteScalarAsync(cancellationToken))!;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(columns)))[..12];
    }
}
