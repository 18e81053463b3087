using System.Net.Http.Json;
using Shadowing.AspNetCore.Endpoints;
using Ticketing.Demo;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Screen;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The detector against known faults, under the ordinary mixed traffic with its concurrent writers: found, at the right place, nothing else.</summary>
public sealed class PlantedFaultsUnderTrafficTests(PostgresFixture postgres)
{
    private const int Round = 250;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => [.. new FaultRegistry(TimeProvider.System).All.Select(fault => fault.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_planted_fault_shows_where_it_is_and_nowhere_else(string name)
    {
        var fault = new FaultRegistry(TimeProvider.System).Find(name)!;
        var planted = new PlantedFaults([new(fault, 1)]);
        var status = await DriveAsync($"planted_{name.Replace('-', '_')}", planted, () => planted.Total > 0, rounds: 12);

        var hit = status.Operations.Single(operation => operation.Operation == fault.Operation);
        var (found, unclear) = (hit.Comparisons, hit.Comparisons["incomparable"]);
        switch (fault.Shows)
        {
            case FaultShows.Mismatch:
                Assert.Equal(planted.Total, found["mismatch"] + unclear);
                Assert.NotEmpty(hit.Mismatches);
                Assert.Empty(hit.Mismatches.Select(mismatch => new FaultTrace(mismatch.Path, mismatch.Kind)).Except(fault.Expected));
                break;
            case FaultShows.Error:
                Assert.NotEqual(0, found["candidate_error"]);
                Assert.Equal(planted.Total, found["candidate_error"] + unclear);
                break;
            case FaultShows.Timeout:
                Assert.NotEqual(0, found["candidate_timeout"] + unclear);
                break;
            case FaultShows.Statements:
                Assert.True(hit.Statements.Candidate > hit.Statements.Control + 1, $"{hit.Statements}");
                break;
            case FaultShows.Duration:
                Assert.True(hit.Seconds.Candidate.P50 > hit.Seconds.Control.P50, $"{hit.Seconds}");
                break;
        }

        foreach (var other in status.Operations.Where(operation => operation.Operation != fault.Operation))
        {
            Assert.Empty(other.Mismatches);
            Assert.Equal(0, other.Comparisons["mismatch"] + other.Comparisons["candidate_error"] + other.Comparisons["candidate_timeout"]);
        }
    }

    [Fact]
    public async Task A_good_candidate_is_never_accused_and_every_request_is_accounted_for()
    {
        var none = new PlantedFaults([]);
        var status = await DriveAsync("planted_nothing", none, () => true, rounds: 4);
        foreach (var operation in status.Operations)
        {
            Assert.True(operation.Mismatches.Count == 0, $"{operation.Operation}: {string.Join(", ", operation.Mismatches)}");
            Assert.Equal(0, operation.Comparisons["mismatch"] + operation.Comparisons["candidate_error"] + operation.Comparisons["candidate_timeout"]);
        }
    }

    [Fact]
    public async Task A_rare_fault_is_found_and_none_that_was_planted_is_lost()
    {
        var planted = new PlantedFaults([new(new FaultRegistry(TimeProvider.System).Find("wrong-count")!, 0.02)]);
        var status = await DriveAsync("planted_rarely", planted, () => planted.Total >= 3, rounds: 12);
        var list = status.Operations.Single(operation => operation.Operation == "tickets.list").Comparisons;
        Assert.NotEqual(0, list["mismatch"]);
        Assert.Equal(planted.Total, list["mismatch"] + list["incomparable"]);
    }

    /// <summary>Drives round after round until enough is planted, checks that every request is where it should be, and gives the final status.</summary>
    private async Task<ShadowStatus> DriveAsync(string name, PlantedFaults planted, Func<bool> enough, int rounds)
    {
        var database = await postgres.CloneAsync(name, Cancellation);
        var secrets = DemoSecrets.Draw();
        using var log = new DemoLog();
        await using var service = await DemoService.StartAsync(0, database, secrets, planted, log, Cancellation);
        using var http = new HttpClient { BaseAddress = service.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", secrets.ViewerToken);
        await Until.HoldsAsync(async () => (await ReadAsync()).Enabled);
        planted.Arm();

        var population = await Population.ReadAsync(database.Owner, Cancellation);
        var tokens = new AccessTokens(secrets.SigningKey, TimeProvider.System);
        var driven = new Dictionary<string, long>();
        for (var round = 0; round < rounds && (round == 0 || !enough()); round++)
        {
            using var driver = new TrafficDriver([service.Address], population, tokens, new() { Seed = round, Rate = 120, Requests = Round }, TimeProvider.System);
            await driver.RunAsync(Cancellation);
            Assert.Empty(driver.Tally.Unexpected);
            foreach (var (operation, count) in driver.Tally.Driven) driven[operation] = driven.GetValueOrDefault(operation) + count;
            await Until.HoldsAsync(async () => (await ReadAsync()).Operations.All(operation => operation is { Queued: 0, InFlight: 0 }));
        }

        var status = await ReadAsync();
        foreach (var operation in status.Operations)
        {
            Assert.Equal(driven.GetValueOrDefault(operation.Operation), operation.Requests);
            Assert.Equal(operation.Requests, operation.Comparisons.Values.Sum() + operation.Skips.Values.Sum());
        }

        return status;

        async Task<ShadowStatus> ReadAsync() => (await http.GetFromJsonAsync<ShadowStatus>("/shadow/v1/status", Cancellation))!;
    }
}
