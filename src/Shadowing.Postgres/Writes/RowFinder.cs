using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Shadowing.Model;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Writes;

/// <summary>
/// Finds the rows that a write may concern, on one snapshot: those that its values name, what these refer to and what refers to them, and a
/// few beside them that it should leave alone.
/// </summary>
/// <param name="maxRows">More rows than these are not read.</param>
internal sealed class RowFinder(IReadOnlyList<WriteTable> tables, NpgsqlTransaction snapshot, int maxRows)
{
    /// <summary>
    /// Where more rows than these refer to those that were named, by one reference, only a few of them are read, which a write should leave
    /// alone: so many belong to a customer or a member of the staff, of whose rows a write concerns few.
    /// </summary>
    private const int MostReferring = 50;

    private const int FewReferring = 3;

    private readonly HashSet<RowKey> _aside = [];
    private readonly StoredRows _rows = new(maxRows);

    /// <summary>What has been found.</summary>
    public StoredRows Rows => _rows;

    /// <summary>Rows to which more refer than were read.</summary>
    public HashSet<RowKey> Crowded { get; } = [];

    /// <summary>Finds the rows that values name by a key, with their relatives.</summary>
    public async Task FindAsync(IReadOnlyCollection<string> values, CancellationToken cancellationToken)
    {
        var found = await ReadAsync(
            [.. from table in tables from column in table.Lookups select new Query(table, column, [.. values])], cancellationToken);
        // Rows that refer to one, then all that these refer to: a copy needs the rows that its own refer to.
        await FollowAsync([.. found, .. await ReadAsync([.. Referring(found)], cancellationToken)], cancellationToken);
    }

    /// <summary>Reads rows by their keys, and what they refer to.</summary>
    public async Task FetchAsync(IReadOnlyCollection<StoredRow> wanted, CancellationToken cancellationToken)
    {
        var keys = wanted.Select(row => row.Id).ToHashSet();
        var found = await ReadAsync(
            [
                .. from rows in wanted.GroupBy(row => row.Table)
                   select new Query(rows.Key, rows.Key.Keys[0], [.. rows.Select(row => row.Key[0])])
                   {
                       Fits = row => keys.Contains(row.Id),
                   },
            ],
            cancellationToken);
        await FollowAsync(found, cancellationToken);
    }

    /// <summary>Finds one row before and one after the first row of each table by its key; the last row of a table without any.</summary>
    public async Task<HashSet<RowKey>> FindNeighboursAsync(CancellationToken cancellationToken)
    {
        var before = _rows.All.Keys.ToHashSet();
        await using var batch = new NpgsqlBatch(snapshot.Connection, snapshot);
        var asked = new List<WriteTable>();
        foreach (var table in tables)
        {
            if (_rows.All.Values.FirstOrDefault(row => row.Table == table) is { } row)
            {
                Ask(table, row, "<", "desc");
                Ask(table, row, ">", "asc");
            }
            else
            {
                Ask(table, null, "", "desc");
            }
        }

        await ReadAsync(batch, asked, static _ => null, cancellationToken);
        // What they refer to is copied with them.
        await FollowAsync([.. _rows.All.Values.Where(row => !before.Contains(row.Id))], cancellationToken);
        return [.. _aside, .. _rows.All.Keys.Where(row => !before.Contains(row))];

        void Ask(WriteTable table, StoredRow? row, string than, string order)
        {
            var keys = table.Keys;
            var columns = string.Join(", ", keys.Select(key => $"t.{key.Quoted}"));
            var where = row is null ? ""
                : $"where ({columns}) {than} ({string.Join(", ", keys.Select((key, at) => $"${at + 1}::{key.Type}"))}) ";
            var command = new NpgsqlBatchCommand(
                $"{Select(table)} {where}order by {string.Join(", ", keys.Select(key => $"t.{key.Quoted} {order}"))} limit 1");
            foreach (var part in row?.Key ?? [])
                command.Parameters.AddVerbatim(new() { Value = part, NpgsqlDbType = NpgsqlDbType.Unknown });
            batch.BatchCommands.Add(command);
            asked.Add(table);
        }
    }

    /// <summary>Reads all that rows refer to, and what that refers to.</summary>
    private async Task FollowAsync(List<StoredRow> found, CancellationToken cancellationToken)
    {
        while (found.Count > 0 && !_rows.IsTooMuch) found = await ReadAsync([.. Referred(found)], cancellationToken);
    }

    private static string Select(WriteTable table) =>
        $"select array[{string.Join(", ", table.Keys.Select(key => $"t.{key.Quoted}::text"))}], {table.Body}, t.xmin::text, "
        + $"{(table.ShowsDeleter ? "t.xmax::text" : "'0'")} from {table.Real} t";

    private IEnumerable<Query> Referring(IReadOnlyCollection<StoredRow> found) =>
        from table in tables
        from reference in table.References
        where reference.IsCheap
        let to = found.Where(row => row.Table.Name == reference.To).ToArray()
        where to.Length > 0
        select new Query(table, reference.From[0], [.. to.Select(row => row.Texts.GetValueOrDefault(reference.ToColumns[0], ""))])
        {
            Fits = row => to.Any(other => Refers(row, reference, other)),
            To = to,
            By = reference,
        };

