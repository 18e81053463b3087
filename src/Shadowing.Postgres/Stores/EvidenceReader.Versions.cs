namespace Shadowing.Postgres.Stores;

/// <summary>What is stored of an operation, as short as it can be told from any other state of it.</summary>
/// <param name="Text">Differs whenever counts or cases have been stored.</param>
/// <param name="Compared">How many comparisons.</param>
internal sealed record StoredVersion(string Text, long Compared)
{
    /// <summary>Nothing is stored.</summary>
    public static StoredVersion None { get; } = new("", 0);
}

/// <summary>What is asked of all operations in each reading.</summary>
internal sealed partial class EvidenceReader
{
    /// <summary>
    /// What differs, by operation, whenever counts or cases of it have been stored: both only ever grow within an epoch. It costs a pass
    /// over the rows in the server, and sends one row for an operation, however many shapes it has.
    /// </summary>
    public async Task<Dictionary<string, StoredVersion>> VersionsAsync() => (await ListAsync(
        $"""
        select operation, string_agg(part, '|' order by part), sum(compared)::bigint
        from (
            select operation, concat_ws(',', 'counts', count(*), sum(requests + comparisons + differing + tolerated + transients
                + incomparable + shed + statement_trials + statements_more + doubtful + due + decided + wrong + with_rows),
                sum(e.epoch), max(last_at)) as part, sum(comparisons) as compared
            from shadow.evidence e {Present} group by 1
            union all
            select operation, concat_ws(',', 'cases', count(*), sum(occupied), sum(e.epoch), max(last_at)), 0
            from shadow.evidence_page e {Present} group by 1
        ) parts group by 1
        """,
        static row => KeyValuePair.Create(row.GetString(0), new StoredVersion(row.GetString(1), row.GetInt64(2))),
        fingerprint)).ToDictionary();
}
