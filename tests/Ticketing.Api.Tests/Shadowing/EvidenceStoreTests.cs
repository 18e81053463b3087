using Npgsql;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The store is the sum of what was stored, and the union of the cases, whatever was retried, by whomever, in whatever order.</summary>
public sealed class EvidenceStoreTests(PostgresFixture postgres)
{
    private const string Fingerprint = "0123456789ab";
    private const string Operation = "tickets.list";
    private static readonly Guid Run = Guid.NewGuid();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_replicas_that_retry_and_overtake_each_other_add_up_exactly()
    {
        var (store, source) = await StoreAsync("evidence_sum");
        await using var _ = source;
        var expected = CaseBitmap.ForOperation();
        var replicas = Enumerable.Range(0, 3).Select(number => (Id: Guid.NewGuid(), Ledger: new EvidenceLedger(), Dice: new Random(number))).ToArray();
        await Task.WhenAll(replicas.Select(async replica =>
        {
            using var ledger = replica.Ledger;
            ledger.Begin(Fingerprint);
            for (var round = 0; round < 30; round++)
            {
                for (var i = 0; i < 20; i++)
                {
                    var hash = (ulong)replica.Dice.Next(400);
                    lock (expected) expected.Add(hash);
                    ledger.OperationOf(Operation).Arrived(ledger.OperationOf(Operation).ShapeOf($"shape {hash % 3}"));
                    ledger.Compared(ledger.OperationOf(Operation).SlotOf($"shape {hash % 3}"), new(hash, Outcome.Match) { CandidateSentMore = i == 0 });
                }

                var batch = ledger.Take()!;
                Assert.Equal(FlushResult.Written, await store.FlushAsync(replica.Id, batch, Cancellation));
                // The answer was lost on its way: it is sent again.
                if (round % 3 == 0) Assert.Equal(FlushResult.Repeated, await store.FlushAsync(replica.Id, ledger.Take()!, Cancellation));
                ledger.Stored(batch);
            }
        }));

        var merged = (await store.ReadAsync(Fingerprint, "candidate", [Operation, "tickets.get"], GatePolicy.Default, Cancellation)).Operations;
        var list = merged[0];
        Assert.Equal((1800L, 90L, 1800L), (list.Comparisons, list.Statements.More, list.Statements.Trials));
        Assert.Equal((expected.Occupied, expected.Occupied, 0), (list.Cases, list.LiveCases, list.Mismatches));
        Assert.Equal(3, list.Shapes.Count);
        Assert.Equal(1, list.Shapes.Sum(shape => shape.TrafficShare), 9);
        Assert.Equal(new OperationEvidence { Operation = "tickets.get", Candidate = "candidate" }.Cases, merged[1].Cases);

        // The same comparisons minute by minute, each once.
        var outcomes = await store.OutcomesAsync(null, Cancellation);
        Assert.Equal((1800L, 0L, 0L), (outcomes.Minutes.Sum(one => one.Comparisons), outcomes.Minutes.Sum(one => one.Differing), outcomes.Minutes.Sum(one => one.Undecided)));
        Assert.All(outcomes.Minutes, one => Assert.Equal(Operation, one.Operation));
        Assert.InRange(outcomes.Latest, outcomes.Minutes.Max(one => one.Minute), outcomes.Minutes.Max(one => one.Minute).AddMinutes(10));
        Assert.Empty((await store.OutcomesAsync(outcomes.Latest.AddMinutes(1), Cancellation)).Minutes);
    }

    [Fact]
    public async Task A_flush_that_dies_half_way_stores_nothing_and_the_same_batch_stores_it_once()
    {
        var (store, source) = await StoreAsync("evidence_half");
        await using var _ = source;
        using var ledger = new EvidenceLedger();
        ledger.Begin(Fingerprint);
        ledger.OperationOf(Operation).Arrived(ledger.OperationOf(Operation).ShapeOf("any"));
        ledger.Compared(ledger.OperationOf(Operation).SlotOf("any"), new(7, Outcome.Mismatch));
        var id = Guid.NewGuid();
        await ExecuteAsync(source, "alter table shadow.traffic add constraint broken check (requests < 0)");
        await Assert.ThrowsAsync<PostgresException>(() => store.FlushAsync(id, ledger.Take()!, Cancellation));
        await ExecuteAsync(source, "alter table shadow.traffic drop constraint broken");
        Assert.Equal(FlushResult.Written, await store.FlushAsync(id, ledger.Take()!, Cancellation));
        var list = (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0];
        Assert.Equal((1L, 1L, 1L, 1L), (list.Comparisons, list.Differing, list.Mismatches, list.Cases));
        var minute = Assert.Single((await store.OutcomesAsync(null, Cancellation)).Minutes);
        Assert.Equal((1L, 1L, 0L), (minute.Comparisons, minute.Differing, minute.Undecided));
    }

