using System.Collections.Concurrent;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.SelfTesting;
using Shadowing.Settings;

namespace Shadowing.Serving;

/// <summary>What the engine keeps of one operation.</summary>
internal sealed class OperationState(Experiment experiment, ShadowBreaker breaker, EvidenceLedger evidence, TimeProvider clock)
{
    private readonly ConcurrentDictionary<long, WriteInFlight> _writes = [];
    private readonly Lock _warming = new();
    private Task? _warm;
    private OverlapRun? _overlap;
    private int _serving;
    private long _lastStart = long.MinValue;

    public Experiment Experiment => experiment;

    public OperationTally Tally { get; } = new(clock);

    /// <summary>Which requests are timed for histograms.</summary>
    public TimedShare Timed { get; } = new(clock);

    public ShadowBreaker Breaker => breaker;

    /// <summary>Of the fingerprint at present.</summary>
    public OperationLedger Evidence => evidence.OperationOf(experiment.Operation);

    public Transients Transients { get; } = new();

    /// <summary>Of the candidate where it serves, on this replica.</summary>
    public ServedFailures Failures { get; } = new();

    /// <summary>Requests that the candidate is answering at this moment.</summary>
    public int Serving => Volatile.Read(ref _serving);

    public SelfTestTally SelfTest { get; } = new();

    /// <summary>Whether the operation has waited long enough to run even while served traffic does.</summary>
    public bool IsFloorDue(TimeSpan interval) =>
        Volatile.Read(ref _lastStart) is var last && (last == long.MinValue || clock.GetElapsedTime(last) >= interval);

    /// <summary>The candidate's writes that have begun and not ended: what a rollback waits to see drained.</summary>
    public IReadOnlyCollection<WriteInFlight> WritesInFlight => [.. _writes.Values.OrderBy(write => write.Since)];

    /// <summary>Runs the operation for the first time, once; who comes meanwhile waits for that run.</summary>
    public Task WarmUpAsync(Func<Task> run)
    {
        if (!experiment.WarmsUp) return Task.CompletedTask;
        lock (_warming) return _warm ??= run();
    }

    /// <summary>Keeps a compared read until the next one.</summary>
    /// <returns>The one before it; null where there was none, or another worker has it.</returns>
    public OverlapRun? Overlap(OverlapRun run) => Interlocked.Exchange(ref _overlap, run);

    public void EnterWrite(WriteInFlight write)
    {
        EnterServed();
        _writes[write.Number] = write;
    }

    public void LeaveWrite(long number)
    {
        _writes.TryRemove(number, out _);
        LeaveServed();
    }

    public void EnterServed() => Interlocked.Increment(ref _serving);

    public void LeaveServed() => Interlocked.Decrement(ref _serving);

    public void Started() => Volatile.Write(ref _lastStart, clock.GetTimestamp());
}

/// <summary>A write of the candidate's that has begun and not ended.</summary>
/// <param name="Number">Its number in this replica's served log.</param>
/// <param name="Subject">The key of the row that it changes; null where it creates one.</param>
public sealed record WriteInFlight(long Number, DateTimeOffset Since, string Shape, long? Subject);

/// <summary>The windows of failures, for many threads.</summary>
internal sealed class ServedFailures
{
    private readonly Lock _change = new();
    private readonly RollbackWindows _windows = new();

    /// <param name="policy">The one in force: which failures are too many.</param>
    /// <param name="allowance">The rate at which the control alone fails, at most.</param>
    /// <returns>The window in which there are too many, or null.</returns>
    public RollbackTrip? Add(DateTimeOffset at, bool failed, GatePolicy policy, double allowance)
    {
        lock (_change)
        {
            _windows.Add(at, failed ? 1 : 0, 1);
            return failed ? _windows.Trip(at, new(policy.FailureRate, policy.FailureOdds, allowance)) : null;
        }
    }
}

/// <summary>All operations, by name.</summary>
internal sealed class OperationStates
{
    private readonly Dictionary<string, OperationState> _states;

    public OperationStates(IEnumerable<Experiment> experiments, SettingsInForce settings, EvidenceLedger evidence, TimeProvider clock) =>
        _states = experiments.ToDictionary(
            experiment => experiment.Operation,
            experiment => new OperationState(experiment, new(experiment, settings.Current, clock), evidence, clock));

    public IReadOnlyCollection<OperationState> All => _states.Values;

    /// <returns>Null where the experiment is not registered.</returns>
    public OperationState? StateOf(Experiment experiment) => _states.GetValueOrDefault(experiment.Operation);
}
