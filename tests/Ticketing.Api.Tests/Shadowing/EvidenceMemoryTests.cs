using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Postgres.Stores;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>A reading costs what has changed since the one before, and says the same as one that knows nothing of it.</summary>
public sealed class EvidenceMemoryTests(PostgresFixture postgres)
{
    private const string Fingerprint = "0123456789ab";
    private const string Candidate = "candidate";
    private static readonly string[] Operations = ["a.one", "b.two", "c.three", "d.four"];

    /// <summary>What changes by time alone.</summary>
    private static readonly string[] Aging = ["CasesPerHour", "RecentComparisons", "RecentDoubtful", "SinceUncleanExit"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_stored_a_reading_that_remembers_says_what_a_first_one_says_and_makes_anew_only_what_it_concerns()
    {
        await using var source = NpgsqlDataSource.Create((await postgres.CloneAsync("evidence_memory", Cancellation)).Evidence);
        var store = new EvidenceStore(source);
        await store.MigrateAsync(Cancellation);
        using var ledger = new EvidenceLedger();
        ledger.Begin(Fingerprint);
        var (mismatches, dice, run) = (new MismatchStore(source), new Random(7), Guid.NewGuid());
        // What a reading stores itself, the number of the attempt, is there from the second one on.
        foreach (var operation in Operations) await FlushAsync(operation);
        await store.ReadAsync(Fingerprint, Candidate, Operations, GatePolicy.Default, Cancellation);
        var before = await ReadAsync();
        await ExecuteAsync(
            """
            insert into shadow.mismatch select 's' || o, gen_random_uuid(), o, now(), '{"shapes": ["x", "y"], "outcome": "mismatch", "severity": "normal",
                "causes": {}, "fingerprints": ["candidate"]}' from unnest($1) o
            """);
        before = await ReadAsync();
        var swept = false;
        for (var round = 0; round < 48; round++)
        {
            var touched = Operations[dice.Next(Operations.Length)];
            switch (round % 6)
            {
                case 0 or 1:
                    await FlushAsync(touched);
                    break;
                case 4:
                    var now = DateTimeOffset.UtcNow;
                    await mismatches.AcceptAsync(new($"s{touched}", touched, "me", "it is meant", "me", now, now.AddDays(1)), Cancellation);
                    break;
                case 3:
                    await ExecuteAsync(
                        """
                        insert into shadow.latency values ('0123456789ab', $2, 'p50', 1, 1, 1)
                        on conflict (fingerprint, operation, quantile) do update set blocks = latency.blocks + 1 where cardinality($1) > 0
                        """,
                        touched);
                    break;
                case 2:
                    await ExecuteAsync(
                        """
                        with one as (insert into shadow.sweep (operation, fingerprint, rate, exhaustive, state, started_by, reason, ended_at)
                            select $2, '0123456789ab', 1, true, 'done', 'me', 'it is swept', now() where cardinality($1) > 0 returning id)
                        insert into shadow.sweep_shape select id, 'x', 9, 9, 0 from one
                        """,
                        touched);
                    break;
                default:
                    touched = "";
                    break;
            }

            var after = await ReadAsync();
            var first = await new EvidenceStore(source).ReadAsync(Fingerprint, Candidate, Operations, GatePolicy.Default, Cancellation);
            foreach (var (one, index) in after.Operations.Select((one, index) => (one, index)))
            {
                Assert.Equal(Lasting(first.Operations[index]), Lasting(one));
                // Where a signature is accepted again nothing begins anew.
                if (one.Operation != touched) Assert.Same(before.Operations[index], one);
                else if (round % 6 < 2) Assert.NotSame(before.Operations[index], one);
            }

            swept |= after.Operations.Any(one => one.Operation == touched && one.Shapes.Any(shape => shape.Existing == 9));
            before = after;
        }

        Assert.True(swept);
        Assert.Contains(before.Operations, one => one.Acceptances > 0);

        // For another policy, or other operations, nothing is known.
        Assert.DoesNotContain(
            (await store.ReadAsync(Fingerprint, Candidate, Operations, GatePolicy.Demo, Cancellation)).Operations, one => before.Operations.Contains(one));

        Task<MergedEvidence> ReadAsync() => store.ReadAsync(Fingerprint, Candidate, Operations, GatePolicy.Default, Cancellation);

        async Task FlushAsync(string operation)
        {
            foreach (var shape in new[] { "x", "y", "z" })
            {
                ledger.OperationOf(operation).Arrived(ledger.OperationOf(operation).ShapeOf(shape));
                ledger.Compared(ledger.OperationOf(operation).SlotOf(shape), new((ulong)dice.NextInt64(), Outcome.Match));
            }

            var batch = ledger.Take()!;
            await store.FlushAsync(run, batch, Cancellation);
            ledger.Stored(batch);
        }

        async Task ExecuteAsync(string sql, string? operation = null)
        {
            await using var command = source.CreateCommand(sql);
            command.Parameters.AddWithValue(Operations);
            if (operation is not null) command.Parameters.AddWithValue(operation);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }

    [Fact]
    public async Task A_reading_does_not_fail_for_another_replica_that_notes_the_same_at_the_same_moment()
    {
        await using var source = NpgsqlDataSource.Create((await postgres.CloneAsync("evidence_noted", Cancellation)).Evidence);
        var store = new EvidenceStore(source);
        await store.MigrateAsync(Cancellation);
        await using (var counted = source.CreateCommand(
            """
            insert into shadow.unproven values ('0123456789ab', 'a.one', 1, 0, 5000);
            insert into shadow.unproven_least (fingerprint, operation, least) values ('0123456789ab', 'a.one', 1)
            """))
            await counted.ExecuteNonQueryAsync(Cancellation);

        // The other one has noted what it saw, and has not committed yet.
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var note = new NpgsqlCommand("update shadow.unproven_least set least = 0.5", connection, transaction);
        await note.ExecuteNonQueryAsync(Cancellation);
        var reading = store.ReadAsync(Fingerprint, Candidate, Operations, GatePolicy.Default, Cancellation);
        await Until.HoldsAsync(async () =>
        {
            await using var waiting = source.CreateCommand(
                "select exists (select from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database()))");
            return (bool)(await waiting.ExecuteScalarAsync(Cancellation))!;
        });
        await transaction.CommitAsync(Cancellation);
        Assert.InRange((await reading).Operations[0].UnprovenBound, 0, 0.01);
        await using var kept = source.CreateCommand("select least from shadow.unproven_least");
        Assert.InRange((double)(await kept.ExecuteScalarAsync(Cancellation))!, 0, 0.01);
    }

    [Fact]
    public async Task Traffic_on_one_operation_lets_the_gate_judge_that_one_alone()
    {
        await using var service = await ShadowedService.StartAsync(await postgres.CloneAsync("judged_alone", Cancellation));
        var board = service.Services.GetRequiredService<GateBoard>();
        await service.GetAsync("/api/tickets/stats");
        await service.SettledAsync("tickets.stats");
        await Until.HoldsAsync(() => Task.FromResult(board.Read.JudgedOf("tickets.stats")?.Evidence.Comparisons > 0));
        for (var id = 1; id <= 3; id++)
        {
            var (before, compared) = (board.Read, board.Read.JudgedOf("tickets.get")!.Evidence.Requests());
            await service.GetAsync($"/api/tickets/{id}");
            await service.SettledAsync("tickets.get");
            await Until.HoldsAsync(() => Task.FromResult(board.Read.JudgedOf("tickets.get")!.Evidence.Requests() > compared));
            var after = board.Read;
            Assert.NotSame(before.JudgedOf("tickets.get")!.Decision, after.JudgedOf("tickets.get")!.Decision);
            Assert.All(
                after.Operations.Where(one => one.Evidence.Operation != "tickets.get"),
                one => Assert.Same(before.JudgedOf(one.Evidence.Operation)!.Decision, one.Decision));
        }
    }

    private static string Lasting(OperationEvidence evidence)
    {
        var node = JsonSerializer.SerializeToNode(evidence)!.AsObject();
        foreach (var one in node["Shapes"]!.AsArray().Select(shape => shape!.AsObject()).Append(node))
        {
            foreach (var name in Aging) one.Remove(name);
        }

        return node.ToJsonString();
    }
}

/// <summary>How many requests evidence knows of.</summary>
internal static class EvidenceRequests
{
    public static long Requests(this OperationEvidence evidence) => evidence.Shapes.Sum(shape => shape.Requests);
}
