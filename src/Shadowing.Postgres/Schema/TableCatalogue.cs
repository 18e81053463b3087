using System.Globalization;
using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Schema;

/// <summary>
/// What the catalogue says of the shadowed tables: their names, and from their keys and references how to ask for the versions of rows.
/// Read at start and every half minute; safe for concurrent use.
/// </summary>
public sealed class TableCatalogue
{
    private const string Names =
        """
        select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
            and n.nspname not in ('information_schema', 'shadow') and n.nspname !~ '^pg_' and has_schema_privilege(n.oid, 'usage')
            and (has_table_privilege(c.oid, 'select') or has_any_column_privilege(c.oid, 'select'))
        order by 1
        """;

    // A table without a key of one column, or of whose columns only some are granted, is not asked for versions.
    private const string Keys =
        """
        select t.name, quote_ident(a.attname), y.typname, c.relkind = 'r' and pg_relation_size(c.oid) < $2
        from unnest($1) as t(name) join pg_class c on c.oid = to_regclass(t.name)
        join pg_index i on i.indrelid = c.oid and i.indisprimary and i.indnkeyatts = 1
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] join pg_type y on y.oid = a.atttypid
        where has_table_privilege(c.oid, 'select')
        """;

    // A row's own references are followed always, those to it only where an index or a small table makes that cheap.
    private const string References =
        """
        select f.conrelid::regclass::text, quote_ident(a.attname), f.confrelid::regclass::text, quote_ident(b.attname),
            pg_relation_size(f.conrelid) < $2 or exists (
                select from pg_index i where i.indrelid = f.conrelid and i.indkey[0] = f.conkey[1] and i.indpred is null)
        from pg_constraint f
        join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
        join pg_attribute b on b.attrelid = f.confrelid and b.attnum = f.confkey[1]
        where f.contype = 'f' and cardinality(f.conkey) = 1 and f.conrelid <> f.confrelid
            and f.conrelid::regclass::text = any($1) and f.confrelid::regclass::text = any($1)
            and has_table_privilege(f.conrelid, 'select') and has_table_privilege(f.confrelid, 'select')
        """;

    private const string None = "select null::text, null::xid where false";

    /// <summary>In bytes: a table up to this size may be read as a whole to find which of its rows have changed.</summary>
    private const long Small = 4 << 20;

    private readonly IReadOnlyList<string> _given;
    private volatile Reading _latest;

    internal TableCatalogue(ShadowedDatabase database)
    {
        _given = database.Tables;
        _latest = new([.. _given], None, None);
    }

    /// <summary>
    /// The tables by the names that statements use: those that the application named, or all that the shadow's role may read.
    /// </summary>
    public IReadOnlyList<string> Tables => _latest.Tables;

    /// <summary>
    /// A query for the row versions that answers about the rows with the keys <c>@keys</c> depend on, as
    /// <see cref="Snapshots.OneSnapshotConfirmer{TStore}"/> takes it: the rows of any table that have such a key, the rows that these refer
    /// to, and those that refer to them.
    /// </summary>
    internal string RowVersions => _latest.RowVersions;

    /// <summary>A query for all row versions of the small tables. What changes in a larger one is not seen by it.</summary>
    internal string AnyVersions => _latest.AnyVersions;

    /// <summary>Reads the catalogue.</summary>
    /// <param name="connection">The shadow's.</param>
    internal async Task ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        string[] tables = _given.Count > 0 ? [.. _given]
            : [.. await LinesAsync(Names, 1).Select(line => line[0]).ToListAsync(cancellationToken)];
        var keys = await LinesAsync(Keys, 4, tables, Small)
            .Select(line => new Keyed(line[0], line[1], Cast(line[2]), line[3] == "t")).Where(keyed => keyed.Cast.Length > 0)
            .ToListAsync(cancellationToken);
        var references = await LinesAsync(References, 5, tables, Small)
            .Select(line => new Reference(line[0], line[1], line[2], line[3], line[4] == "t")).ToListAsync(cancellationToken);
        var any = keys.Where(keyed => keyed.IsSmall)
            .Select(keyed => $"select {Quoted(keyed.Table + " ")} || {keyed.Column}::text, xmin from {keyed.Table}");
        _latest = new(
            tables, keys.Count == 0 ? None : ByKey(keys, references), string.Join("\nunion all ", any.DefaultIfEmpty(None)));

        async IAsyncEnumerable<string[]> LinesAsync(string sql, int columns, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            foreach (var value in values) command.Parameters.AddVerbatim(new() { Value = value });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                yield return [.. Enumerable.Range(0, columns).Select(column => Text(reader.GetValue(column)))];
            }
        }
    }

    private static string Text(object value) =>
        value is bool flag ? flag ? "t" : "f" : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string ByKey(IReadOnlyList<Keyed> keys, IReadOnlyList<Reference> references)
    {
        const string Asked = "from unnest(@keys) as k(key) join";
        var queries = new List<string>();
        foreach (var (table, column, cast, _) in keys)
        {
            queries.Add($"select k.key, t.xmin {Asked} {table} t on t.{column} = {cast}");
            queries.AddRange(references.Where(reference => reference.To == table && reference.ToColumn == column && reference.IsCheap)
                .Select(reference => $"select k.key, r.xmin {Asked} {reference.From} r on r.{reference.FromColumn} = {cast}"));
            queries.AddRange(references.Where(reference => reference.From == table).Select(reference =>
                $"select k.key, r.xmin {Asked} {table} t on t.{column} = {cast} "
                + $"join {reference.To} r on r.{reference.ToColumn} = t.{reference.FromColumn}"));
        }

        // A key that no table has: the row is gone, or the key is none of a table's. Then a change may explain the difference.
        var gone = keys.Select(keyed => $"not exists (select from {keyed.Table} t where t.{keyed.Column} = {keyed.Cast})");
        queries.Add($"select k.key, null::xid from unnest(@keys) as k(key) where {string.Join(" and ", gone)}");
        return string.Join("\nunion all ", queries);
    }

    /// <summary>
    /// A key's text as a value of the column's type, null where it can be none; empty for a type that is not asked by key.
    /// </summary>
    private static string Cast(string type) => type switch
    {
        "int2" or "int4" or "int8" => "case when k.key ~ '^-?[0-9]{1,18}$' then k.key::bigint end",
        "uuid" => "case when k.key ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then k.key::uuid end",
        "text" or "varchar" or "bpchar" => "k.key",
        _ => "",
    };

    private sealed record Reading(IReadOnlyList<string> Tables, string RowVersions, string AnyVersions);

    private sealed record Keyed(string Table, string Column, string Cast, bool IsSmall);

    private sealed record Reference(string From, string FromColumn, string To, string ToColumn, bool IsCheap);
}
