using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Api.Tickets;
using Ticketing.Demo.Traffic;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>What became of a fault under ordinary traffic.</summary>
/// <param name="Comparisons">Of the fault's operation up to the one that showed it; null where none did.</param>
/// <param name="Compared">Of the fault's operation in all.</param>
/// <param name="Groups">The mismatches of the fault's operation, by signature.</param>
internal sealed record Detection(CatalogueFault Fault, long? Comparisons, long Compared, IReadOnlyList<MismatchGroup> Groups)
{
    public IReadOnlyList<DifferencePattern> Differences => [.. Groups.SelectMany(group => group.Differences).Distinct()];

    /// <summary>How many mismatches point to each cause, the most frequent first.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Causes =>
        [.. Groups.SelectMany(group => group.Causes).GroupBy(cause => cause.Key, (cause, counts) => KeyValuePair.Create(cause, counts.Sum(count => count.Value)))
            .OrderByDescending(cause => cause.Value)];

    /// <summary>The diagnosis that an engineer meets first is one of those that are right.</summary>
    public bool IsDiagnosed => Causes is [var leading, ..] && Fault.Causes.Any(cause => cause.Wire() == leading.Key);
}

/// <summary>A service whose candidate makes up to three mistakes, one an operation, under the ordinary mixed traffic with its writers.</summary>
internal static class MatrixRun
{
    public const int MostRounds = 20;
    private const int Round = 200;

    // Nothing is shed, so that comparisons are counted in requests.
    private static readonly (string, string)[] Settings =
    [
        ("Shadowing:SamplePercent", "100"), ("Shadowing:ConfirmationsPerSecond", "10000"), ("Shadowing:YieldAfter", "00:00:10"),
        ("Shadowing:QueueCapacity", "65536"), ("Shadowing:DatabaseTimeBudget", "16"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Drives round after round until every fault has been seen, or there were enough.</summary>
    public static async Task<IReadOnlyList<Detection>> RunAsync(
        PostgresFixture postgres, string name, IReadOnlyList<CatalogueFault> faults, string? prepare = null)
    {
        var database = await postgres.CloneAsync(name, Cancellation);
        await using var service = await ShadowedService.StartAsync(database, services => Plant(services, faults), settings: Settings);
        if (prepare is not null) await service.AsOwnerAsync(prepare);
        using var watch = new Watch(service.Services);
        var population = await Population.ReadAsync(database.Owner, Cancellation);
        var tokens = new AccessTokens(Http.AccessTokens.SigningKey, TimeProvider.System);
        var isSilenceMeant = faults.All(fault => fault.IsNegativeControl);
        for (var round = 0; isSilenceMeant ? round < 3 : round < MostRounds && faults.Any(fault => watch.Of(fault.Operation).First is null); round++)
        {
            using var driver = new TrafficDriver(
                [service.Http.BaseAddress!], population, tokens, new() { Seed = round, Concurrency = 16, Requests = Round }, TimeProvider.System);
            await driver.RunAsync(Cancellation);
            Assert.Empty(driver.Tally.Unexpected);
            await Until.HoldsAsync(async () => (await service.StatusAsync()).Operations.All(operation => operation is { Queued: 0, InFlight: 0 }));
        }

        var groups = watch.Journal.Read();
        // Where an update is refused the candidate asks once more than the control: it is told, and no mismatch.
        Assert.Empty(groups.Where(group => faults.All(fault => fault.Operation != group.Operation) && group is not { Operation: "tickets.update", Outcome: "match" }).Select(group => (group.Operation, group.Diagnosis.Evidence)));
        return [.. faults.Select(fault => new Detection(
            fault, watch.Of(fault.Operation).First, watch.Of(fault.Operation).All, [.. groups.Where(group => group.Operation == fault.Operation)]))];
    }

    private static void Plant(IServiceCollection services, IReadOnlyList<CatalogueFault> faults)
    {
        var list = faults.SingleOrDefault(fault => fault.List is not null)?.List ?? new();
        var get = faults.SingleOrDefault(fault => fault.Get is not null)?.Get ?? new();
        var stats = faults.SingleOrDefault(fault => fault.Stats is not null)?.Stats ?? new();
        services.AddSingleton<CandidateStore>(provider =>
        {
            var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
            return session => new MutatedStore(new EfTicketStore(contexts, session), contexts, session, list, get, stats);
        });
    }

    /// <summary>Counts comparisons by the service's own metrics, and looks into the journal after each.</summary>
    private sealed class Watch : IDisposable
    {
        private readonly Dictionary<string, (long All, long? First)> _operations = [];
        private readonly Lock _lock = new();
        private readonly MeterListener _listener;

        public Watch(IServiceProvider services)
        {
            Journal = services.GetRequiredService<MismatchJournal>();
            var meter = services.GetRequiredService<OperationMetrics>().Meter;
            _listener = new()
            {
                InstrumentPublished = (instrument, listener) =>
                {
                    if (instrument.Meter == meter && instrument.Name == "shadow.comparisons") listener.EnableMeasurementEvents(instrument);
                },
            };
            _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
            {
                foreach (var tag in tags)
                    if (count > 0 && tag is { Key: "shadow.operation", Value: string operation }) Compared(operation);
            });
            _listener.Start();
        }

        public MismatchJournal Journal { get; }

        public (long All, long? First) Of(string operation)
        {
            lock (_lock) return _operations.GetValueOrDefault(operation);
        }

        public void Dispose() => _listener.Dispose();

        private void Compared(string operation)
        {
            lock (_lock)
            {
                var (all, first) = _operations.GetValueOrDefault(operation);
                all++;
                if (first is null && Journal.Read().Any(group => group.Operation == operation)) first = all;
                _operations[operation] = (all, first);
            }
        }
    }
}