    [Fact]
    public async Task Evidence_of_one_fingerprint_is_none_of_another()
    {
        var (store, source) = await StoreAsync("evidence_fingerprint");
        await using var _ = source;
        using var ledger = new EvidenceLedger();
        ledger.Begin(Fingerprint);
        ledger.Compared(ledger.OperationOf(Operation).SlotOf("any"), new(7, Outcome.Match));
        await store.FlushAsync(Guid.NewGuid(), ledger.Take()!, Cancellation);
        Assert.Equal(0, (await store.ReadAsync("another", "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0].Cases);
    }

    [Fact]
    public async Task Accepting_a_signature_begins_anew_the_shapes_that_it_hit_and_only_those()
    {
        var (store, source) = await StoreAsync("evidence_restart");
        await using var _ = source;
        using var ledger = new EvidenceLedger();
        ledger.Begin(Fingerprint);
        for (var i = 0UL; i < 10; i++)
        {
            Add(ledger, "hit", i, i < 2 ? Outcome.Mismatch : Outcome.Match);
            Add(ledger, "other", 100 + i, Outcome.Match);
        }

        Add(ledger, "other", 200, Outcome.Mismatch);
        await FlushAsync();
        await ExecuteAsync(source,
            """
            insert into shadow.mismatch values ('s1', gen_random_uuid(), 'tickets.list', now(), '{"shapes": ["hit"]}'),
                ('s1', gen_random_uuid(), 'tickets.list', now(), '{"shapes": ["hit", "never asked"]}')
            """);
        Assert.Equal((21, 3), await WholeAsync());

        var mismatches = new MismatchStore(source);
        await mismatches.AcceptAsync(new("s1", Operation, "me", "it is meant", "me", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1)), Cancellation);
        // Those of the shape that was not hit still count for the operation.
        Assert.Equal((11, 1), await WholeAsync());

        // A replica that has not heard of it counts into what is read no more.
        Add(ledger, "hit", 50, Outcome.Match);
        await FlushAsync();
        Assert.Equal((11, 1), await WholeAsync());
        var epochs = (await ReadAsync()).Epochs[Operation];
        Assert.Equal(new Dictionary<string, int> { [""] = 1, ["hit"] = 1 }, epochs);
        Assert.True(ledger.IsBehind(Operation, epochs));
        Assert.Equal(2, ledger.Restart(Operation, epochs));
        Assert.False(ledger.IsBehind(Operation, epochs));
        Add(ledger, "hit", 50, Outcome.Tolerated);
        Add(ledger, "hit", 51, Outcome.Match);
        await FlushAsync();
        Assert.Equal((13, 1), await WholeAsync());
        var hit = (await ReadAsync()).Operations[0].Shapes.Single(shape => shape.Name == "hit");
        Assert.Equal((2L, 2L, 0L), (hit.Cases, hit.LiveCases, hit.Mismatches));

        Assert.True(await mismatches.RevokeAsync("s1", "me", Cancellation));
        Assert.False(await mismatches.RevokeAsync("s1", "me", Cancellation));
        Assert.Equal(2, (await ReadAsync()).Epochs[Operation]["hit"]);
        Assert.Equal((11, 1), await WholeAsync());

        async Task FlushAsync()
        {
            while (ledger.Take() is { } batch)
            {
                await store.FlushAsync(Run, batch, Cancellation);
                ledger.Stored(batch);
            }
        }

        Task<MergedEvidence> ReadAsync() => store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation);

        async Task<(long, long)> WholeAsync() => (await ReadAsync()).Operations[0] is var whole ? (whole.Cases, whole.Mismatches) : default;
    }

    [Fact]
    public async Task An_acceptance_whose_time_is_over_ends_once_and_as_if_it_had_been_revoked()
    {
        var (store, source) = await StoreAsync("evidence_expiry");
        await using var _ = source;
        using var ledger = new EvidenceLedger();
        ledger.Begin(Fingerprint);
        Add(ledger, "hit", 1, Outcome.Tolerated);
        await store.FlushAsync(Guid.NewGuid(), ledger.Take()!, Cancellation);
        await ExecuteAsync(source, """insert into shadow.mismatch values ('s1', gen_random_uuid(), 'tickets.list', now(), '{"shapes": ["hit"]}')""");
        var mismatches = new MismatchStore(source);
        var now = DateTimeOffset.UtcNow;
        await mismatches.AcceptAsync(new("s1", Operation, "me", "it is meant", "me", now, now.AddDays(1)), Cancellation);
        Assert.False(await mismatches.LapseAsync(Cancellation));
        await ExecuteAsync(source, "update shadow.acceptance set expires_at = now()");
        Assert.True(await mismatches.LapseAsync(Cancellation));
        Assert.False(await mismatches.LapseAsync(Cancellation));
        // This machine's clock may be behind the database's.
        var acceptances = new Acceptances();
        acceptances.Replace(await mismatches.AcceptancesAsync(Cancellation));
        Assert.Null(acceptances.FindAcceptance("s1", now.AddDays(-1)));
        Assert.Equal(2, (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Epochs[Operation]["hit"]);
    }

    [Fact]
    public async Task A_cause_that_was_not_seen_when_a_difference_was_accepted_opens_it_again()
    {
        var (store, source) = await StoreAsync("evidence_causes");
        await using var _ = source;
        var mismatches = new MismatchStore(source);
        await SeenAsync("""{"time_zone": 3}""");
        Assert.Equal((1, 0), await OpenAsync());
        await AcceptAsync();
        Assert.Equal((0, 1), await OpenAsync());
        Assert.Equal(["time_zone"], Assert.Single(await mismatches.AcceptancesAsync(Cancellation)).Causes);

        await SeenAsync("""{"arithmetic": 1, "time_zone": 1}""");
        Assert.Equal((1, 0), await OpenAsync());
        await AcceptAsync();
        Assert.Equal((0, 1), await OpenAsync());

        // An earlier version, which knows of no causes, has accepted whatever differs.
        await ExecuteAsync(source, "update shadow.acceptance set causes = '{}'");
        await SeenAsync("""{"case_handling": 1}""");
        Assert.Equal((0, 1), await OpenAsync());

        Task SeenAsync(string causes) => ExecuteAsync(source,
            $$"""
            insert into shadow.mismatch values ('s1', gen_random_uuid(), 'tickets.list', now(),
                '{"fingerprints": ["candidate"], "outcome": "mismatch", "severity": "normal", "shapes": ["hit"], "causes": {{causes}}}')
            """);

        Task AcceptAsync() => mismatches.AcceptAsync(
            new("s1", Operation, "me", "it is meant", "me", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1)), Cancellation);

        async Task<(long, long)> OpenAsync() =>
            (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0] is var whole
                ? (whole.OpenMismatches, whole.Acceptances) : default;
    }

    [Fact]
    public async Task An_accepted_share_is_watched_and_opens_again_once_it_has_clearly_grown()
    {
        var (store, source) = await StoreAsync("evidence_share");
        await using var _ = source;
        var (mismatches, acceptances) = (new MismatchStore(source), new Acceptances());
        var learn = new LearnAcceptances(mismatches, acceptances, new(TimeProvider.System), TimeProvider.System);
        // Seen in 10 of the 2,000 requests that stood for the traffic; 500 of an earlier build are not its share.
        await ExecuteAsync(source, $$"""
            insert into shadow.mismatch values ('s1', gen_random_uuid(), '{{Operation}}', now(),
                '{"fingerprints": ["candidate"], "builds": ["{{Fingerprint}}"], "outcome": "mismatch", "severity": "normal", "shapes": ["hit"],
                    "causes": {"time_zone": 12}, "count": 12, "due": 10}');
            insert into shadow.evidence (fingerprint, operation, shape, requests, comparisons, differing, tolerated, transients, incomparable,
                shed, statement_trials, statements_more, decided)
            select f, '{{Operation}}', s, n, n, 0, 0, 0, 0, 0, 0, 0, n
            from (values ('{{Fingerprint}}', 'hit', 1500), ('{{Fingerprint}}', 'other', 500), ('earlier', 'hit', 500)) as t (f, s, n)
            """);
        await AcceptAsync();
        Assert.Equal((10L, 2_000L, 0L, 0L), Share());

        // Two replicas, each with a share like the accepted one; what is stored again counts once.
        var (one, other) = (Guid.NewGuid(), Guid.NewGuid());
        foreach (var replica in (Guid[])[one, other, one])
            await SeenAsync(replica, 20, 4_000);
        Assert.Equal((10L, 2_000L, 40L, 8_000L), Share());
        Assert.Equal((0, 1), await OpenAsync());

        // A tenth of the latest ones is clearly more.
        await SeenAsync(other, 20 + 200, 4_000 + 2_000);
        Assert.True(Assert.Single(acceptances.All).HasGrown);
        Assert.Equal((1, 0), await OpenAsync());
        await learn.LearnAsync(Cancellation);
        var grown = Assert.Single(await new AuditLog(source).ReadAsync(new() { Action = "mismatch.grow" }, Cancellation));
        Assert.Equal(("service", "s1"), (grown.Actor, grown.Subject));

        // Accepted again, it is for the share that it has had since.
        await AcceptAsync();
        Assert.Equal((240L, 10_000L, 0L, 0L), Share());
        Assert.Equal((0, 1), await OpenAsync());

        (long, long, long, long) Share()
        {
            var share = Assert.Single(acceptances.All).Share;
            return (share.SeenBefore, share.ComparedBefore, share.SeenSince, share.ComparedSince);
        }

        async Task SeenAsync(Guid replica, long seen, long compared)
        {
            await mismatches.SaveAsync(replica, [new AcceptedCount("s1", Assert.Single(acceptances.All).AcceptedAt, seen, compared)], Cancellation);
            await learn.LearnAsync(Cancellation);
        }

        async Task AcceptAsync()
        {
            await mismatches.AcceptAsync(
                new("s1", Operation, "me", "it is meant", "me", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1)), Cancellation);
            await learn.LearnAsync(Cancellation);
        }

        async Task<(long, long)> OpenAsync() =>
            (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0] is var whole
                ? (whole.OpenMismatches, whole.Acceptances) : default;
    }

