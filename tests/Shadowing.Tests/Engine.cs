using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Serving;
using Shadowing.Supervision;

namespace Shadowing.Tests;

/// <summary>A store that answers a question with whatever a test says.</summary>
internal sealed record Oracle(Func<Question, CancellationToken, Task<Answer>> AskAsync);

internal sealed record Question(string Text = "?");

internal sealed record Answer(string? Text, int Number = 0, IReadOnlyList<Line>? Lines = null);

internal sealed record Line(int Id, string? Text, int Rank = 0);

/// <summary>The engine over two oracles, on the real clock: a test waits for what it wants to see.</summary>
internal sealed class Engine : IAsyncDisposable
{
    public static readonly Experiment<Oracle, Question, Answer> Ask = Named("oracle.ask");

    private readonly ServiceProvider _services;
    private readonly IHostedService[] _hosted;

    public Engine(Dictionary<string, string?>? settings = null, TimeProvider? clock = null, params Experiment[] experiments)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddFakeLogging());
        if (clock is not null) services.AddSingleton(clock);
        // A busy machine may take longer than users would be kept waiting.
        Dictionary<string, string?> all = new(settings ?? []);
        all.TryAdd("CandidateDeadline", "00:00:10");
        // Drawn by chance: a test that wants pairs, or runs beside each other, asks for them.
        all.TryAdd("LatencyPairPercent", "0");
        all.TryAdd("OverlapPercent", "0");
        services.AddShadowing<Oracle>(
            new ConfigurationBuilder().AddInMemoryCollection(all).Build(), experiments.Length == 0 ? [Ask] : experiments);
        services.AddSingleton<OpenStore<Oracle>>((place, token) => OpenAsync(place.Side, place.Position, token));
        services.AddSingleton<OpenSnapshot<Oracle>>(token => OpenSnapshotAsync(token));
        services.AddSingleton<CategorizeError>(error => new(error.GetType().Name, error is DatabaseGoneException)
        {
            OnlyHere = error is RefusedHereException ? "Run: GRANT SELECT" : null,
        });
        _services = services.BuildServiceProvider();
        Runner = _services.GetRequiredService<ExperimentRunner<Oracle>>();
        Report = _services.GetRequiredService<ShadowingReport>();
        Switch = _services.GetRequiredService<ShadowSwitch>();
        Horizon = _services.GetRequiredService<SnapshotHorizon>();
        Horizon.Set("a moment");
        _hosted = [.. _services.GetServices<IHostedService>()];
        Switch.Hold(ShadowSwitch.WarmingUp, off: false);
        Clock = clock ?? TimeProvider.System;
        Lease = _services.GetRequiredService<RolloutLease>();
        Rollout = _services.GetRequiredService<ShadowingControl>();
        Confirm([.. _services.GetServices<Experiment>().Select(experiment => new RolloutState(experiment.Operation, 0, Stage.Shadow))]);
    }

    public TimeProvider Clock { get; }

    public RolloutLease Lease { get; }

    public ShadowingControl Rollout { get; }

    /// <summary>The store has answered.</summary>
    public void Confirm(params RolloutState[] states)
    {
        Lease.Confirm(Clock.GetTimestamp(), states, new Dictionary<string, string>());
        Rollout.Refresh();
    }

    public Func<Question, CancellationToken, Task<Answer>> Control { get; set; } = Saying("yes");

    public Func<Question, CancellationToken, Task<Answer>> Candidate { get; set; } = Saying("yes");

    /// <summary>What the candidate says to users; what it says elsewhere unless set.</summary>
    public Func<Question, CancellationToken, Task<Answer>>? CandidateServed { get; set; }

    /// <summary>What the sides say on a snapshot; what they say live unless set.</summary>
    public Func<Question, CancellationToken, Task<Answer>>? ControlOnSnapshot { get; set; }

    public Func<Question, CancellationToken, Task<Answer>>? CandidateOnSnapshot { get; set; }

    /// <summary>What the control says on a snapshot to the served position; what it says there to the shadow unless set.</summary>
    public Func<Question, CancellationToken, Task<Answer>>? ControlAsServed { get; set; }

    /// <summary>Why the served position cannot look at a snapshot.</summary>
    public Exception? ServedViewIsDown { get; set; }

    /// <summary>Whether the candidate fails before it is asked anything, in the code that builds its store.</summary>
    public bool CandidateCannotBeBuilt { get; set; }

    public bool Moved { get; set; }

    /// <summary>Keys of rows that stay though others move.</summary>
    public IReadOnlyList<string> UnmovedKeys { get; set; } = [];

    /// <summary>The rows that bear witness of it where no key was asked for.</summary>
    public IReadOnlyList<string> MovedRows { get; set; } = ["lines 1"];

    public Exception? ShadowIsDown { get; set; }

    /// <summary>What opening the served position waits for, or fails with.</summary>
    public Func<CancellationToken, Task>? OpeningServed { get; set; }

    public Exception? SnapshotIsDown { get; set; }

    public ConcurrentQueue<string> Opened { get; } = [];

    public int SnapshotsClosed => _snapshotsClosed;

    private int _snapshotsClosed;

    private bool _isStarted;

    public ExperimentRunner<Oracle> Runner { get; }

    public ShadowingReport Report { get; }

    public ShadowSwitch Switch { get; }

    public SnapshotHorizon Horizon { get; }

    public IServiceProvider Services => _services;

    public FakeLogCollector Logs => _services.GetFakeLogCollector();

    public OperationStatus Status => Report.Operations()[0];

    public static Experiment<Oracle, Question, Answer> Named(string operation, bool writes = false) =>
        new(operation, static (oracle, question, token) => oracle.AskAsync(question, token)) { Writes = writes, Touches = static (_, _) => ["1"] };

    public static Func<Question, CancellationToken, Task<Answer>> Saying(string text) => (_, _) => Task.FromResult(new Answer(text));

    public static Func<Question, CancellationToken, Task<Answer>> Failing(Exception error) => (_, _) => throw error;

    public async Task<Engine> StartAsync()
    {
        _isStarted = true;
        foreach (var hosted in _hosted) await hosted.StartAsync(TestContext.Current.CancellationToken);
        return this;
    }

    public async Task StopAsync()
    {
        _isStarted = false;
        foreach (var hosted in _hosted.Reverse()) await hosted.StopAsync(TestContext.Current.CancellationToken);
    }

    public Task<Answer> AskAsync(string text = "?") => Runner.RunAsync(Ask, new Question(text), TestContext.Current.CancellationToken);

    /// <summary>Asks, then waits until the shadow has had its turn too.</summary>
    public async Task<OperationStatus> CompareAsync()
    {
        await AskAsync();
        return await SettledAsync();
    }

    public async Task<OperationStatus> SettledAsync()
    {
        await Eventually.HoldsAsync(() => Status is { Queued: 0, InFlight: 0 });
        return Status;
    }

    public async ValueTask DisposeAsync()
    {
        if (_isStarted) await StopAsync();
        await _services.DisposeAsync();
    }

    private async ValueTask<StoreLease<Oracle>> OpenAsync(Side side, Position position, CancellationToken token)
    {
        Opened.Enqueue($"{side} {position}");
        if (position == Position.Shadow && ShadowIsDown is { } down) throw down;
        if (position == Position.Served && OpeningServed is { } opening) await opening(token);
        return new(() => Built(side) ?? throw new InvalidOperationException("The store cannot be built."), new Nothing());

        Oracle? Built(Side side) => side == Side.Candidate && CandidateCannotBeBuilt ? null : new((question, cancel) =>
            (side == Side.Control ? Control : position == Position.Served ? CandidateServed ?? Candidate : Candidate)(question, cancel));
    }

    private ValueTask<ISnapshot<Oracle>> OpenSnapshotAsync(CancellationToken token) =>
        SnapshotIsDown is { } down ? throw down : new(new Snapshot(this));

    private sealed class Snapshot(Engine engine) : ISnapshot<Oracle>
    {
        public ValueTask<Func<Oracle>> StoreAsync(Side side, CancellationToken cancellationToken) => new(() => new Oracle((question, token) =>
            (side == Side.Control ? engine.ControlOnSnapshot ?? engine.Control : engine.CandidateOnSnapshot ?? engine.Candidate)(question, token)));

        public ValueTask<StoreLease<Oracle>> AsServedAsync(CancellationToken cancellationToken) => engine.ServedViewIsDown is { } down ? throw down
            : new(new StoreLease<Oracle>(
                () => new((question, token) => (engine.ControlAsServed ?? engine.ControlOnSnapshot ?? engine.Control)(question, token)), new Nothing()));

        public ValueTask<RowsMoved> MovedSinceAsync(string horizon, IReadOnlyCollection<string>? keys, CancellationToken cancellationToken) =>
            new(new RowsMoved(engine.Moved, engine.Moved ? [.. (keys ?? []).Except(engine.UnmovedKeys)] : [], engine.Moved && keys is null ? engine.MovedRows : []));

        public ValueTask DisposeAsync()
        {
            Interlocked.Increment(ref engine._snapshotsClosed);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Nothing : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

internal sealed class DatabaseGoneException : Exception;

/// <summary>A refusal that comes from the shadow position and not from the code.</summary>
internal sealed class RefusedHereException : Exception;

/// <summary>Waits for something to be seen.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (!condition()) Assert.True(await look.WaitForNextTickAsync(limit.Token));
    }
}
