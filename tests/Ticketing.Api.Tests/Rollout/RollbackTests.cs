using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Npgsql;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>Three replicas on one PostgreSQL, under traffic: a rollback called on one is a rollback everywhere.</summary>
public sealed class RollbackTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_request_starts_on_the_candidate_anywhere_a_second_after_a_rollback(bool isDeaf)
    {
        var rounds = isDeaf ? Effort.Of(6, all: 25) : Effort.Of(20, all: 100);
        // Takes connections, and never says a word.
        using var hole = new TcpListener(IPAddress.Loopback, 0);
        hole.Start();
        var database = await postgres.CloneAsync(isDeaf ? "rollback_deaf" : "rollback", Cancellation);
        var deaf = new NpgsqlConnectionStringBuilder(database.Evidence) { Port = ((IPEndPoint)hole.LocalEndpoint).Port }.ConnectionString;
        (string, string)[] settings = isDeaf ? [("ConnectionStrings:Listen", deaf)] : [];
        var replicas = await Task.WhenAll(Enumerable.Range(1, 3).Select(number => Replica.StartAsync(database, $"replica {number}", settings: settings)));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        try
        {
            await replicas[0].ProveAsync();
            await replicas[0].ServeAsync();
            var traffic = replicas.Select(replica => DriveAsync(replica, done.Token)).ToArray();
            var late = new List<double>();
            for (var round = 0; round < rounds; round++)
            {
                if (round > 0)
                {
                    await replicas[0].ChangeAsync("tickets.get", new() { ["acknowledge"] = true });
                    await replicas[0].ServeAsync();
                }

                foreach (var replica in replicas)
                {
                    replica.CandidateStarts.Clear();
                    await Until.HoldsAsync(() => Task.FromResult(!replica.CandidateStarts.IsEmpty));
                }

                var called = Stopwatch.GetTimestamp();
                var (status, answer) = await replicas[round % 3].SendAsync(
                    HttpMethod.Post, "rollback", new JsonObject { ["reason"] = "a test", ["operation"] = "tickets.get" });
                Assert.Equal((HttpStatusCode.OK, true), (status, (bool)answer["published"]!));
                Assert.All(answer["replicas"]!.AsArray(), replica => Assert.Equal("applied", (string?)replica!["state"]));
                Assert.Equal(3, answer["replicas"]!.AsArray().Count);

                // Users go on asking for as long as was promised: whatever starts late is seen.
                while (Stopwatch.GetElapsedTime(called) < Promised) await Until.NextLookAsync();
                var last = replicas.SelectMany(replica => replica.CandidateStarts).DefaultIfEmpty(called).Max();
                late.Add(Math.Max(0, Stopwatch.GetElapsedTime(called, last).TotalSeconds));
            }

            await done.CancelAsync();
            await Task.WhenAll(traffic);
            late.Sort();
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{rounds} rollbacks{(isDeaf ? " without LISTEN" : "")}: last start on the candidate after {late[rounds / 2] * 1000:0} ms in the median, p99 {late[(int)(rounds * 0.99)] * 1000:0} ms, at most {late[^1] * 1000:0} ms"));
            Assert.True(late[^1] < Promised.TotalSeconds, $"A request started on the candidate {late[^1]:0.000} s after a rollback.");
        }
        finally
        {
            await done.CancelAsync();
            foreach (var replica in replicas) await replica.DisposeAsync();
        }
    }

    [Fact]
    public async Task With_the_store_gone_nothing_starts_on_the_candidate_after_three_seconds_and_a_rollback_here_is_kept()
    {
        var database = await postgres.CloneAsync("rollback_storeless", Cancellation);
        await using var forwarder = new Forwarder(database.Evidence);
        await using var replica = await Replica.StartAsync(database with { Evidence = forwarder.ConnectionString });
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await replica.ProveAsync();
        await replica.ServeAsync();
        var traffic = DriveAsync(replica, done.Token);
        await Until.HoldsAsync(() => Task.FromResult(!replica.CandidateStarts.IsEmpty));
        var cut = Stopwatch.GetTimestamp();
        forwarder.Cut();
        await Until.HoldsAsync(async () => (double)(await replica.RolloutAsync())["effectiveServePercent"]! == 0);
        replica.CandidateStarts.Clear();
        Assert.True(Stopwatch.GetElapsedTime(cut) < TimeSpan.FromSeconds(3.5));
        var (status, answer) = await replica.SendAsync(HttpMethod.Post, "rollback", new JsonObject { ["reason"] = "a test", ["operation"] = "tickets.get" });
        Assert.Equal((HttpStatusCode.Accepted, false), (status, (bool)answer["published"]!));
        forwarder.Mend();
        await Until.HoldsAsync(async () => await HeldInStoreAsync(database.Evidence));
        // Whoever publishes it later, it is the operator's, with the operator's words.
        Assert.Equal("an operator: a test", await Sql.LineAsync(
            database.Evidence, "select actor || ': ' || (detail ->> 'text') from shadow.audit where action = 'rollout.rollback' order by id desc limit 1"));
        await done.CancelAsync();
        await traffic;
        Assert.Empty(replica.CandidateStarts);
        Assert.Equal("shadow-100", (string?)(await replica.RolloutAsync())["stage"]);
    }

    [Fact]
    [LongForm(nameof(With_the_store_gone_nothing_starts_on_the_candidate_after_three_seconds_and_a_rollback_here_is_kept))]
    public async Task A_service_that_starts_without_its_store_runs_nothing_on_the_candidate()
    {
        var database = await postgres.CloneAsync("rollout_boot", Cancellation);
        await using var forwarder = new Forwarder(database.Evidence);
        forwarder.Cut();
        await using var service = await ShadowedService.StartAsync(database with { Evidence = forwarder.ConnectionString }, warm: false);
        await Until.HoldsAsync(async () => (await service.StatusAsync()).OffBecause is ["rollout_unknown"]);
        Assert.Equal(200, await service.GetAsync("/api/tickets/7"));
        Assert.Equal(1, (await service.SettledAsync("tickets.get")).Skips["off"]);
        forwarder.Mend();
        await service.IsOnAsync();
    }

    private static async Task<bool> HeldInStoreAsync(string connection)
    {
        await using var source = NpgsqlDataSource.Create(connection);
        await using var command = source.CreateCommand("select held_because is not null from shadow.rollout where operation = 'tickets.get'");
        return await command.ExecuteScalarAsync(Cancellation) is true;
    }

    /// <summary>
    /// A request each few milliseconds until it is stopped; each is always answered. No more, or the replicas would be short of the machine
    /// that they take back their routes on.
    /// </summary>
    private static async Task DriveAsync(Replica replica, CancellationToken stopping)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(4));
        for (var request = 0; !stopping.IsCancellationRequested; request++)
        {
            Assert.Equal(200, await replica.Service.GetAsync($"/api/tickets/{1 + (request % 30)}"));
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
