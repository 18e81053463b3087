using System.Diagnostics;
using System.Net.Http.Json;
using Npgsql;
using Shadowing.Serving;
using Ticketing.Api.Tests.Http;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Cases;

/// <summary>One user who writes to one own ticket over many connections.</summary>
public sealed class ConvoyTests(PostgresFixture postgres)
{
    private const int Writers = 24;
    private const int Attackers = 160;
    private const int Others = 6;
    private const int Rounds = 10;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(3);
    private static readonly string[] Stages = ["off", "shadow-100", "full"];
    private static readonly string[] Operations =
        ["tickets.list", "tickets.get", "tickets.create", "tickets.update", "tickets.delete", "tickets.comment"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_many_writes_to_one_ticket_a_few_are_in_transactions_of_ours_and_the_rest_run_as_without_a_shadow()
    {
        await using var service = await ShadowedService.StartAsync(
            await postgres.CloneAsync("convoy", Cancellation), settings: [.. WritesUnderTrafficTests.Everything]);
        await using var holder = new NpgsqlConnection(service.Database.Owner);
        await holder.OpenAsync(Cancellation);
        await using var holding = await holder.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("select from support_tickets where id = 5 for update", holder, holding))
            await hold.ExecuteNonQueryAsync(Cancellation);
        var writes = Enumerable.Range(0, Writers).Select(number => service.SendAsync(
            HttpMethod.Patch, "/api/tickets/5", new { resolution = $"Resolution {number}" })).ToArray();
        await Until.HoldsAsync(async () => (await service.StatusAsync("tickets.update")).Skips["crowded"] == Writers - WriteCrowds.Most);
        // Others are compared as ever.
        Assert.Equal(200, (await service.SendAsync(HttpMethod.Patch, "/api/tickets/6", new { resolution = "Other" }, asUser: 4)).Status);
        await holding.RollbackAsync(Cancellation);
        Assert.All(await Task.WhenAll(writes), write => Assert.Equal(200, write.Status));
        var update = await service.SettledAsync("tickets.update");
        Assert.Equal(Writers + 1, update.Requests);
        Assert.Equal(0, update.Comparisons["mismatch"]);
    }

    /// <summary>
    /// What others wait for while one user writes to one row over 160 connections: in slices of a few seconds that take turns, so that whatever
    /// else the machine does meets all stages alike. It prints the figures; how they compare depends on the machine.
    /// </summary>
    [Fact]
    [LongForm(nameof(Of_many_writes_to_one_ticket_a_few_are_in_transactions_of_ours_and_the_rest_run_as_without_a_shadow))]
    public async Task Others_are_answered_at_every_stage_while_one_user_writes_to_one_ticket_over_160_connections()
    {
        await using var replica = await Replica.StartAsync(await postgres.CloneAsync("convoy_stages", Cancellation), settings: ServedWritesTests.Roomy);
        var service = replica.Service;
        await WritesUnderTrafficTests.DriveAsync(service, requests: 600, concurrency: 4, seed: 7, Operations);
        foreach (var operation in Operations)
        {
            await service.SettledAsync(operation);
            await replica.ServeAsync(operation);
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var attackers = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Attackers }) { BaseAddress = service.Http.BaseAddress };
        long attacked = 0, refused = 0;
        var attack = Task.WhenAll(Enumerable.Range(0, Attackers).Select(number => Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                // The served pool may be full of them, as without shadowing: then they are told so.
                switch (await SendAsync(attackers, HttpMethod.Patch, "/api/tickets/5", ShadowedService.Staff, $"Attack {number}"))
                {
                    case 200: Interlocked.Increment(ref attacked); break;
                    case 503: Interlocked.Increment(ref refused); break;
                    case var other: Assert.Fail($"{other}"); break;
                }
            }
        }, Cancellation)));
        var waited = Stages.ToDictionary(stage => stage, _ => new List<double>());
        var writes = Stages.ToDictionary(stage => stage, _ => 0L);
        var served = Stages.ToDictionary(stage => stage, _ => 0);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var stage in Stages.Skip(round % Stages.Length).Concat(Stages.Take(round % Stages.Length)))
            {
                foreach (var operation in Operations) await replica.ChangeAsync(operation, new() { ["stage"] = stage, ["force"] = true });
                await OthersAsync(service, TimeSpan.FromSeconds(1), []);
                var (before, starts) = (Interlocked.Read(ref attacked), replica.CandidateStarts.Count);
                await OthersAsync(service, Slice, waited[stage]);
                writes[stage] += Interlocked.Read(ref attacked) - before;
                served[stage] += replica.CandidateStarts.Count - starts;
            }
        }

        await over.CancelAsync();
        await attack;
        var off = Quantile(waited[Stages[0]], 0.95);
        foreach (var stage in Stages)
        {
            var all = waited[stage];
            TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant(
                $"{stage}: {all.Count} requests of others, p50 {Quantile(all, 0.5):0.0} ms, p95 {Quantile(all, 0.95):0.0} ms ({Quantile(all, 0.95) / off:0.00} of off), p99 {Quantile(all, 0.99):0.0} ms; {writes[stage] / (Rounds * Slice.TotalSeconds):0} writes a second to the one ticket; {served[stage]} answered by the candidate"));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{attacked} writes to the one ticket, {refused} of them refused with 503");

        // Each stage was what it is called.
        Assert.Equal((0, 0), (served["off"], served["shadow-100"]));
        Assert.NotEqual(0, served["full"]);
        Assert.NotEqual(0, (await service.StatusAsync("tickets.update")).Skips["crowded"]);
        foreach (var operation in Operations) Assert.Equal(0, (await service.SettledAsync(operation)).Comparisons["mismatch"]);
    }

    private static async Task OthersAsync(ShadowedService service, TimeSpan time, List<double> waited)
    {
        var started = Stopwatch.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, Others).Select(other => Task.Run(async () =>
        {
            var own = new List<double>();
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            for (var number = other; Stopwatch.GetElapsedTime(started) < time; number++)
            {
                await pace.WaitForNextTickAsync(Cancellation);
                var ticket = 100 + (number * 8) + other;
                var sent = Stopwatch.GetTimestamp();
                Assert.Contains((number % 4) switch
                {
                    0 => await SendAsync(service.Http, HttpMethod.Patch, $"/api/tickets/{ticket}", 4, "Another"),
                    1 => await service.GetAsync("/api/tickets?scope=all&limit=20", 4),
                    _ => await service.GetAsync($"/api/tickets/{ticket}", 4),
                }, (int[])[200, 503]);
                own.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }

            return own;
        }, Cancellation)));
        waited.AddRange(all.SelectMany(own => own));
    }

    private static async Task<int> SendAsync(HttpClient http, HttpMethod method, string path, int user, string resolution)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Headers = { Authorization = new("Bearer", AccessTokens.For(user)) },
            Content = JsonContent.Create(new { resolution }),
        };
        using var response = await http.SendAsync(request, Cancellation);
        await response.Content.ReadAsByteArrayAsync(Cancellation);
        return (int)response.StatusCode;
    }

    private static double Quantile(List<double> values, double quantile) => values.Order().ElementAt((int)(quantile * (values.Count - 1)));
}
