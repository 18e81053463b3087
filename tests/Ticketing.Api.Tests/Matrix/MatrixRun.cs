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

/// <summary>
/// A service whose candidate makes up to three mistakes, one an operation, and then the next, under the ordinary mixed traffic with its
/// writers.
/// </summary>
internal sealed class MatrixRun : IAsyncDisposable
{
    private const int MostRounds = 20;
    private const int Round = 200;

    // Nothing is shed, so that comparisons are counted in requests.
    private static readonly (string, string)[] Settings =
    [
        ("Shadowing:SamplePercent", "100"), ("Shadowing:ConfirmationsPerSecond", "10000"), ("Shadowing:YieldAfter", "00:00:10"),
        ("Shadowing:QueueCapacity", "65536"), ("Shadowing:DatabaseTimeBudget", "16"), ("Shadowing:MaxSignatures", "2000"),
        ("Shadowing:Breaker:MinimumThroughput", "10000"),
    ];

    // Every fault meets the same tables: what writers left behind would hide one fault, or show another elsewhere.
    private const string Keep =
        """
        create schema pristine;
        create table pristine.support_tickets as table support_tickets;
        create table pristine.ticket_comments as table ticket_comments
        """;

    private const string Restore =
        """
        truncate support_tickets, ticket_comments restart identity;
        insert into support_tickets table pristine.support_tickets;
        insert into ticket_comments table pristine.ticket_comments;
        select setval(pg_get_serial_sequence(name, 'id'), highest)
        from (select 'support_tickets' as name, max(id) as highest from support_tickets
            union all select 'ticket_comments', max(id) from ticket_comments) as keys;
        analyze support_tickets, ticket_comments
        """;

    private readonly AccessTokens _tokens = new(Http.AccessTokens.SigningKey, TimeProvider.System);
    private IReadOnlyList<CatalogueFault> _planted = [];
    private ShadowedService _service = null!;
    private Population _population = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts one on a copy of the seeded database.</summary>
    /// <param name="prepare">What is done to the copy.</param>
    public static async Task<MatrixRun> StartAsync(PostgresFixture postgres, string name, string? prepare = null)
    {
        var database = await postgres.CloneAsync(name, Cancellation);
        var run = new MatrixRun { _population = await Population.ReadAsync(database.Owner, Cancellation) };
        run._service = await ShadowedService.StartAsync(database, run.Plant, settings: Settings);
        if (prepare is not null) await run._service.AsOwnerAsync(prepare);
        await run._service.AsOwnerAsync(Keep);
        return run;
    }

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    /// <summary>Drives round after round until every fault has been seen, or there were enough.</summary>
    public async Task<IReadOnlyList<Detection>> DetectAsync(IReadOnlyList<CatalogueFault> faults)
    {
        _planted = [];
        await _service.AsOwnerAsync(Restore);
        _planted = faults;
        using var watch = new Watch(_service.Services);
        var isSilenceMeant = faults.All(fault => fault.IsNegativeControl);
        for (var round = 0; isSilenceMeant ? round < 3 : round < MostRounds && faults.Any(fault => watch.Of(fault.Operation).First is null); round++)
        {
            using var driver = new TrafficDriver(
                [_service.Http.BaseAddress!], _population, _tokens, new() { Seed = round, Concurrency = 16, Requests = Round }, TimeProvider.System);
            await driver.RunAsync(Cancellation);
            Assert.Empty(driver.Tally.Unexpected);
            await Until.HoldsAsync(async () => (await _service.StatusAsync()).Operations.All(operation => operation is { Queued: 0, InFlight: 0 }));
        }

        var groups = watch.Groups;
        // Where an update is refused the candidate asks once more than the control: it is told, and no mismatch.
        Assert.Empty(groups.Where(group => faults.All(fault => fault.Operation != group.Operation) && group is not { Operation: "tickets.update", Outcome: "match" }).Select(group => (group.Operation, group.Diagnosis.Evidence)));
        return [.. faults.Select(fault => new Detection(
            fault, watch.Of(fault.Operation).First, watch.Of(fault.Operation).All, [.. groups.Where(group => group.Operation == fault.Operation)]))];
    }

    private void Plant(IServiceCollection services) => services.AddSingleton<CandidateStore>(provider =>
    {
        var contexts = provider.GetRequiredService<IDbContextFactory<TicketingContext>>();
        return session =>
        {
            var faults = _planted;
            var list = faults.SingleOrDefault(fault => fault.List is not null)?.List ?? new();
            var get = faults.SingleOrDefault(fault => fault.Get is not null)?.Get ?? new();
            var stats = faults.SingleOrDefault(fault => fault.Stats is not null)?.Stats ?? new();
            return new MutatedStore(new EfTicketStore(contexts, session), contexts, session, list, get, stats);
        };
    });

    /// <summary>Counts comparisons by the service's own metrics, and looks into the journal after each.</summary>
    private sealed class Watch : IDisposable
    {
        private readonly Dictionary<string, (long All, long? First)> _operations = [];
        private readonly Lock _lock = new();
        private readonly MismatchJournal _journal;
        private readonly Dictionary<string, MismatchGroup> _before;
        private readonly MeterListener _listener;

        public Watch(IServiceProvider services)
        {
            _journal = services.GetRequiredService<MismatchJournal>();
            _before = _journal.Read().ToDictionary(group => group.Signature);
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

        /// <summary>What has come since the watch began.</summary>
        public IReadOnlyList<MismatchGroup> Groups => [.. _journal.Read().Since(_before)];

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
                if (first is null && Groups.Any(group => group.Operation == operation)) first = all;
                _operations[operation] = (all, first);
            }
        }
    }
}
