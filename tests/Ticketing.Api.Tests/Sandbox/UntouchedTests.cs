using Npgsql;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Comparing writes leaves users' tables, their sequences and everybody's locks as they are without it.</summary>
public sealed class UntouchedTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trace_leaves_the_same_rows_keys_and_sequences_whether_it_is_compared_or_not()
    {
        var alone = await TraceAsync("untouched_alone", isCompared: false);
        var compared = await TraceAsync("untouched_compared", isCompared: true);
        Assert.Equal(alone.Answers, compared.Answers);
        Assert.Equal(alone.Before.Since(alone.Before), compared.Before.Since(compared.Before));
        var expected = (await TableState.ReadAsync(alone.Database)).Since(alone.Before);
        Assert.Equal(expected, (await TableState.ReadAsync(compared.Database)).Since(compared.Before));

        // The least slip would have shown.
        foreach (var slip in (string[])
        [
            "update users set updated_at = updated_at + interval '1 microsecond' where id = 1",
            "select nextval('ticket_comments_id_seq')",
            "update ticket_comments set created_at = created_at - interval '1 us' where id = (select max(id) from ticket_comments)",
            "update support_tickets set resolved_at = null where id = (select max(id) from support_tickets where resolved_at = updated_at)",
        ])
        {
            Assert.Null(await Sql.StateAsync(alone.Database.Owner, slip));
            var slipped = (await TableState.ReadAsync(alone.Database)).Since(alone.Before);
            Assert.NotEqual(expected, slipped);
            expected = slipped;
        }
    }

    [Fact]
    public async Task Under_concurrent_traffic_the_tables_are_written_as_often_as_users_asked_and_locked_by_nobody_else()
    {
        var database = await postgres.CloneAsync("untouched_counts", Cancellation);
        var before = await TableCounts.ReadAsync(database);
        IReadOnlyList<Answer> answers;
        await using var watch = new LockWatch(database);
        await using (var service = await ShadowedService.StartAsync(database, settings: WritesUnderTrafficTests.Everything))
        {
            answers = await DriveBehindALockAsync(service, watch);
            await SettleAsync(service);
        }

        (await TableCounts.ReadAtRestAsync(database)).AreAccountedFor(before, answers);
        TestContext.Current.TestOutputHelper?.WriteLine(watch.ToString());
        watch.SawNobodyButTheServedRoleLock();
        Assert.Contains((LockWatch.Served, "ticketing_owner"), watch.Waited);
    }

    private async Task<(TicketingDatabase Database, TableState Before, IReadOnlyList<Answer> Answers)> TraceAsync(
        string name, bool isCompared)
    {
        var database = await postgres.CloneAsync(name, Cancellation);
        var before = await TableState.ReadAsync(database);
        await using var service = await ShadowedService.StartAsync(
            database, warm: isCompared, settings: isCompared ? WritesUnderTrafficTests.Everything : [("Shadowing:Enabled", "false")]);
        var answers = await WriteTraffic.DriveAsync(service, requests: 400, concurrency: 1);
        if (isCompared) await SettleAsync(service);
        else Assert.False((await service.StatusAsync()).Enabled);
        return (database, before, answers);
    }

    /// <summary>The writes were compared and nothing was found. On a machine that is short of time a few may be incomparable.</summary>
    private static async Task SettleAsync(ShadowedService service)
    {
        foreach (var operation in WritesUnderTrafficTests.Operations)
        {
            var status = await service.SettledAsync(operation);
            var (ended, requests) = (status.Comparisons, status.Requests);
            var counts = ended.Concat(status.Skips).Where(one => one.Value > 0);
            var found = $"{operation}: {string.Join(' ', counts)} {string.Join(' ', status.Mismatches)}";
            Assert.True(ended["mismatch"] + ended["candidate_error"] + ended["candidate_timeout"] == 0, found);
            Assert.True(ended["match"] > 0 && ended["match"] + ended["control_error"] >= 0.9 * requests, found);
        }
    }

    /// <summary>
    /// Begins while somebody holds the tickets that everybody writes to, until the watch has seen users wait for them: it sees who waits
    /// for whom.
    /// </summary>
    private static async Task<IReadOnlyList<Answer>> DriveBehindALockAsync(ShadowedService service, LockWatch watch)
    {
        var hot = (await Population.ReadAsync(service.Database.Owner, Cancellation)).Hot;
        await using var holder = new NpgsqlConnection(service.Database.Owner);
        await holder.OpenAsync(Cancellation);
        Task<IReadOnlyList<Answer>> driving;
        await using (var held = await holder.BeginTransactionAsync(Cancellation))
        {
            await using var hold = new NpgsqlCommand("select from support_tickets where id = any($1) for update", holder, held);
            hold.Parameters.Add(new() { Value = hot.ToArray() });
            await hold.ExecuteNonQueryAsync(Cancellation);
            driving = WriteTraffic.DriveAsync(service, requests: 500, concurrency: 8);
            await Until.HoldsAsync(() => Task.FromResult(watch.Waited.Contains((LockWatch.Served, "ticketing_owner"))));
        }

        return await driving;
    }
}