    [Fact]
    public async Task A_run_that_fell_silent_without_goodbye_is_an_unclean_exit_and_a_quiet_one_is_not()
    {
        var (store, source) = await StoreAsync("evidence_unclean");
        await using var _ = source;
        var (quiet, ended, dead) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        foreach (var id in new[] { quiet, ended, dead })
        {
            await store.BeginAsync(new(id, "a replica", "candidate", "control", "config"), Cancellation);
            await store.BeatAsync(id, Cancellation);
        }

        await store.EndAsync(ended, Cancellation);
        await ExecuteAsync(source, "update shadow.flush set at = now() - interval '10 minutes'");
        await store.BeatAsync(quiet, Cancellation);
        var since = (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0].SinceUncleanExit!.Value;
        Assert.InRange(since, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(12));
        await store.EndAsync(dead, Cancellation);
        Assert.Null((await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0].SinceUncleanExit);
    }

    [Fact]
    public async Task The_schemas_fingerprint_changes_with_a_touched_column_and_with_no_other()
    {
        var database = await postgres.CloneAsync("evidence_schema", Cancellation);
        await using var owner = NpgsqlDataSource.Create(database.Owner);
        await using var shadow = NpgsqlDataSource.Create(database.Shadow);
        var before = await ReadAsync();
        await ExecuteAsync(owner, "alter table users add favourite_colour text");
        Assert.Equal(before, await ReadAsync());
        await ExecuteAsync(owner, "alter table support_tickets alter priority type varchar(30)");
        Assert.NotEqual(before, await ReadAsync());

        async Task<string> ReadAsync()
        {
            await using var connection = await shadow.OpenConnectionAsync(Cancellation);
            return await SchemaFingerprint.ReadAsync(connection, ["users", "support_tickets", "ticket_comments"], Cancellation);
        }
    }

