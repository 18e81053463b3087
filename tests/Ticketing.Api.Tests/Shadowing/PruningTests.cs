using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Ticketing.Api.Tests.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>
/// The schema stays small: every table has a bound, what the gate asks for is kept, and what is asked each second scans no whole table.
/// </summary>
public sealed class PruningTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Rows of fingerprint f1 to fN, last counted so long ago; with what else a table needs.</summary>
    private const string Filled =
        """
        insert into shadow.traffic select 'tickets.get', now() - i * interval '1 minute', 1 from generate_series(1, 30000) i;
        insert into shadow.evidence (fingerprint, operation, shape,
            requests, comparisons, differing, tolerated, transients, incomparable, shed, statement_trials, statements_more,
            last_at)
            select f, 'tickets.get', 'staff', 1, 1, 0, 0, 0, 0, 0, 0, 0, now() - interval '91 days'
            from unnest(array['old', 'nominated', 'running', 'swept']) f;
        insert into shadow.evidence (fingerprint, operation, shape,
            requests, comparisons, differing, tolerated, transients, incomparable, shed, statement_trials, statements_more,
            last_at)
            values ('recent', 'tickets.get', 'staff', 1, 1, 0, 0, 0, 0, 0, 0, 0, now() - interval '89 days');
        insert into shadow.evidence_page (fingerprint, operation, shape, kind, page, bits, epoch, last_at)
            select f, 'tickets.get', 'staff', 'all', 0, 0::bit(4096), epoch, now() - interval '91 days'
            from unnest(array['old', 'nominated', 'running', 'swept', 'recent']) f, generate_series(0, 1) epoch;
        insert into shadow.unproven select fingerprint, operation, 1, 1, 1 from shadow.evidence;
        insert into shadow.unproven_least select fingerprint, operation, 0.5, now() - interval '91 days' from shadow.evidence;
        insert into shadow.latency select fingerprint, operation, 'p50', 1, 1, 1 from shadow.evidence;
        insert into shadow.latency_pairs select fingerprint, operation, 1, 0, 0 from shadow.evidence;
        insert into shadow.latency_open select fingerprint, gen_random_uuid(), operation, '{}', '{1}', '{1}', last_at from shadow.evidence;
        insert into shadow.restart select fingerprint, operation, shape, 1, now() - interval '91 days', 'a test' from shadow.evidence;
        insert into shadow.rollout (operation, generation, stage, nominated, attempt, automatic, forced, changed_by, reason)
            values ('tickets.get', 1, 'shadow-100', 'nominated', 1, false, false, '', '');
        insert into shadow.replica (instance, replica, fingerprint, standing) values (gen_random_uuid(), 'one', 'running', '{}');
        insert into shadow.sweep (operation, fingerprint, rate, exhaustive, started_by, reason)
            values ('tickets.get', 'swept', 1, true, '', '');
        insert into shadow.instance (id, replica, candidate, control, config_hash, started_at)
            select md5(i::text)::uuid, 'r', case i when 1 then 'alive' else 'dead' end, 'c', 'h', now() - interval '91 days'
            from generate_series(1, 100) i;
        insert into shadow.flush (instance, sequence, at)
            select md5(i::text)::uuid, 1, case i when 1 then now() else now() - interval '91 days' end from generate_series(1, 100) i;
        insert into shadow.mismatch select 's' || i, md5(i::text)::uuid, 'tickets.get', now() - interval '91 days',
            jsonb_build_object('fingerprints', array[case i when 1 then 'alive' else 'dead' end]) from generate_series(1, 100) i;
        insert into shadow.acceptance select 's' || i, 'tickets.get', '', '', '', now(), now() - interval '91 days'
            from generate_series(1, 100) i;
        insert into shadow.served (instance, number, at, operation, shape, user_hash, fingerprint)
            select md5('1')::uuid, i, now() - interval '31 days', 'tickets.get', 'staff', 'u', 'f' from generate_series(1, 25000) i;
        insert into shadow.served_minute select 'f', 'tickets.get', now() - interval '3 days' - i * interval '1 minute', 1, 0
            from generate_series(1, 100) i;
        insert into shadow.alert select 'k', 'a', now(), i::text, now() - interval '31 days' from generate_series(1, 100) i;
        insert into shadow.sweep (operation, fingerprint, rate, exhaustive, state, started_by, reason, ended_at)
            select 'tickets.get', 'old', 1, true, 'done', '', '', now() - interval '91 days' from generate_series(1, 100) i
        """;

    [Fact]
    public async Task Every_table_is_pruned_to_its_bound_and_what_a_gate_asks_for_is_kept()
    {
        var database = await postgres.CloneAsync("pruning", Cancellation);
        await using var source = NpgsqlDataSource.Create(database.Evidence);
        var store = new EvidenceStore(source);
        await store.MigrateAsync(Cancellation);
        await ExecuteAsync(source, Filled);

        await new SweepStore(source).PruneAsync(Cancellation);
        await new ServedStore(source).PruneAsync(Cancellation);
        await new MismatchStore(source).PruneAsync(Cancellation);
        await store.PruneAsync(Cancellation);

        string[] kept = ["nominated", "recent", "running", "swept"];
        foreach (var table in new[] { "evidence", "evidence_page", "unproven", "unproven_least", "latency", "latency_pairs", "restart" })
            Assert.Equal(kept, await Sql.LinesAsync(database.Evidence, $"select distinct fingerprint from shadow.{table} order by 1"));
        // Of what began anew only the epoch that is read.
        Assert.Equal("1", await Sql.LineAsync(database.Evidence, "select distinct epoch from shadow.evidence_page"));
        Assert.Equal("t", await Sql.LineAsync(
            database.Evidence, "select (min(minute) > now() - interval '15 days 1 minute')::text::char from shadow.traffic"));
        foreach (var table in new[] { "instance", "flush", "mismatch" })
            Assert.Equal("1", await Sql.LineAsync(database.Evidence, $"select count(*) from shadow.{table}"));
        foreach (var table in new[] { "acceptance", "served", "served_minute", "alert" })
            Assert.Equal("0", await Sql.LineAsync(database.Evidence, $"select count(*) from shadow.{table}"));
        Assert.Equal("1", await Sql.LineAsync(database.Evidence, "select count(*) from shadow.sweep"));
    }

    [Fact]
    [LongForm(nameof(Every_table_is_pruned_to_its_bound_and_what_a_gate_asks_for_is_kept))]
    public async Task What_is_asked_each_second_scans_no_large_table()
    {
        var database = await postgres.CloneAsync("plans", Cancellation);
        // A connection that ends tells the server what it has scanned.
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.Evidence) { Pooling = false }.ConnectionString);
        var store = new EvidenceStore(source);
        await store.MigrateAsync(Cancellation);
        await ExecuteAsync(source,
            """
            insert into shadow.traffic select 'tickets.get', now() - i * interval '12 seconds', 1 from generate_series(1, 100000) i;
            insert into shadow.evidence (fingerprint, operation, shape,
                requests, comparisons, differing, tolerated, transients, incomparable, shed, statement_trials, statements_more)
                select 'f' || i % 5000, 'tickets.get', 'shape ' || i, 1, 1, 0, 0, 0, 0, 0, 0, 0 from generate_series(1, 100000) i;
            insert into shadow.evidence_page (fingerprint, operation, shape, kind, page, bits)
                select fingerprint, operation, shape, 'all', 0, 0::bit(4096) from shadow.evidence;
            insert into shadow.restart select fingerprint, operation, shape, 0, now(), '' from shadow.evidence;
            insert into shadow.unproven select 'f' || i, 'tickets.get', 1, 1, 1 from generate_series(1, 100000) i;
            insert into shadow.unproven_least select 'f' || i, 'tickets.get', 0.5 from generate_series(1, 100000) i;
            insert into shadow.latency select 'f' || i, 'tickets.get', 'p50', 1, 1, 1 from generate_series(1, 100000) i;
            insert into shadow.latency_pairs select 'f' || i, 'tickets.get', 1, 0, 0 from generate_series(1, 100000) i;
            insert into shadow.latency_open select 'f' || i, gen_random_uuid(), 'tickets.get', '{}', '{1}', '{1}'
                from generate_series(1, 100000) i;
            insert into shadow.served_minute select 'f' || i, 'tickets.get', now(), 1, 0 from generate_series(1, 100000) i;
            insert into shadow.instance (id, replica, candidate, control, config_hash, stopped_at)
                select md5(i::text)::uuid, 'r', 'c', 'c', 'h', case when i % 10000 = 0 then null else now() end
                from generate_series(1, 100000) i;
            insert into shadow.flush (instance, sequence) select id, 1 from shadow.instance;
            insert into shadow.mismatch select 's' || i, md5(i::text)::uuid, 'tickets.get', now(),
                jsonb_build_object('fingerprints', array['c' || i], 'outcome', 'mismatch', 'severity', 'normal')
                from generate_series(1, 100000) i;
            insert into shadow.sweep (operation, fingerprint, rate, exhaustive, state, started_by, reason, ended_at)
                select 'tickets.get', 'f' || i, 1, true, 'done', '', '', now() from generate_series(1, 100000) i;
            insert into shadow.sweep_shape select id, 'staff', 1, 1, 0 from shadow.sweep
            """);
        foreach (var table in Large) await ExecuteAsync(source, $"vacuum analyze shadow.{table}");
        await EachSecondAsync();
        var before = await ScansAsync();
        await EachSecondAsync();
        // Every table has been asked again, and the server knows it.
        await Until.HoldsAsync(async () => (await ScansAsync()) is var now && Large.All(table => now[table].Index > before[table].Index));
        var after = await ScansAsync();
        Assert.All(Large, table => Assert.Equal((table, before[table].Whole), (table, after[table].Whole)));

        async Task EachSecondAsync()
        {
            await store.BeatAsync(Guid.NewGuid(), Cancellation);
            await store.ReadAsync("f7", "c7", ["tickets.get"], GatePolicy.Default, Cancellation);
            await new SweepStore(source).ClaimAsync(Guid.NewGuid(), "one", "f7", Cancellation);
        }

        async Task<Dictionary<string, (long Whole, long Index)>> ScansAsync()
        {
            var lines = await Sql.LinesAsync(
                database.Evidence, "select relname, seq_scan, coalesce(idx_scan, 0) from pg_stat_user_tables where schemaname = 'shadow'");
            return lines.Select(line => line.Split('|')).ToDictionary(
                line => line[0], line => (long.Parse(line[1], null), long.Parse(line[2], null)), StringComparer.Ordinal);
        }
    }

    private static readonly string[] Large =
    [
        "traffic", "evidence", "evidence_page", "restart", "unproven", "unproven_least", "latency", "latency_pairs", "latency_open",
        "served_minute", "instance", "flush", "mismatch", "sweep", "sweep_shape",
    ];

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
