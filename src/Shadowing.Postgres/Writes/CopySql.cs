using Npgsql;
using NpgsqlTypes;
using Shadowing.Model;

namespace Shadowing.Postgres.Writes;

/// <summary>The statements of a sandbox whose copies are made of what the catalogue says.</summary>
/// <param name="tables">Sorted by their references.</param>
internal sealed class CopySql(WriteTables tables)
{
    /// <summary>In bytes: the room that about a hundred usual writes take up.</summary>
    private const int MostRoom = 256 << 10;

    /// <summary>A setting of the session: the version of the tables that its copies were made from.</summary>
    private const string Copied = "shadow.copied";

    private readonly IReadOnlyList<WriteTable> _all = tables.All;

    /// <summary>The tables.</summary>
    public WriteTables Tables => tables;

    /// <summary>
    /// Makes the copies. The tables cannot change until the transaction ends, and must be as they were when the catalogue was read.
    /// </summary>
    public string Create =>
        $"""
        {string.Concat(_all.Select(CreateTable))}
        {string.Concat(_all.SelectMany(table => table.References.Select(reference => Add(table, reference))))}
        select set_config('{Copied}', case when {WriteTables.VersionOf(_all.Select(table => table.Real))} = {Quoted(tables.Version)}
            then {Quoted(tables.Version)} else 'cannot be' end, false);
        """;

    /// <summary>
    /// Three columns: whether every name resolves to its copy and nothing else can be written; whether the copies are of the tables as they
    /// are, and empty; and whether the dead rows in them take up so much room that they should be vacuumed.
    /// </summary>
    public string Check { get; } =
        $"""
        select current_setting('transaction_read_only') = 'on' and current_setting('default_transaction_read_only') = 'on'
            and {Each(tables, table => $"{Quoted(table.Relation)}::regclass = {Quoted(table.Copy)}::regclass")},
            current_setting('{Copied}') = {WriteTables.VersionOf(tables.All.Select(table => table.Real))}
                and {Each(tables, table => $"not exists (select from {table.Copy})")},
            {string.Join(" + ", tables.All.Select(table => $"pg_relation_size({Quoted(table.Copy)})"))} > {MostRoom}
        """;

    /// <summary>
    /// The session itself must remove its dead rows: autovacuum does not process temporary tables, and pruning leaves inserted rows.
    /// </summary>
    public string Vacuum { get; } = "vacuum " + string.Join(", ", tables.All.Select(table => table.Copy));

    /// <summary>Deletes what a run has left in the copies, and gives back advisory locks that a function may have taken.</summary>
    public string Clear { get; } = "select pg_advisory_unlock_all(); "
        + string.Join("; ", tables.All.Reverse().Select(table => $"delete from {table.Copy}"));

    /// <summary>The clock and the zone's offset, as three columns of which the last is null; then all rows of the copies.</summary>
    public string Read { get; } =
        $"select {Clock}::text, null::text, null::text\n" + string.Concat(tables.All.Select(table =>
            $"union all select {Quoted(table.Name)}, {KeyText(table)}, {table.Body} from {table.Copy} t\n"));

    /// <summary>The server's clock in UTC, in microseconds since 1970.</summary>
    public const string Clock = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

    /// <summary>The key of the row <c>t</c> as one text.</summary>
    public static string KeyText(WriteTable table) =>
        string.Join(" || ',' || ", table.Keys.Select(key => $"t.{key.Quoted}::text"));

#pragma warning disable RS0030 // Fills copies of the application's own tables: values as they are.
    /// <summary>Copies rows.</summary>
    public static NpgsqlBatchCommand Seed(WriteTable table, IEnumerable<string> rows)
    {
        var columns = string.Join(", ", table.Columns.Where(column => !column.IsComputed).Select(column => column.Quoted));
        return new($"insert into {table.Copy} ({columns}) overriding system value select {columns} "
            + $"from jsonb_populate_recordset(null::{table.Copy}, $1)")
        {
            Parameters = { new() { Value = $"[{string.Join(',', rows)}]", NpgsqlDbType = NpgsqlDbType.Jsonb } },
        };
    }

    /// <summary>Sets the next value of each sequence, even where none is known: both sides must get the same.</summary>
    public IEnumerable<NpgsqlBatchCommand> NextValues(WrittenRows written) =>
        from table in _all
        from column in table.Columns
        where column.Sequence is not null
        select new NpgsqlBatchCommand(
            $"select setval(pg_get_serial_sequence({Quoted(table.Copy)}, {Quoted(column.Name)}), $1, false)")
        {
            Parameters = { new() { Value = FirstOf(table, column, written) ?? FirstValue(column) } },
        };

    /// <summary>Sets the time zone of the real write, in which times without a zone are made from the clock.</summary>
    public static NpgsqlBatchCommand Zone(string zone) =>
        new("select set_config('TimeZone', $1, false)") { Parameters = { new() { Value = zone } } };
#pragma warning restore RS0030

    private static long? FirstOf(WriteTable table, WriteColumn column, WrittenRows written)
    {
        long? first = null;
        foreach (var (row, body) in written.Changes)
        {
            if (body is null || row.Table != table.Name || written.Before.Rows.ContainsKey(row)) continue;
            if (RowJson.Texts(body).GetValueOrDefault(column.Name) is { } text && long.TryParse(text, out var value))
                first = Math.Min(first ?? value, value);
        }

        return first;
    }

    /// <summary>A value that no real row has, as far as the type allows.</summary>
    private static long FirstValue(WriteColumn column) => column.Type == "smallint" ? 30_000 : 2_000_000_000;

    // Like the real table, except that a default must not take a value from the real sequence. Where only some columns are granted, only
    // those can be copied, without constraints.
    private static string CreateTable(WriteTable table, int number)
    {
        var columns = string.Join(", ", table.Columns.Select(column => column.Quoted));
        var copy = table.IsWhole ? $"create temp table {table.Relation} (like {table.Real} including all);\n"
            : $"create temp table {table.Relation} as select {columns} from {table.Real} with no data;\n"
                + $"alter table {table.Copy} add primary key ({string.Join(", ", table.Keys.Select(key => key.Quoted))});\n";
        return copy + string.Concat(table.Columns
            .Where(column => column.Sequence is SequenceKind.Default || (column.Sequence is not null && !table.IsWhole))
            .Select((column, at) =>
                $"""
                create temp sequence shadow_{number}_{at} as {column.Type} owned by {table.Copy}.{column.Quoted};
                alter table {table.Copy} alter {column.Quoted} set default nextval('pg_temp.shadow_{number}_{at}');

                """));
    }

    private string Add(WriteTable table, WriteReference reference) =>
        $"alter table {table.Copy} add foreign key ({string.Join(", ", reference.From.Select(column => column.Quoted))}) "
        + $"references {_all.First(other => other.Name == reference.To).Copy} ({reference.ToQuoted}) {reference.Actions};\n";

    private static string Each(WriteTables tables, Func<WriteTable, string> condition) =>
        string.Join(" and ", tables.All.Select(condition));

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
