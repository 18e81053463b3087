using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Ticketing.Api.Tests.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>Timed pairs outlive the run that timed them: each is in one block, or left for one.</summary>
public sealed class TimedPairsTests(PostgresFixture postgres)
{
    private const string Fingerprint = "0123456789ab";
    private const string Operation = "tickets.delete";
    private static readonly (string, string)[] Everything = [("Shadowing:LatencyPairPercent", "100"), ("Shadowing:SelfTestInterval", "01:00:00")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_that_are_restarted_all_the_time_fill_a_block_together()
    {
        var (store, source) = await StoreAsync("pairs_restarts");
        await using var _ = source;
        // Two blocks: the first sets the thresholds. Seven runs, of which none times a block of its own.
        for (var (run, timed) = (0, 0); timed < 2 * LatencyBlocks.Pairs; run++)
        {
            var (instance, ledger) = (await BeginAsync(store), Ledger());
            using var disposed = ledger;
            foreach (var (operation, open) in await store.AdoptPairsAsync(Fingerprint, Cancellation))
                ledger.Adopt(Fingerprint, operation, open);
            for (var until = Math.Min(timed + 60, 2 * LatencyBlocks.Pairs); timed < until; timed++)
                ledger.OperationOf(Operation).Latency.Add(new(0.010, 0.013));
            await FlushAsync(store, instance, ledger);
            Assert.Empty(await store.AdoptPairsAsync(Fingerprint, Cancellation));
            await store.EndAsync(instance, Cancellation);
        }

        var evidence = await ReadAsync(store);
        Assert.Equal(new(1, LatencyBlocks.Pairs, LatencyBlocks.Pairs * LatencyBlocks.Pairs), evidence.Latency.P50);
        Assert.Equal(new(2 * LatencyBlocks.Pairs, 0, 0), evidence.Pairs.Counts);
        // What the thresholds are outlives the runs as well.
        var (_, left) = Assert.Single(await store.AdoptPairsAsync(Fingerprint, Cancellation));
        Assert.Equal([0.010, 0.010, 0.010], left.Thresholds);
        Assert.Empty(left.Pairs);
    }

    [Fact]
    public async Task What_a_run_has_left_is_given_to_one_other_once_and_only_when_the_run_has_ended()
    {
        var (store, source) = await StoreAsync("pairs_once");
        await using var _ = source;
        var runs = await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ => (Instance: await BeginAsync(store), Ledger: Ledger())));
        foreach (var (instance, ledger) in runs)
        {
            for (var i = 0; i < 30; i++) ledger.OperationOf(Operation).Latency.Add(new(0.010, 0.020));
            await FlushAsync(store, instance, ledger);
        }

        Assert.Empty(await store.AdoptPairsAsync(Fingerprint, Cancellation));
        await store.EndAsync(runs[0].Instance, Cancellation);
        Assert.Empty(await store.AdoptPairsAsync("another build", Cancellation));
        var adopted = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => store.AdoptPairsAsync(Fingerprint, Cancellation)));
        Assert.Equal(30, Assert.Single(adopted.SelectMany(one => one)).Open.Pairs.Count);

        // The other one was killed: nothing has been heard of it for long.
        await using (var silence = source.CreateCommand("update shadow.flush set at = now() - interval '11 minutes' where instance = $1"))
        {
            silence.Parameters.Add(new() { Value = runs[1].Instance });
            await silence.ExecuteNonQueryAsync(Cancellation);
        }

        Assert.Equal(30, Assert.Single(await store.AdoptPairsAsync(Fingerprint, Cancellation)).Open.Pairs.Count);
        Assert.Equal(new(60, 60, 0), (await ReadAsync(store)).Pairs.Counts);
        foreach (var (_, ledger) in runs) ledger.Dispose();
    }

    [Fact]
    public async Task A_batch_that_is_sent_again_leaves_its_pairs_once()
    {
        var (store, source) = await StoreAsync("pairs_again");
        await using var _ = source;
        using var ledger = Ledger();
        var instance = await BeginAsync(store);
        for (var i = 0; i < LatencyBlocks.Pairs + 25; i++) ledger.OperationOf(Operation).Latency.Add(new(0.010, 0.010));
        var batch = ledger.Take()!;
        Assert.Equal(FlushResult.Written, await store.FlushAsync(instance, batch, Cancellation));
        Assert.Equal(FlushResult.Repeated, await store.FlushAsync(instance, batch, Cancellation));
        ledger.Stored(batch);
        Assert.Equal(LatencyBlocks.Pairs + 25, (await ReadAsync(store)).Pairs.Counts.Pairs);
        await store.EndAsync(instance, Cancellation);
        Assert.Equal(25, Assert.Single(await store.AdoptPairsAsync(Fingerprint, Cancellation)).Open.Pairs.Count);
    }

    [Fact]
    public async Task A_service_leaves_its_pairs_to_the_next()
    {
        const string Owner = "select coalesce((select instance::text from shadow.latency_open where operation = 'tickets.get'), 'none')";
        var database = await postgres.CloneAsync("pairs_service", Cancellation);
        string first;
        await using (var service = await ShadowedService.StartAsync(database, settings: Everything))
        {
            await service.GetAsync("/api/tickets/7");
            await Until.HoldsAsync(async () => await Sql.LineAsync(database.Evidence, Owner) is not "none");
            first = await Sql.LineAsync(database.Evidence, Owner);
            await service.StopAsync();
        }

        await using var next = await ShadowedService.StartAsync(database, settings: Everything);
        await Until.HoldsAsync(async () => await Sql.LineAsync(database.Evidence, Owner) is var owner && owner != "none" && owner != first);
        Assert.Equal("1", await Sql.LineAsync(database.Evidence, "select cardinality(control) from shadow.latency_open where operation = 'tickets.get'"));
    }

    private static EvidenceLedger Ledger() => EvidenceLedger.For(Fingerprint);

    private static async Task<Guid> BeginAsync(EvidenceStore store)
    {
        var instance = Guid.NewGuid();
        await store.BeginAsync(new(instance, "a replica", "candidate", "control", "settings"), Cancellation);
        return instance;
    }

    private static async Task FlushAsync(EvidenceStore store, Guid instance, EvidenceLedger ledger)
    {
        var batch = ledger.Take()!;
        await store.FlushAsync(instance, batch, Cancellation);
        ledger.Stored(batch);
    }

    private static async Task<OperationEvidence> ReadAsync(EvidenceStore store) =>
        (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0];

    private async Task<(EvidenceStore Store, NpgsqlDataSource Source)> StoreAsync(string name)
    {
        var source = NpgsqlDataSource.Create((await postgres.CloneAsync(name, Cancellation)).Evidence);
        var store = new EvidenceStore(source);
        await store.MigrateAsync(Cancellation);
        return (store, source);
    }
}
