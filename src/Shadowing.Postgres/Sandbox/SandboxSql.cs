using Npgsql;
using NpgsqlTypes;
using Shadowing.Postgres.Schema;

namespace Shadowing.Postgres.Sandbox;

/// <summary>The sandbox's own statements.</summary>
internal static class SandboxSql
{
    /// <summary>The first of the keys that no real row has: a row with such a key was created without a given key.</summary>
    public const int FirstKey = 2_000_000_000;

    /// <summary>In bytes: the room that about a hundred usual writes take up.</summary>
    private const int MostRoom = 256 << 10;

    /// <summary>A setting of the session: the versions of the table definitions that its copies were made from.</summary>
    private const string Copied = "shadow.copied";

    /// <summary>
    /// Creating temporary tables needs a transaction that may write. It is the only such transaction of a session, and runs before any
    /// side's code does. The real tables cannot change until it ends.
    /// </summary>
    public static string Create(IReadOnlyList<SandboxTable> tables) =>
        $"""
        begin read write;
        {string.Concat(tables.Select(Create))}
        {string.Concat(tables.SelectMany(table => table.ForeignKeys.Select(key => $"alter table pg_temp.{table.Name} add {key};\n")))}
        select set_config('{Copied}', case when
            {Each(tables, table => $"{DefinitionOf(table, "public")} = {DefinitionOf(table, "pg_temp")}")}
            then {Versions(tables)} else 'cannot be' end, false);
        commit
        """;

    /// <summary>
    /// Four columns: whether every name resolves to its copy and nothing else can be written; whether the copies match the tables and are
    /// empty; whether the dead rows in them take up so much room that they should be vacuumed; and for each table the columns that
    /// its rows are inserted with, NULL for all.
    /// </summary>
    public static string Check(IReadOnlyList<SandboxTable> tables) =>
        $"""
        select current_setting('transaction_read_only') = 'on'
            and {Each(tables, table => $"'{table.Name}'::regclass = 'pg_temp.{table.Name}'::regclass")},
            current_setting('{Copied}') = {Versions(tables)} and {Each(tables, table => $"not exists (select from pg_temp.{table.Name})")},
            {string.Join(" + ", tables.Select(table => $"pg_relation_size('pg_temp.{table.Name}')"))} > {MostRoom},
            array[{string.Join(", ", tables.Select(Written))}]
        """;

    /// <summary>
    /// The columns that a row of a copy is inserted with, where they are not all: PostgreSQL computes generated columns itself, in the copy
    /// as in the real table, and refuses values for them. NULL where there is no such column.
    /// </summary>
    private static string Written(SandboxTable table) =>
        "(select case when bool_or(attgenerated <> '') then string_agg(quote_ident(attname), ', ') filter (where attgenerated = '') end "
        + $"from pg_attribute where attrelid = 'pg_temp.{table.Name}'::regclass and attnum > 0 and not attisdropped)";

    /// <summary>
    /// The session itself must remove its dead rows: autovacuum does not process temporary tables, and pruning leaves inserted rows.
    /// </summary>
    public static string Clear(IReadOnlyList<SandboxTable> tables) =>
        "vacuum " + string.Join(", ", tables.Select(table => $"pg_temp.{table.Name}"));

#pragma warning disable RS0030 // Asks and fills copies of the application's own tables: values as they are.
    /// <param name="columns">Those to insert; null for all.</param>
    public static NpgsqlBatchCommand Seed(SandboxTable table, string[] rows, string? columns) =>
        new($"insert into pg_temp.{table.Name} {(columns is null ? "" : $"({columns}) ")}"
            + $"{(table.Generated ? "overriding system value " : "")}select {columns ?? "*"} from "
            + $"jsonb_populate_recordset(null::pg_temp.{table.Name}, $1)")
        {
            Parameters = { new() { Value = $"[{string.Join(',', rows)}]", NpgsqlDbType = NpgsqlDbType.Jsonb } },
        };

