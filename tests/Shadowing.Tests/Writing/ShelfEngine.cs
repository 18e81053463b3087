using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;
using Shadowing.Sweeping;
using Shadowing.Writing;

namespace Shadowing.Tests.Writing;

/// <summary>To put a text on a shelf.</summary>
internal sealed record Put(long Key, string Text);

internal sealed record PutAnswer(long Key, DateTime At);

/// <summary>A side's view of the rows, in a transaction: one side's write.</summary>
internal sealed class Shelf(Func<Shelf, Put, CancellationToken, Task<PutAnswer>> put, Dictionary<RowKey, string> rows, DateTime now)
{
    public DateTime Now => now;

    public string Clock => Text(now);

    public Dictionary<RowKey, string> Rows => rows;

    public static RowKey Row(long key) => new("shelf", key);

    public static string Text(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFF", CultureInfo.InvariantCulture);

    public Task<PutAnswer> PutAsync(Put request, CancellationToken cancellationToken) => put(this, request, cancellationToken);

    public PutAnswer Store(long key, string text, string? clock = null)
    {
        rows[Row(key)] = $$"""{"id": {{key}}, "at": "{{clock ?? Clock}}", "text": "{{text}}"}""";
        return new(key, now);
    }
}

/// <summary>The engine over two sides that write to rows in memory, with a sandbox of copies.</summary>
internal sealed class ShelfEngine : IWriteStage<Shelf>, IAsyncDisposable
{
    public const string Fingerprint = "aaaaaaaaaaaa";

    public static readonly Experiment<Shelf, Put, PutAnswer> Put =
        new("shelf.put", static (shelf, put, token) => shelf.PutAsync(put, token)) { Writes = true, CreatedOf = static answer => answer.Key };

    private readonly ServiceProvider _services;
    private readonly IHostedService[] _hosted;
    private int _moment;

    public ShelfEngine(params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all = new()
        {
            ["TricklePercent"] = "100",
            ["ServingFloorPercent"] = "100",
            ["CandidateDeadline"] = "00:00:10",
            // A busy machine may keep a run waiting, or a run may take long there.
            ["YieldAfter"] = "00:00:10",
            ["DatabaseTimeBudget"] = "16",
        };
        foreach (var (name, value) in settings) all[name] = value;
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddShadowing<Shelf>(new ConfigurationBuilder().AddInMemoryCollection(all).Build(), Put);
        services.AddSingleton<IWriteStage<Shelf>>(this);
        services.AddSingleton<OpenStore<Shelf>>((StorePlace place, CancellationToken _) =>
            new(new StoreLease<Shelf>(() => new(Of(place.Side), Rows, Next()), new Nothing())));
        OpenSnapshot<Shelf> none = _ => throw new InvalidOperationException("A write needs no snapshot.");
        services.AddSingleton(none);
        services.AddSingleton<CategorizeError>(error => new(error.GetType().Name, error is DatabaseGoneException));
        _services = services.BuildServiceProvider();
        Runner = _services.GetRequiredService<ExperimentRunner<Shelf>>();
        Switch.Hold(ShadowSwitch.WarmingUp, off: false);
        _services.GetRequiredService<SnapshotHorizon>().Set("a moment");
        Confirm(new(Put.Operation, 0, Stage.Shadow));
        _hosted = [.. _services.GetServices<IHostedService>()];
    }

