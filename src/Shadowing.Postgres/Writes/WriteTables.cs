using Npgsql;
using NpgsqlTypes;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Writes;

/// <summary>The tables that writes may change, read from the catalogue.</summary>
/// <param name="All">Sorted by their references: a table comes after those that it refers to.</param>
/// <param name="Problems">What cannot be compared of them, each a table and a sentence.</param>
/// <param name="Version">Of all that the catalogue says of them: another one where anything of it has changed.</param>
internal sealed record WriteTables(IReadOnlyList<WriteTable> All, IReadOnlyList<TableProblem> Problems, string Version)
{
    private const string Tables =
        """
        select given.place::int, n.nspname::text, c.relname::text, quote_ident(n.nspname), quote_ident(c.relname), c.relkind::text,
            pg_table_is_visible(c.oid), has_table_privilege(c.oid, 'select'), c.relrowsecurity,
            exists (select from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'D'),
            c.oid, case when c.relkind in ('r', 'p') then has_column_privilege(c.oid, 'xmax', 'select') else false end
        from unnest($1) with ordinality as given(name, place)
        left join pg_class c on c.oid = coalesce(to_regclass(given.name), to_regclass(quote_ident(given.name)))
        left join pg_namespace n on n.oid = c.relnamespace
        order by given.place
        """;

    private const string Columns =
        """
        select a.attrelid, a.attnum, a.attname::text, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), y.typname::text,
            a.attgenerated <> '', a.attidentity <> '', coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
            has_column_privilege(a.attrelid, a.attnum, 'select')
        from pg_attribute a join pg_type y on y.oid = a.atttypid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = any($1) and a.attnum > 0 and not a.attisdropped
        order by a.attrelid, a.attnum
        """;

    private const string Keys =
        """
        select i.indrelid, i.indisprimary, (i.indkey::int2[])[0:i.indnkeyatts - 1]
        from pg_index i
        where i.indrelid = any($1) and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
        order by i.indrelid, i.indexrelid
        """;

    private const string References =
        """
        select f.conrelid, f.conkey, f.confrelid, f.confkey,
            concat_ws(' ', case f.confmatchtype when 'f' then 'match full' end,
                'on delete ' || case f.confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default'
                    when 'r' then 'restrict' else 'no action' end,
                'on update ' || case f.confupdtype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default'
                    when 'r' then 'restrict' else 'no action' end,
                case when f.condeferrable then 'deferrable' end, case when f.condeferred then 'initially deferred' end),
            pg_relation_size(f.conrelid) < 4194304 or exists (
                select from pg_index i where i.indrelid = f.conrelid and i.indkey[0] = f.conkey[1] and i.indpred is null and i.indisvalid)
        from pg_constraint f
        where f.contype = 'f' and f.conparentid = 0 and f.conrelid = any($1) and f.confrelid = any($1)
        order by f.conrelid, f.conname
        """;

