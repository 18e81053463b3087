namespace Shadowing.Postgres.Sandbox;

internal sealed partial class RowImages
{
    // Were this process to freeze with the locks, the server would end it. Where the session has a limit of its own, that one holds. And
    // which session of the server it is: a pooler between tells another number.
    private const string Begin =
        """
        select case current_setting('idle_in_transaction_session_timeout')
                when '0' then set_config('idle_in_transaction_session_timeout', '60s', true) end,
            pg_backend_pid(), current_setting('TimeZone'), clock_timestamp(),
            set_config('shadow.patience', current_setting('statement_timeout'), true),
            set_config('shadow.plans', current_setting('plan_cache_mode'), true)
        """;

    // For its locks the control waits as long as it always did, in the place that it has; for the image nobody does. And nobody plans it
    // anew each time: the server would, because it cannot tell how few rows there will be.
    private static readonly string Hurry =
        $"""
        select clock_timestamp(), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('statement_timeout',
            least(nullif(extract(epoch from current_setting('statement_timeout')::interval) * 1000, 0), {Patience} * 1000)::int::text, true)
        """;

    // What comes next is the side's own, or the commit: it is to have the time, and the plans, that it would have had.
    private const string Rest =
        """
        select clock_timestamp(), set_config('statement_timeout', current_setting('shadow.patience'), true),
            set_config('plan_cache_mode', current_setting('shadow.plans'), true)
        """;

    private const string Savepoint = "row_images";

    private const string Commit = "commit";

    // A row is this transaction's if its version is in progress and yet seen; a savepoint's too, which has an id of its own, soon after the
    // transaction's.
    // Ids wrap around at 32 bits in a row, and have 64 where they are asked for: what lies further ahead than one transaction sees begin is
    // long past.
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