    public Func<Shelf, Put, CancellationToken, Task<PutAnswer>> Control { get; set; } = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, put.Text));

    public Func<Shelf, Put, CancellationToken, Task<PutAnswer>> Candidate { get; set; } = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, put.Text));

    /// <summary>The real ones.</summary>
    public Dictionary<RowKey, string> Rows { get; } = new() { [Shelf.Row(1)] = """{"id": 1, "at": "2020-01-01T00:00:00", "text": "old"}""" };

    public ExperimentRunner<Shelf> Runner { get; }

    public ShadowSwitch Switch => _services.GetRequiredService<ShadowSwitch>();

    public ServedJournal Served => _services.GetRequiredService<ServedJournal>();

    public MismatchJournal Mismatches => _services.GetRequiredService<MismatchJournal>();

    public EvidenceLedger Evidence => _services.GetRequiredService<EvidenceLedger>();

    public Sweeper<Shelf> Sweeper => _services.GetRequiredService<Sweeper<Shelf>>();

    public ShadowingReport Report => _services.GetRequiredService<ShadowingReport>();

    public OperationStatus Status => Report.Operations()[0];

    public ConcurrentQueue<string> Happened { get; } = [];

    public Exception? CommitFails { get; set; }

    /// <summary>Whether what fails to commit is certainly undone.</summary>
    public bool FailedCommitIsUndone { get; set; }

    /// <summary>Whether a write ends its transaction itself: what it wrote may be stored.</summary>
    public bool IsEndedBySide { get; set; }

    public Exception? AbandonFails { get; set; }

    /// <summary>Somebody else has the rows, and does not let go of them.</summary>
    public bool RowsAreHeld { get; set; }

    /// <summary>Nobody else changes the rows from when they are looked at.</summary>
    public bool RowsAreLocked { get; set; }

    /// <summary>What happens while a write waits for its rows.</summary>
    public Action WhileItWaits { get; set; } = static () => { };

    /// <summary>What reading the rows after a write waits for.</summary>
    public Task Reading { get; set; } = Task.CompletedTask;

    public Exception? SandboxFails { get; set; }

    public bool ImagesFail { get; set; }

    /// <summary>What keeps a write that nobody asked for from its rows; null where nothing does.</summary>
    public Func<Put, Exception?> ImageFails { get; set; } = static _ => null;

    public bool ImagesAreTooLarge { get; set; }

    public async Task<ShelfEngine> StartAsync()
    {
        foreach (var hosted in _hosted) await hosted.StartAsync(TestContext.Current.CancellationToken);
        return this;
    }

    /// <summary>The candidate writes for users from now on.</summary>
    public async Task<ShelfEngine> StartServingAsync()
    {
        await StartAsync();
        Evidence.Begin(Fingerprint);
        var evidence = new OperationEvidence { Operation = Put.Operation, Candidate = Fingerprint };
        var decision = Gate.Decide(evidence, GatePolicy.Default, Stage.Full);
        _services.GetRequiredService<GateBoard>().Latest = new(
            DateTimeOffset.UnixEpoch, Fingerprint, GatePolicy.Default, [new(evidence, decision, FrozenSet.Create("any"), 1)]);
        Confirm(new(Put.Operation, 1, Stage.Full, Fingerprint));
        Assert.True(_services.GetRequiredService<ShadowingControl>().Routes[Put.Operation].ServePercent > 0);
        return this;
    }

    /// <summary>It writes for nobody from now on.</summary>
    public void StopServing() => Confirm(new(Put.Operation, 2, Stage.Shadow, Fingerprint));

    public Task<PutAnswer> PutAsync(string text = "new", long key = 1, CancellationToken? cancellation = null) =>
        Runner.RunAsync(Put, new Put(key, text), cancellation ?? TestContext.Current.CancellationToken);

    public async Task<OperationStatus> SettledAsync()
    {
        await Eventually.HoldsAsync(() => Status is { Queued: 0, InFlight: 0 });
        var status = Status;
        Assert.Equal(status.Requests, status.Comparisons.Values.Sum() + status.Skips.Values.Sum());
        return status;
    }

    public bool ServesCandidate => true;

    public bool CanUndo => true;

    public ValueTask<IServedWrite<Shelf>> ServeAsync(WriteCall call, CancellationToken cancellationToken)
    {
        var (side, _, withImages, _) = call;
        if (RowsAreHeld && side is Side.Candidate) throw new RowsHeldException(new TimeoutException());
        WhileItWaits();
        Happened.Enqueue($"{side} served");
        return new(new Real(this, Open(side, new(Rows)), withImages));
    }

    public Task<RowImage> ImageAsync(object request, CancellationToken cancellationToken) =>
        ImageFails((Put)request) is { } failure ? Task.FromException<RowImage>(failure)
            : Task.FromResult(ImagesAreTooLarge ? RowImage.Empty with { IsTooLarge = true } : new(Rows.ToDictionary()));

    public ValueTask<IWriteScope<Shelf>> OpenSandboxAsync(Side side, WrittenRows written, CancellationToken cancellationToken)
    {
        var before = written.Before;
        if (SandboxFails is { } failure) throw failure;
        Happened.Enqueue($"{side} in the sandbox");
        return new(new Scope(Open(side, before), before));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var hosted in _hosted.Reverse()) await hosted.StopAsync(TestContext.Current.CancellationToken);
        await _services.DisposeAsync();
    }

    private Func<Shelf, Put, CancellationToken, Task<PutAnswer>> Of(Side side) => side is Side.Control ? Control : Candidate;

    private Shelf Open(Side side, RowImage rows) => new(Of(side), rows.Rows.ToDictionary(), Next());

    private DateTime Next() => new DateTime(2026, 1, 1).AddMicroseconds(123_456 + Interlocked.Increment(ref _moment));

    private void Confirm(RolloutState state)
    {
        _services.GetRequiredService<RolloutLease>().Confirm(TimeProvider.System.GetTimestamp(), [state], new Dictionary<string, string>());
        _services.GetRequiredService<ShadowingControl>().Refresh();
    }

    private static WrittenRows Written(Shelf shelf, RowImage before)
    {
        var changes = shelf.Rows.Where(row => before.Rows.GetValueOrDefault(row.Key) != row.Value).ToDictionary(row => row.Key, row => (string?)row.Value);
        foreach (var gone in before.Rows.Keys.Except(shelf.Rows.Keys)) changes[gone] = null;
        return new(shelf.Clock, before, changes);
    }

    private sealed class Scope(Shelf shelf, RowImage before) : IWriteScope<Shelf>
    {
        public Shelf Store => shelf;

        public bool KeepsWhatFailed => false;

        public Task<WrittenRows> ReadAsync(StatementLedger ledger, CancellationToken cancellationToken) =>
            Task.FromResult(Written(shelf, before));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Real(ShelfEngine engine, Shelf shelf, bool withImages) : IServedWrite<Shelf>
    {
        public Shelf Store => shelf;

        public RowImage? Before { get; } = !withImages || engine.ImagesFail ? null
            : engine.ImagesAreTooLarge ? RowImage.Empty with { IsTooLarge = true }
            : new(engine.Rows.ToDictionary()) { Locked = engine.RowsAreLocked ? engine.Rows.Keys.ToHashSet() : [] };

        public TimeSpan ImageTime => TimeSpan.Zero;

        public bool IsUndone { get => field && !engine.IsEndedBySide; private set; } = true;

        public Task<WrittenRows?>? ReadLaterAsync(object? answer, StatementLedger ledger) => null;

        public async Task<WrittenRows?> CommitAsync(CancellationToken cancellationToken)
        {
            await engine.Reading;
            IsUndone = false;
            if (engine.CommitFails is { } failure)
            {
                IsUndone = engine.FailedCommitIsUndone;
                engine.CommitFails = null;
                throw failure;
            }

            engine.Happened.Enqueue("committed");
            engine.Rows.Clear();
            foreach (var (row, text) in Store.Rows) engine.Rows[row] = text;
            return Before is { IsTooLarge: false } before ? Written(shelf, before) : Before is { } large ? WrittenRows.Untouched(large) : null;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public Task AbandonAsync()
        {
            engine.Happened.Enqueue("abandoned");
            return engine.AbandonFails is { } failure ? Task.FromException(failure) : Task.CompletedTask;
        }
    }

    private sealed class Nothing : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