    /// <summary>A query for <see cref="Version"/>, of tables by their names in SQL; cheap enough for every use.</summary>
    public static string VersionOf(IEnumerable<string> names)
    {
        var those = $"in ({string.Join(", ", names.Select(name => $"'{name.Replace("'", "''", StringComparison.Ordinal)}'::regclass"))})";
        return $"""
            (select coalesce(md5(string_agg(entry, ',' order by entry collate "C")), '') from (
                select concat_ws(' ', attrelid, attnum, xmin) as entry from pg_attribute where attrelid {those} and attnum > 0
                union all select concat_ws(' ', adrelid, adnum, xmin) from pg_attrdef where adrelid {those}
                union all select concat_ws(' ', conrelid, oid, xmin) from pg_constraint where conrelid {those}
                union all select concat_ws(' ', indrelid, indexrelid, xmin) from pg_index where indrelid {those}) entries)
            """;
    }

    /// <summary>Reads what the catalogue says now.</summary>
    /// <param name="names">As <c>regclass</c> takes them, or without the quotes that they would need.</param>
    public static async Task<WriteTables> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var problems = new List<TableProblem>();
        var found = await RowsAsync(Tables, row => row.IsDBNull(1) ? null : new Found(
            row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5)[0], row.GetBoolean(6),
            row.GetBoolean(7), row.GetBoolean(8), row.GetBoolean(9), row.GetFieldValue<uint>(10), row.GetBoolean(11)), names.ToArray());
        foreach (var missing in names.Zip(found).Where(pair => pair.Second is null))
            problems.Add(new(missing.First, "There is no such table, or the role may not see it.", IsLeftOut: true));
        Found[] those = [.. found.OfType<Found>()];
        var ids = those.Select(one => one.Id).ToArray();
        var columns = (await RowsAsync(Columns, Column, ids)).ToLookup(one => one.Table);
        var keys = (await RowsAsync(
            Keys, row => (Table: row.GetFieldValue<uint>(0), IsPrimary: row.GetBoolean(1), Columns: row.GetFieldValue<short[]>(2)), ids))
            .ToLookup(one => one.Table);
        var tables = new Dictionary<uint, WriteTable>();
        foreach (var one in those)
        {
            if (Describe(one, [.. columns[one.Id]], [.. keys[one.Id].Select(key => (key.IsPrimary, key.Columns))], problems) is { } table)
                tables[one.Id] = table;
        }

        var references = await RowsAsync(References, row => new FoundReference(
            row.GetFieldValue<uint>(0), row.GetFieldValue<short[]>(1), row.GetFieldValue<uint>(2), row.GetFieldValue<short[]>(3),
            row.GetString(4), row.GetBoolean(5)), ids);
        var sorted = Sort(tables, references, columns, problems);
        var version = sorted.Count == 0 ? ""
            : (await RowsAsync("select " + VersionOf(sorted.Select(table => table.Real)), row => row.GetString(0), null))[0];
        return new(sorted, problems, version);

        async Task<List<T>> RowsAsync<T>(string sql, Func<NpgsqlDataReader, T> read, object? value)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            if (value is uint[] oids)
                command.Parameters.AddVerbatim(new() { Value = oids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid });
            else if (value is not null) command.Parameters.AddVerbatim(new() { Value = value });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
            return rows;
        }
    }

    private static FoundColumn Column(NpgsqlDataReader row)
    {
        KeyKind? kind = row.GetString(5) switch
        {
            "int2" or "int4" or "int8" => KeyKind.Number,
            "uuid" => KeyKind.Uuid,
            "text" or "varchar" or "bpchar" => KeyKind.Text,
            _ => null,
        };
        var given = row.GetString(8);
        SequenceKind? sequence = row.GetBoolean(7) ? SequenceKind.Identity
            : given.StartsWith("nextval(", StringComparison.Ordinal) ? SequenceKind.Default : null;
        var isRandom = given.Contains("uuid", StringComparison.OrdinalIgnoreCase) && given.Contains('(', StringComparison.Ordinal)
            && kind is KeyKind.Uuid;
        return new(row.GetFieldValue<uint>(0), row.GetInt16(1), row.GetBoolean(9), new(
            row.GetString(2), row.GetString(3), row.GetString(4), kind, row.GetBoolean(6), sequence, isRandom));
    }

    private static WriteTable? Describe(
        Found one, FoundColumn[] columns, (bool IsPrimary, short[] Columns)[] keys, List<TableProblem> problems)
    {
        var name = one.IsVisible ? one.Name : $"{one.Schema}.{one.Name}";
        WriteColumn[] seen = [.. columns.Where(column => column.IsGranted).Select(column => column.Column)];
        var isWhole = one.IsGranted && seen.Length == columns.Length;
        var primary = keys.FirstOrDefault(key => key.IsPrimary).Columns ?? [];
        var keyColumns = primary.Select(At).ToArray();
        var why = one.Kind is not ('r' or 'p') ? "It is no table."
            : seen.Length == 0 ? "The role may not read it."
            : keyColumns.Length == 0 ? "It has no primary key, so its rows cannot be told apart."
            : keyColumns.Any(column => column is null) ? "The role may not read its primary key."
            : keyColumns.Any(column => column!.Kind is null)
                ? $"Its key is of type {keyColumns.First(column => column!.Kind is null)!.Type}; numbers, uuid and text can be looked up."
            : null;
        if (why is not null)
        {
            problems.Add(new(name, why + " Writes to it are not compared.", IsLeftOut: true));
            return null;
        }

        if (!one.IsVisible)
            problems.Add(new(name, "It is not on the search path: a write that names its schema is refused in the sandbox.", false));
        if (one.HasTriggers)
        {
            problems.Add(new(
                name, "It has triggers, which its copies do not have: a write whose triggers change rows is incomparable.", false));
        }


        if (one.HasPolicies) problems.Add(new(name, "It has row policies, which its copies do not have.", false));
        var lookups = keys.Select(key => At(key.Columns[0])).OfType<WriteColumn>().Where(column => column.Kind is not null).Distinct();
        return new(name, one.QuotedSchema, one.QuotedName, seen, keyColumns!, [.. lookups])
        {
            IsWhole = isWhole,
            ShowsDeleter = one.ShowsDeleter,
        };

        WriteColumn? At(short number) => columns.FirstOrDefault(column => column.Number == number && column.IsGranted)?.Column;
    }

    /// <summary>Sorts by references. One that would close a circle is left out, because the copies' rows could not be inserted.</summary>
    private static List<WriteTable> Sort(
        Dictionary<uint, WriteTable> tables, IReadOnlyList<FoundReference> references, ILookup<uint, FoundColumn> columns,
        List<TableProblem> problems)
    {
        var (sorted, open) = (new List<WriteTable>(), tables.Keys.Order().ToList());
        while (open.Count > 0)
        {
            var free = open.Where(id => !OpenReferences(id).Any()).Take(1).ToArray();
            var next = free.Length > 0 ? free[0] : open[0];
            foreach (var circle in free.Length > 0 ? [] : OpenReferences(next).ToArray())
            {
                problems.Add(new(
                    tables[next].Name, $"Its reference to {tables[circle.To].Name} closes a circle; the copies do not have it.", false));
            }

            open.Remove(next);
            sorted.Add(tables[next] with
            {
                References =
                [
                    .. references.Where(one => one.From == next && tables.ContainsKey(one.To) && !open.Contains(one.To))
                        .Select(Reference).OfType<WriteReference>(),
                ],
            });
        }

        return sorted;

        IEnumerable<FoundReference> OpenReferences(uint id) =>
            references.Where(one => one.From == id && one.To != id && open.Contains(one.To));

        WriteReference? Reference(FoundReference one)
        {
            var from = one.FromColumns.Select(number => Granted(one.From, number)).ToArray();
            var to = one.ToColumns.Select(number => Granted(one.To, number)).ToArray();
            return from.Concat(to).Any(column => column is null) ? null : new(
                from!, tables[one.To].Name, [.. to.Select(column => column!.Name)],
                string.Join(", ", to.Select(column => column!.Quoted)), one.Actions, one.IsCheap);
        }

        WriteColumn? Granted(uint table, short number) =>
            columns[table].FirstOrDefault(column => column.Number == number && column.IsGranted)?.Column;
    }

    private sealed record Found(
        string Schema, string Name, string QuotedSchema, string QuotedName, char Kind, bool IsVisible, bool IsGranted, bool HasPolicies,
        bool HasTriggers, uint Id, bool ShowsDeleter);

    private sealed record FoundColumn(uint Table, short Number, bool IsGranted, WriteColumn Column);

    private sealed record FoundReference(
        uint From, short[] FromColumns, uint To, short[] ToColumns, string Actions, bool IsCheap);
}

/// <summary>What cannot be compared of a table that writes may change.</summary>
/// <param name="IsLeftOut">Whether no write to it can be compared at all.</param>
public sealed record TableProblem(string Table, string Sentence, bool IsLeftOut);
