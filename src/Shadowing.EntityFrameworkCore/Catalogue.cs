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
    private const string ColumnsOfTable =
        """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid), a.attidentity <> ''
        FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
        """;

    private const string KeysOfTable =
        """
        SELECT (SELECT string_agg(a.attname, ', ' ORDER BY part.position)
                FROM unnest(c.conkey) WITH ORDINALITY AS part (attnum, position)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = part.attnum),
               principal.relname,
               CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
                                  WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END
        FROM pg_catalog.pg_constraint c
        LEFT JOIN pg_catalog.pg_class principal ON principal.oid = c.confrelid
        WHERE c.conrelid = to_regclass($1) AND c.contype IN ('p', 'f')
        """;

    public static async Task<CatalogueTable> ReadAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        List<CatalogueColumn> columns = [];
        await using (var command = new NpgsqlCommand(ColumnsOfTable, connection) { Parameters = { new() { Value = name } } })
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            while (await reader.ReadAsync(cancellationToken))
            {
                var expression = reader.IsDBNull(3) ? null : NormalDefault(reader.GetString(3));
                var generates = reader.GetBoolean(4) || expression?.StartsWith("NEXTVAL(", StringComparison.Ordinal) is true;
                columns.Add(new(
                    reader.GetString(0), NormalType(reader.GetString(1)), reader.GetBoolean(2), generates ? null : expression, generates));
            }

        List<CatalogueKey> keys = [];
        await using (var command = new NpgsqlCommand(KeysOfTable, connection) { Parameters = { new() { Value = name } } })
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            while (await reader.ReadAsync(cancellationToken))
                keys.Add(new(
                    reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2)));
        return new(columns, keys);
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
