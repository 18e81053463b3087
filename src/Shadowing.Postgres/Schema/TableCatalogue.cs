using Npgsql;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Schema;

/// <summary>
/// What the catalogue says of the shadowed tables: their names, and from their keys and references how to ask for the versions of rows.
/// Read at start and every minute; safe for concurrent use.
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

    // A table without a key, or of whose columns only some are granted, is not asked for versions.
    private const string Keys =
        """
        select t.name, array_agg(quote_ident(a.attname) order by k.place), array_agg(y.typname::text order by k.place),
            c.relkind = 'r' and pg_relation_size(c.oid) < $2
        from unnest($1) as t(name) join pg_class c on c.oid = to_regclass(t.name)
        join pg_index i on i.indrelid = c.oid and i.indisprimary
        cross join lateral unnest(i.indkey::int2[]) with ordinality as k(number, place)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number join pg_type y on y.oid = a.atttypid
        where has_table_privilege(c.oid, 'select') and k.place <= i.indnkeyatts
        group by t.name, c.oid, c.relkind
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
        string[] tables = _given.Count > 0 ? [.. _given] : [.. await ReadAsync(Names, static row => row.GetString(0))];
        var keys = await ReadAsync(Keys, static row => new Keyed(
            row.GetString(0), row.GetFieldValue<string[]>(1), row.GetFieldValue<string[]>(2), row.GetBoolean(3)), tables, Small);
        keys.RemoveAll(static keyed => !keyed.CanBeAsked);
        var references = await ReadAsync(References, static row => new Reference(
            row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetBoolean(4)), tables, Small);
        var any = keys.Where(keyed => keyed.IsSmall)
            .Select(keyed => $"select {Quoted(keyed.Table + " ")} || {keyed.AsText}, xmin from {keyed.Table}");
        _latest = new(
            tables, keys.Count == 0 ? None : ByKey(keys, references), string.Join("\nunion all ", any.DefaultIfEmpty(None)));

        async Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> row, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            foreach (var value in values) command.Parameters.AddVerbatim(new() { Value = value });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken)) rows.Add(row(reader));
            return rows;
        }
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string ByKey(IReadOnlyList<Keyed> keys, IReadOnlyList<Reference> references)
    {
        const string Asked = "from unnest(@keys) as k(key) join";
        var queries = new List<string>();
        foreach (var keyed in keys)
        {
            var (table, isKey) = (keyed.Table, keyed.Is("k.key"));
            queries.Add($"select k.key, t.xmin {Asked} {table} t on {isKey}");
            queries.AddRange(references.Where(reference => reference.To == table && reference.IsCheap)
                .Where(reference => keyed.Columns is [var only] && only == reference.ToColumn)
                .Select(reference => $"select k.key, r.xmin {Asked} {table} t on {isKey} "
                    + $"join {reference.From} r on r.{reference.FromColumn} = t.{reference.ToColumn}"));
            queries.AddRange(references.Where(reference => reference.From == table)
                .Select(reference => $"select k.key, r.xmin {Asked} {table} t on {isKey} "
                    + $"join {reference.To} r on r.{reference.ToColumn} = t.{reference.FromColumn}"));
        }

        // A key that no table has: the row is gone, or the key is none of a table's. Then a change may explain the difference.
        var gone = keys.Select(keyed => $"not exists (select from {keyed.Table} t where {keyed.Is("k.key")})");
        queries.Add($"select k.key, null::xid from unnest(@keys) as k(key) where {string.Join(" and ", gone)}");
        return string.Join("\nunion all ", queries);
    }

    private sealed record Reading(IReadOnlyList<string> Tables, string RowVersions, string AnyVersions);

    /// <param name="IsSmall">Whether it may be read as a whole.</param>
    private sealed record Keyed(string Table, string[] Columns, string[] Types, bool IsSmall)
    {
        /// <summary>Whether a text can be told to be its key: of another type, such as a time, it may be written in many ways.</summary>
        public bool CanBeAsked => Types.All(static type => Cast(type, "") is not null);

        /// <summary>The key as text, the parts of one of several columns joined with commas.</summary>
        public string AsText => string.Join(" || ',' || ", Columns.Select(static column => $"{column}::text"));

        /// <summary>The condition under which a text is the key of the row <c>t</c>.</summary>
        public string Is(string key) => Columns is [var only] ? $"t.{only} = {Cast(Types[0], key)}"
            : string.Join(" and ", Columns.Select((column, at) => $"t.{column} = {Cast(Types[at], $"split_part({key}, ',', {at + 1})")}"))
                + $" and split_part({key}, ',', {Columns.Length + 1}) = ''";

        /// <summary>A text as a value of the type, null where it can be none.</summary>
        private static string? Cast(string type, string text) => type switch
        {
            "int2" or "int4" or "int8" => $"case when {text} ~ '^-?[0-9]{{1,18}}$' then ({text})::bigint end",
            "uuid" => $"case when {text} ~* '^[0-9a-f]{{8}}-([0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}$' then ({text})::uuid end",
            "text" or "varchar" or "bpchar" => text,
            _ => null,
        };
    }

    private sealed record Reference(string From, string FromColumn, string To, string ToColumn, bool IsCheap);
}
