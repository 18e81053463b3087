using Microsoft.Extensions.Options;
using ShadowTicketing.Shadowing.Evidence;
using ShadowTicketing.Shadowing.Journal;
using ShadowTicketing.Shadowing.SelfTesting;

namespace ShadowTicketing.Shadowing;

/// <summary>What the engine keeps of one operation.</summary>
internal sealed class OperationState(Experiment experiment, ShadowBreaker breaker, EvidenceLedger evidence)
{
    private long _lastStart = long.MinValue;

    public Experiment Experiment => experiment;

    public OperationTally Tally { get; } = new();

    public ShadowBreaker Breaker => breaker;

    /// <summary>Of the fingerprint at present.</summary>
    public OperationLedger Evidence => evidence.Of(experiment.Operation);

    public Transients Transients { get; } = new();

    public SelfTestTally SelfTest { get; } = new();

    /// <summary>Whether the operation has waited long enough to run even while served traffic does.</summary>
    public bool IsFloorDue(TimeProvider clock, TimeSpan interval) =>
        Volatile.Read(ref _lastStart) is var last && (last == long.MinValue || clock.GetElapsedTime(last) >= interval);

    public void Started(TimeProvider clock) => Volatile.Write(ref _lastStart, clock.GetTimestamp());
}

/// <summary>All operations, by name.</summary>
internal sealed class OperationStates
{
    private readonly Dictionary<string, OperationState> _states;

    public OperationStates(IEnumerable<Experiment> experiments, IOptions<ShadowingOptions> options, EvidenceLedger evidence, TimeProvider clock) =>
        _states = experiments.ToDictionary(
            experiment => experiment.Operation, experiment => new OperationState(experiment, new(experiment, options.Value, clock), evidence));

    public IReadOnlyCollection<OperationState> All => _states.Values;

    public OperationState Of(Experiment experiment) => _states[experiment.Operation];
}
