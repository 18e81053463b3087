using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Serving;
using Ticketing.Api.Tickets;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Traffic;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>
/// One service for all the faults of a class, warm from the first: its candidate makes the mistakes that are planted at the moment, under the
/// ordinary mixed traffic with its concurrent writers.
/// </summary>
public sealed class SwitchedFaults(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Round = 250;

    // A fault that throws or hangs, one after the other, would have shadowing pause for those that follow.
    private static readonly (string, string)[] Settings =
    [
        ("Shadowing:Breaker:MinimumThroughput", "10000"),
        // A busy machine takes long over each comparison: none is shed for that here.
        ("Shadowing:DatabaseTimeBudget", "16"), ("Shadowing:YieldAfter", "00:00:05"),
    ];

    private static int _databases;

    private readonly AccessTokens _tokens = new(Http.AccessTokens.SigningKey, TimeProvider.System);
    private volatile PlantedFaults _planted = new([]);
    private ShadowedService _service = null!;
    private Population _population = null!;
    private int _seed;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.CloneAsync($"switched_faults_{Interlocked.Increment(ref _databases)}", Cancellation);
        _population = await Population.ReadAsync(database.Owner, Cancellation);
        _service = await ShadowedService.StartAsync(database, Plant, settings: Settings);
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null) await _service.DisposeAsync();
    }

    /// <summary>
    /// Drives round after round until enough is counted, checks that every request is where it should be, and gives what has been counted
    /// since it was planted.
    /// </summary>
    internal async Task<IReadOnlyList<OperationStatus>> DriveAsync(
        PlantedFaults planted, Func<IReadOnlyList<OperationStatus>, bool> enough, int rounds)
    {
        var before = (await _service.StatusAsync()).Operations;
        IReadOnlyList<OperationStatus> since = [];
        _planted = planted;
        planted.Arm();
        var driven = new Dictionary<string, long>();
        for (var round = 0; round < rounds && (round == 0 || !enough(since)); round++)
        {
            using var driver = new TrafficDriver(
                [_service.Http.BaseAddress!], _population, _tokens, new() { Seed = _seed++, Rate = 120, Requests = Round }, TimeProvider.System);
            await driver.RunAsync(Cancellation);
            Assert.Empty(driver.Tally.Unexpected);
            foreach (var (operation, count) in driver.Tally.Driven) driven[operation] = driven.GetValueOrDefault(operation) + count;
            await Until.HoldsAsync(async () => (await _service.StatusAsync()).Operations.All(operation => operation is { Queued: 0, InFlight: 0 }));
            since = [.. (await _service.StatusAsync()).Operations.Zip(before, Since)];
        }

        _planted = new([]);
        Assert.All(since, operation =>
        {
            Assert.Equal(driven.GetValueOrDefault(operation.Operation), operation.Requests);
            Assert.Equal(operation.Requests, operation.Comparisons.Values.Sum() + operation.Skips.Values.Sum());
        });
        return since;
    }

    private void Plant(IServiceCollection services) => services.AddSingleton<CandidateStore>(provider =>
    {
        var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
        return session => new FaultyTicketStore(new EfTicketStore(contexts, session), session, _planted);
    });

    private static OperationStatus Since(OperationStatus now, OperationStatus before) => now with
    {
        Requests = now.Requests - before.Requests,
        Comparisons = Since(now.Comparisons, before.Comparisons),
        Skips = Since(now.Skips, before.Skips),
        Mismatches = [.. now.Mismatches.Select(mismatch => Since(mismatch, before.Mismatches)).Where(mismatch => mismatch.Count > 0)],
    };

    private static MismatchCount Since(MismatchCount now, IReadOnlyList<MismatchCount> before)
    {
        var earlier = before.SingleOrDefault(earlier => (earlier.Path, earlier.Kind) == (now.Path, now.Kind));
        return now with { Count = now.Count - (earlier?.Count ?? 0) };
    }

    private static Dictionary<string, long> Since(IReadOnlyDictionary<string, long> now, IReadOnlyDictionary<string, long> before) =>
        now.ToDictionary(count => count.Key, count => count.Value - before.GetValueOrDefault(count.Key));
}
