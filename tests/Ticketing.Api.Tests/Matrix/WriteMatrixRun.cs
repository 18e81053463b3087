using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Postgres.Stores;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Api.Tickets;
using Ticketing.Demo.Traffic;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>What became of a write fault.</summary>
/// <param name="Requests">Of its operation, under traffic, until it had been seen; null where traffic did not bring it out.</param>
/// <param name="IsSwept">Whether a sweep found it instead.</param>
internal sealed record WriteDetection(WriteFault Fault, int? Requests, bool IsSwept, IReadOnlyList<MismatchGroup> Groups)
{
    public IReadOnlyList<DifferencePattern> Differences => [.. Groups.Where(group => group.Outcome != "match").SelectMany(group => group.Differences).Distinct()];

    public IReadOnlyList<KeyValuePair<string, long>> Causes =>
        [.. Groups.Where(group => group.Outcome != "match").SelectMany(group => group.Causes).GroupBy(cause => cause.Key, (cause, counts) => KeyValuePair.Create(cause, counts.Sum(count => count.Value)))
            .OrderByDescending(cause => cause.Value)];

    public bool IsFound => Groups.Any(group => group.Outcome != "match");

    public bool IsDiagnosed => Causes is [var leading, ..] && Fault.Causes.Contains(leading.Key);
}

/// <summary>One service whose candidate makes one mistake in each of the four operations, and then the next.</summary>
internal sealed class WriteMatrixRun(PostgresFixture postgres) : IAsyncDisposable
{
    private const int Round = 60;
    private const int Rounds = 4;

    private readonly AccessTokens _tokens = new(Http.AccessTokens.SigningKey, TimeProvider.System);
    private IReadOnlyList<WriteFault> _planted = [];
    private ShadowedService _service = null!;
    private Population _population = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async Task<IReadOnlyList<WriteDetection>> RunAsync(IReadOnlyList<WriteFault> faults)
    {
        var database = await postgres.CloneAsync("write_matrix", Cancellation);
        _population = await Population.ReadAsync(database.Owner, Cancellation);
        _service = await ShadowedService.StartAsync(
            database, Plant, settings: [.. WritesUnderTrafficTests.Everything, ("Shadowing:Breaker:MinimumThroughput", "10000"), ("Shadowing:MaxSignatures", "2000")]);
        var found = new List<WriteDetection>();
        var queues = faults.GroupBy(fault => fault.Operation).Select(group => new Queue<WriteFault>(group)).ToArray();
        while (queues.Any(queue => queue.Count > 0))
        {
            _planted = [.. queues.Where(queue => queue.Count > 0).Select(queue => queue.Dequeue())];
            found.AddRange(await DetectAsync());
        }

        return [.. faults.Select(fault => found.Single(detection => detection.Fault == fault))];
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null) await _service.DisposeAsync();
    }

    private async Task<IReadOnlyList<WriteDetection>> DetectAsync()
    {
        var before = Read();
        var requests = new Dictionary<WriteFault, int>();
        for (var round = 0; round < Rounds && requests.Count < _planted.Count; round++)
        {
            using var driver = new TrafficDriver(
                [_service.Http.BaseAddress!], _population, _tokens, new()
                {
                    Seed = (requests.Count * 31) + round,
                    Concurrency = 8,
                    Requests = Round * (round + 1),
                    Operations = _planted.Except(requests.Keys).Select(fault => fault.Operation).ToHashSet(),
                }, TimeProvider.System);
            await driver.RunAsync(Cancellation);
            Assert.Empty(driver.Tally.Unexpected);
            await SettleAsync();
            foreach (var fault in _planted.Except(requests.Keys).Where(fault => New(before, fault).Any(IsWrong)).ToArray())
                requests[fault] = Round * (round + 1) * (round + 2) / 2;
        }

        foreach (var fault in _planted.Except(requests.Keys)) await SweepAsync(fault, before);
        return [.. _planted.Select(fault => new WriteDetection(
            fault, requests.TryGetValue(fault, out var count) ? count : null, !requests.ContainsKey(fault) && New(before, fault).Any(IsWrong), New(before, fault)))];
    }

    /// <summary>Sweeps until something differs.</summary>
    private async Task SweepAsync(WriteFault fault, Dictionary<string, MismatchGroup> before)
    {
        var store = _service.Services.GetRequiredService<SweepStore>();
        var fingerprint = _service.Services.GetRequiredService<EvidenceLedger>().Fingerprint;
        var id = (long)(await store.StartAsync(new(fault.Operation, fingerprint, null, 1000, false, "a test", "a fault is planted"), Cancellation))!;
        SweepState sweep;
        do
        {
            await Until.NextLookAsync();
            sweep = (await store.LatestAsync(id, 1, Cancellation))[0];
        }
        while (sweep.State == "running" && sweep.Walked < 2_000 && !New(before, fault).Any(IsWrong));
        await store.StopAsync(id, "a test", "enough", Cancellation);
    }

    private Task SettleAsync() => Until.HoldsAsync(async () => (await _service.StatusAsync()).Operations.All(operation => operation is { Queued: 0, InFlight: 0 }));

    private Dictionary<string, MismatchGroup> Read() =>
        _service.Services.GetRequiredService<MismatchJournal>().Read().ToDictionary(group => group.Signature);

    private List<MismatchGroup> New(Dictionary<string, MismatchGroup> before, WriteFault fault) =>
        [.. Read().Values.Where(group => group.Operation == fault.Operation).Since(before)];

    private static bool IsWrong(MismatchGroup group) => group.Outcome != "match";

    private void Plant(IServiceCollection services) => services.AddSingleton<CandidateStore>(provider =>
    {
        var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
        return session => _planted.Aggregate(
            (ITicketStore)new EfTicketStore(contexts, session), (store, fault) => fault.Over(store, contexts, session));
    });
}