    [Fact]
    public async Task Every_build_whose_figures_are_shown_is_an_attempt_and_each_acceptance_is_one_more()
    {
        var (store, source) = await StoreAsync("evidence_attempts");
        await using var _ = source;
        foreach (var (build, number) in new[] { ("one", 1), ("two", 2), ("one", 1), ("three", 3) })
        {
            using var ledger = new EvidenceLedger();
            ledger.Begin(build);
            Add(ledger, "any", 7, Outcome.Match);
            await store.FlushAsync(Guid.NewGuid(), ledger.Take()!, Cancellation);
            var read = (await store.ReadAsync(build, "candidate", [Operation, "tickets.get"], GatePolicy.Default, Cancellation)).Operations;
            Assert.Equal((number, 1, 2), (read[0].Attempt, read[1].Attempt, read[0].Operations));
        }

        await ExecuteAsync(source, $"insert into shadow.restart (fingerprint, operation, shape, epoch, reason) values ('two', '{Operation}', '', 1, 'accepted')");
        Assert.Equal(3, (await store.ReadAsync("two", "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0].Attempt);
    }

    [Fact]
    public async Task A_mismatch_is_closed_with_the_fingerprint_that_showed_it()
    {
        var (store, source) = await StoreAsync("evidence_closed");
        await using var _ = source;
        foreach (var (signature, builds) in new[] { ("old", "[]"), ("mended", "[\"before\"]"), ("here", "[\"now\"]") })
        {
            await ExecuteAsync(source,
                $$"""
                insert into shadow.mismatch values ('{{signature}}', gen_random_uuid(), '{{Operation}}', now(),
                    '{"fingerprints": ["candidate"], "builds": {{builds}}, "outcome": "mismatch", "severity": "normal"}')
                """);
        }

        Assert.Equal(2, (await store.ReadAsync("now", "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0].OpenMismatches);
    }

    [Fact]
    public async Task What_requests_show_adds_up_over_replicas_by_user_and_by_duration()
    {
        var (store, source) = await StoreAsync("evidence_sample");
        await using var _ = source;
        for (var replica = 0; replica < 2; replica++)
        {
            using var ledger = new EvidenceLedger();
            ledger.Begin(Fingerprint);
            for (var i = 0; i < 40; i++) Compare(ledger, (ulong)((replica * 40) + i), user: 1 + (i % 4), Outcome.Match);
            await store.FlushAsync(Guid.NewGuid(), ledger.Take()!, Cancellation);
        }

        var list = (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0];
        Assert.Equal((80L, 80L, 0L, 80L), (list.Sample.Due, list.Sample.Decided, list.Sample.Wrong, list.Sample.Tries));
        Assert.Equal((4, 0.25), (list.CaseUsers.Least, list.CaseUsers.Busiest));
        var inTime = list.Sample.Durations.Single(one => one.Due > 0);
        Assert.Equal(("requests of 4 to 16 ms", 80L, 80L), (inTime.Name, inTime.Due, inTime.Decided));
        Assert.Equal(80, list.Shapes[0].WithRows);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(30, false)]
    public async Task The_doubt_of_one_user_holds_no_shape_and_that_of_many_does(int users, bool isProven)
    {
        var (store, source) = await StoreAsync($"evidence_doubt_{users}");
        await using var _ = source;
        using var ledger = new EvidenceLedger();
        ledger.Begin(Fingerprint);
        for (var i = 0; i < 2000; i++) Compare(ledger, (ulong)i, user: i % 50, Outcome.Match);
        for (var i = 0; i < 60; i++) Compare(ledger, null, user: 1000 + (i % users), Outcome.Incomparable);
        await store.FlushAsync(Guid.NewGuid(), ledger.Take()!, Cancellation);
        var list = (await store.ReadAsync(Fingerprint, "candidate", [Operation], GatePolicy.Default, Cancellation)).Operations[0];
        Assert.Equal(isProven, Gate.ProvenShapes(list, GatePolicy.Default).Contains("any"));
        Assert.Equal(60, list.Incomparable);
    }

    private static void Compare(EvidenceLedger ledger, ulong? hash, int user, Outcome outcome)
    {
        var operation = ledger.OperationOf(Operation);
        var (shape, duration) = (operation.ShapeOf("any"), TimeSpan.FromMilliseconds(9));
        operation.Arrived(shape);
        shape.Due();
        operation.Counts.Due(duration);
        ledger.Compared(operation.SlotOf("any"), new(hash, outcome) { HasRows = true, User = user, IsDue = true, Duration = duration, BothRan = true });
    }

    private static void Add(EvidenceLedger ledger, string shape, ulong hash, Outcome outcome)
    {
        ledger.OperationOf(Operation).Arrived(ledger.OperationOf(Operation).ShapeOf(shape));
        ledger.Compared(ledger.OperationOf(Operation).SlotOf(shape), new(hash, outcome));
    }

    private async Task<(EvidenceStore Store, NpgsqlDataSource Source)> StoreAsync(string name)
    {
        var database = await postgres.CloneAsync(name, Cancellation);
        var source = NpgsqlDataSource.Create(database.Evidence);
        var store = new EvidenceStore(source);
        await store.MigrateAsync(Cancellation);
        return (store, source);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