    private IEnumerable<Query> Referred(IReadOnlyCollection<StoredRow> found) =>
        from table in tables
        from reference in table.References
        let referring = found.Where(row => row.Table == table).ToArray()
        where referring.Length > 0
        let to = tables.First(other => other.Name == reference.To)
        let column = to.Columns.First(one => one.Name == reference.ToColumns[0])
        select new Query(
            to, column, [.. referring.Select(row => row.Texts.GetValueOrDefault(reference.From[0].Name)).OfType<string>()])
        {
            Fits = row => referring.Any(other => Refers(other, reference, row)),
        };

    private static bool Refers(StoredRow row, WriteReference reference, StoredRow to) =>
        reference.From.Zip(reference.ToColumns).All(columns =>
            row.Texts.TryGetValue(columns.First.Name, out var one) && to.Texts.TryGetValue(columns.Second, out var other) && one == other);

    /// <returns>The rows that were not known before.</returns>
    private async Task<List<StoredRow>> ReadAsync(IReadOnlyList<Query> queries, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(snapshot.Connection, snapshot);
        var asked = new List<WriteTable>();
        var known = new List<Query>();
        foreach (var query in queries)
        {
            if (query.Parameter() is not { } parameter) continue;
            // Of each row that others refer to so many, whatever the others are.
            var command = new NpgsqlBatchCommand(query.By is null
                ? $"{Select(query.Table)} where t.{query.Column.Quoted} = any($1) limit {maxRows + 1}"
                : $"select x.* from unnest($1) p(v) cross join lateral "
                    + $"({Select(query.Table)} where t.{query.Column.Quoted} = p.v limit {query.Limit(maxRows)}) x");
            command.Parameters.AddVerbatim(parameter);
            batch.BatchCommands.Add(command);
            asked.Add(query.Table);
            known.Add(query);
        }

        return await ReadAsync(batch, asked, at => known[at], cancellationToken);
    }

    private async Task<List<StoredRow>> ReadAsync(
        NpgsqlBatch batch, List<WriteTable> asked, Func<int, Query?> queryAt, CancellationToken cancellationToken)
    {
        var added = new List<StoredRow>();
        if (asked.Count == 0) return added;
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        for (var at = 0; at < asked.Count; at++)
        {
            if (at > 0) await reader.NextResultAsync(cancellationToken);
            var (query, read) = (queryAt(at), new List<StoredRow>());
            while (await reader.ReadAsync(cancellationToken))
            {
                read.Add(new(
                    asked[at], reader.GetString(1), reader.GetFieldValue<string[]>(0), reader.GetString(2), reader.GetString(3)));
            }

            if (query is not null) read.RemoveAll(row => !query.Fits(row));
            foreach (var crowd in query?.Crowds(read) ?? [])
            {
                Crowded.Add(crowd.Key.Id);
                foreach (var row in crowd.Skip(FewReferring)) read.Remove(row);
                _aside.UnionWith(crowd.Take(FewReferring).Select(row => row.Id).Where(row => !_rows.All.ContainsKey(row)));
            }

            added.AddRange(read.Where(_rows.Add));
        }

        return added;
    }

    /// <summary>The rows of a table whose column has one of some values.</summary>
    private sealed record Query(WriteTable Table, WriteColumn Column, string[] Values)
    {
        public Func<StoredRow, bool> Fits { get; init; } = static _ => true;

        /// <summary>The rows to which the others refer; empty where they are asked for by what they are.</summary>
        public StoredRow[] To { get; init; } = [];

        /// <summary>The reference by which they do; null where they are asked for by what they are.</summary>
        public WriteReference? By { get; init; }

        /// <summary>Those of the rows, by what they refer to, of which there are too many.</summary>
        public IEnumerable<IGrouping<StoredRow, StoredRow>> Crowds(IReadOnlyCollection<StoredRow> rows) => By is not { } reference ? []
            : from pair in To.SelectMany(to => rows.Where(row => Refers(row, reference, to)), (to, row) => (To: to, Row: row)).ToArray()
              group pair.Row by pair.To into crowd
              where crowd.Count() > MostReferring
              select crowd;

        /// <summary>How many rows tell that there are too many; where a reference has several columns, all that match the first.</summary>
        public int Limit(int maxRows) =>
            By is { From.Count: 1 } ? Math.Min(maxRows, MostReferring) + 1 : maxRows + 1;

        /// <summary>The values that the column can have; null where it can have none of them.</summary>
        public NpgsqlParameter? Parameter()
        {
            Array values = Column.Kind switch
            {
                KeyKind.Number => Values.Select(Number).OfType<long>().Distinct().ToArray(),
                KeyKind.Uuid => Values.Select(Id).OfType<Guid>().Distinct().ToArray(),
                KeyKind.Text => Values.Where(text => !text.Contains('\0', StringComparison.Ordinal)).Distinct().ToArray(),
                _ => Array.Empty<string>(),
            };
            return values.Length == 0 ? null : new() { Value = values };
        }

        private static Guid? Id(string text) => Guid.TryParse(text, out var id) ? id : null;

        private static long? Number(string text) =>
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
