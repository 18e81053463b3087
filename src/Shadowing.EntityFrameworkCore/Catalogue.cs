using System.Text.RegularExpressions;
using Npgsql;

namespace Shadowing.EntityFrameworkCore;

/// <summary>A column as the catalogue has it.</summary>
/// <param name="Default">In a normal form; null where there is none. Null for a generated number too.</param>
/// <param name="Generates">Whether the database numbers rows here, as serial or as identity.</param>
internal sealed record CatalogueColumn(string Name, string Type, bool IsNullable, string? Default, bool Generates);

/// <summary>A primary key, or a foreign key and what deleting its principal does.</summary>
internal sealed record CatalogueKey(string Columns, string? Principal, string? OnDelete);

/// <summary>A table as the catalogue has it; without columns where there is no such table.</summary>
internal sealed partial record CatalogueTable(IReadOnlyList<CatalogueColumn> Columns, IReadOnlyList<CatalogueKey> Keys)
{
    /// <summary>PostgreSQL's own columns; no table can have others of these names.</summary>
    internal static readonly string[] SystemColumns = ["xmin", "xmax", "cmin", "cmax", "ctid", "tableoid"];

    // pg_catalog and not information_schema: the latter shows a role only what it was granted.
    private const string ColumnsOfTables =
        """
        SELECT t.name, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid), a.attidentity <> ''
        FROM unnest($1) AS t (name)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        ORDER BY a.attnum
        """;

    private const string KeysOfTables =
        """
        SELECT t.name, (SELECT string_agg(a.attname, ', ' ORDER BY part.position)
                FROM unnest(c.conkey) WITH ORDINALITY AS part (attnum, position)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = part.attnum),
               principal.relname,
               CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
                                  WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END
        FROM unnest($1) AS t (name)
        JOIN pg_catalog.pg_constraint c ON c.conrelid = to_regclass(t.name) AND c.contype IN ('p', 'f')
        LEFT JOIN pg_catalog.pg_class principal ON principal.oid = c.confrelid
        """;

    /// <summary>Reads tables, in two statements for all of them: this is asked again and again.</summary>
    /// <param name="names">As statements would write them.</param>
    /// <returns>By name; each that was asked for.</returns>
    public static async Task<IReadOnlyDictionary<string, CatalogueTable>> ReadAsync(
        NpgsqlConnection connection, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var columns = await ReadAsync(connection, ColumnsOfTables, names, ReadColumn, cancellationToken);
        var keys = await ReadAsync(
            connection, KeysOfTables, names,
            static row => new CatalogueKey(
                row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3)),
            cancellationToken);
        return names.Distinct().ToDictionary(name => name, name => new CatalogueTable([.. columns[name]], [.. keys[name]]));
    }

    private static CatalogueColumn ReadColumn(NpgsqlDataReader row)
    {
        var expression = row.IsDBNull(4) ? null : NormalDefault(row.GetString(4));
        var generates = row.GetBoolean(5) || expression?.StartsWith("NEXTVAL(", StringComparison.Ordinal) is true;
        return new(row.GetString(1), NormalType(row.GetString(2)), row.GetBoolean(3), generates ? null : expression, generates);
    }

    private static async Task<ILookup<string, T>> ReadAsync<T>(
        NpgsqlConnection connection, string sql, IReadOnlyCollection<string> names, Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken)
    {
        List<(string Name, T Value)> found = [];
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = names.ToArray() } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) found.Add((reader.GetString(0), read(reader)));
        return found.ToLookup(one => one.Name, one => one.Value);
    }

    /// <summary>Six fractional digits are all there are, so saying so makes no other type.</summary>
    internal static string NormalType(string type) => type.StartsWith("timestamp(6)", StringComparison.Ordinal) ? BareType(type) : type;

    /// <summary>A type without its length or precision.</summary>
    internal static string BareType(string type) => Modifier().Replace(type, "");

    /// <summary>An expression without its casts, in upper case outside quotes, with one name for the clock; null for a NULL.</summary>
    internal static string? NormalDefault(string expression)
    {
        var bare = QuotedOrCast().Replace(expression, static match => match.Value.StartsWith(':') ? "" : match.Value).Trim();
        while (bare is ['(', .., ')']) bare = bare[1..^1];
        if (!bare.StartsWith('\'')) bare = bare.ToUpperInvariant();
        return bare switch
        {
            "NULL" => null,
            "NOW()" or "LOCALTIMESTAMP" or "TRANSACTION_TIMESTAMP()" => "CURRENT_TIMESTAMP",
            _ => bare,
        };
    }

    [GeneratedRegex(@"\(.*?\)")]
    private static partial Regex Modifier();

    [GeneratedRegex("""'(?:[^']|'')*'|::"?[a-z_]+"?(?: [a-z]+)*(?:\(\d+\))?(?: with(?:out)? time zone)?(?:\[\])?""")]
    private static partial Regex QuotedOrCast();
}
