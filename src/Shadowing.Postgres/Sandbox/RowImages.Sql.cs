namespace Shadowing.Postgres.Sandbox;

internal sealed partial class RowImages
{
    // If this process freezes while it holds the locks, the server ends the session. A limit that the session already has stays. The batch
    // also asks for the server's session id, because a pooler in between reports another one.
    private const string Begin =
        """
        select case current_setting('idle_in_transaction_session_timeout')
                when '0' then set_config('idle_in_transaction_session_timeout', '60s', true) end,
            pg_backend_pid(), current_setting('TimeZone'), clock_timestamp(),
            set_config('shadow.patience', current_setting('statement_timeout'), true),
            set_config('shadow.plans', current_setting('plan_cache_mode'), true)
        """;

    // The control waits for its locks as long as its connection allows, and the image has a limit of its own. A generic plan is forced,
    // because the server cannot know how few rows there are and would plan the statement anew each time.
    private static readonly string Hurry =
        $"""
        select clock_timestamp(), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('statement_timeout',
            least(nullif(extract(epoch from current_setting('statement_timeout')::interval) * 1000, 0), {Patience} * 1000)::int::text, true)
        """;

    // What follows is the side's own statement, or the commit: it gets back the time limit and the plan mode that the session had.
    private const string Rest =
        """
        select clock_timestamp(), set_config('statement_timeout', current_setting('shadow.patience'), true),
            set_config('plan_cache_mode', current_setting('shadow.plans'), true)
        """;

    private const string Savepoint = "row_images";

    private const string Commit = "commit";

    // A row was written by this transaction if its version is in progress and yet visible. Versions of a savepoint count too: a savepoint
    // has its own id, soon after the transaction's.
    // Row versions have 32 bits and wrap around; the status is asked with 64 bits. A version more than 1,000,000 ids after the
    // transaction's own counts as old, because one transaction does not see that many begin.
    private const string IsMine =
        """
        case when x.top is null then false
            when ((r.version - x.top) & 4294967295) > 1000000 then false
            else pg_xact_status((x.top + ((r.version - x.top) & 4294967295))::text::xid8) = 'in progress' end
        """;

    private readonly string _marks = "select " + string.Join(
        ", ", tables.Select(table => $"coalesce((select max({table.Key}) from public.{table.Name}), 0)::bigint, {Deleted(table)}"));

    private readonly string _after =
        "select to_jsonb(localtimestamp(6)) #>> '{}', null::bigint, null::boolean, null::text\n"
        + string.Concat(tables.Select(table => $"union all select '{table.Name}', {Deleted(table)}, null, null\n"))
        + string.Concat(tables.Select((table, index) =>
            $"""
            union all
            select '{table.Name}', r.key, m.mine, case when m.mine then r.body end
            from (select t.{table.Key}::bigint as key, t.xmin::text::bigint as version, {Body(table)} as body from public.{table.Name} t
                where t.{table.Key} = any(@keys{index})
                union all (select t.{table.Key}::bigint, t.xmin::text::bigint, {Body(table)} from public.{table.Name} t
                    where t.{table.Key} > @mark{index} order by t.{table.Key} limit {MostNew})) r,
            (select pg_current_xact_id_if_assigned()::text::bigint as top) x,
            lateral (select {IsMine} as mine) m

            """));
}