    public static NpgsqlBatchCommand NextKey(SandboxTable table, long key) =>
        new($"select setval(pg_get_serial_sequence('pg_temp.{table.Name}', '{table.Key}'), $1, false)")
        {
            Parameters = { new() { Value = key } },
        };

    /// <summary>Sets the time zone of the real write: in another zone, a fixed time could look like the clock's.</summary>
    public static NpgsqlBatchCommand Zone(string zone) =>
        new("select set_config('TimeZone', $1, true)") { Parameters = { new() { Value = zone } } };
#pragma warning restore RS0030

    /// <summary>The transaction's clock in the form of a column's value, then all rows of the copies.</summary>
    public static string Read(IReadOnlyList<SandboxTable> tables) =>
        "select to_jsonb(localtimestamp(6)) #>> '{}', null::bigint, null::text\n"
        + string.Concat(tables.Select(table =>
            $"union all select '{table.Name}', t.{table.Key}::bigint, to_jsonb(t)::text from pg_temp.{table.Name} t\n"));

    // Like the real table, except that the key's default must not take a value from the real sequence. Where only some columns are granted,
    // only those can be copied, without constraints.
    private static string Create(SandboxTable table)
    {
        var copy = table.Columns is { } columns
            ? $"create temp table {table.Name} as select {string.Join(", ", columns)} from public.{table.Name} with no data;\n"
                + $"alter table pg_temp.{table.Name} add primary key ({table.Key});\n"
            : $"create temp table {table.Name} (like public.{table.Name} including all);\n";
        return table.Generated
            ? copy + $"alter table pg_temp.{table.Name} alter {table.Key} drop default,\n"
                + $"    alter {table.Key} add generated by default as identity (start with {FirstKey});\n"
            : copy;
    }

    private static string Each(IReadOnlyList<SandboxTable> tables, Func<SandboxTable, string> condition) =>
        string.Join(" and ", tables.Select(condition));

    /// <summary>
    /// The versions of columns, defaults, constraints and indexes, each by its entry in the catalogue: cheap enough to be read on each use.
    /// </summary>
    private static string Versions(IReadOnlyList<SandboxTable> tables)
    {
        var those = $"in ({string.Join(", ", tables.Select(table => $"'public.{table.Name}'::regclass"))})";
        return $"""
            (select md5(string_agg(entry, ',' order by entry collate "C")) from (
                select concat_ws(' ', attrelid, attnum, xmin) as entry from pg_attribute where attrelid {those} and attnum > 0
                union all select concat_ws(' ', adrelid, adnum, xmin) from pg_attrdef where adrelid {those}
                union all select concat_ws(' ', conrelid, oid, xmin) from pg_constraint where conrelid {those}
                union all select concat_ws(' ', indrelid, indexrelid, xmin) from pg_index where indrelid {those}) entries)
            """;
    }

    /// <summary>
    /// Names, types and lengths of the columns. Where all columns can be copied, also nullability, defaults, conditions and references. A
    /// copy's reference to another copy equals the real table's reference to the other real table.
    /// </summary>
    private static string DefinitionOf(SandboxTable table, string schema)
    {
        if (table.Columns is { } columns)
        {
            return "(select string_agg(concat_ws(' ', attname, atttypid, atttypmod), ',' order by attname) from pg_attribute "
                + $"where {InTable("attrelid")} and attnum > 0 and not attisdropped and attname in "
                    + $"({string.Join(", ", columns.Select(column => $"'{column}'"))}))";
        }

        return $"""
            (select string_agg(concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attnotnull,
                case when a.attname <> '{table.Key}' then pg_get_expr(d.adbin, d.adrelid) end), ',' order by a.attname)
            from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where {InTable("a.attrelid")} and a.attnum > 0 and not a.attisdropped)
            || coalesce((select string_agg(c.definition, ',' order by c.definition collate "C") from (
                select replace(pg_get_constraintdef(oid), 'public.', '') as definition from pg_constraint
                where {InTable("conrelid")} and contype in ('c', 'f')) c), '')
            """;

        string InTable(string column) => $"{column} = '{schema}.{table.Name}'::regclass";
    }
}
