using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.Evidence;

/// <summary>An operation's merged evidence and what the gate says of it.</summary>
/// <param name="Servable">The shapes that this build may serve.</param>
/// <param name="Generation">Of the rollout's state that it was judged at.</param>
public sealed record JudgedOperation(OperationEvidence Evidence, GateDecision Decision, IReadOnlySet<string> Servable, long Generation);

/// <summary>What the gate says, as of the last reading of the store. Immutable.</summary>
/// <param name="At">When it was read; null while nothing has been.</param>
/// <param name="Fingerprint">What the evidence was counted for.</param>
/// <param name="Policy">By which it was judged.</param>
public sealed record GateReading(DateTimeOffset? At, string Fingerprint, GatePolicy Policy, IReadOnlyList<JudgedOperation> Operations)
{
    /// <summary>Before the first reading.</summary>
    public static GateReading None { get; } = new(null, "", GatePolicy.Default, []);

    /// <summary>One operation's; null where it is unknown, or nothing has been read.</summary>
    public JudgedOperation? JudgedOf(string operation) => Operations.FirstOrDefault(judged => judged.Evidence.Operation == operation);

    /// <summary>Judges a reading.</summary>
    /// <param name="stateOf">Where an operation stands.</param>
    /// <param name="familyOf">See <see cref="Experiment.ShapeFamily"/>, by operation.</param>
    public static GateReading Judge(
        DateTimeOffset at, string fingerprint, GatePolicy policy, IEnumerable<OperationEvidence> evidence,
        Func<string, RolloutState> stateOf,
        Func<string, Func<string, string?>> familyOf)
    {
        return new(at, fingerprint, policy, [.. evidence.Select(operation => JudgeOne(operation, stateOf(operation.Operation)))]);

        JudgedOperation JudgeOne(OperationEvidence read, RolloutState state)
        {
            var isNominated = state.Nominated == fingerprint;
            var operation = read with
            {
                Nominated = isNominated,
                Attempt = isNominated || state.Nominated is null ? state.Attempt : state.Attempt + 1,
                InStage = state.InStage,
                IsHeld = state.IsHeld,
            };
            return new(
                operation, Gate.Decide(operation, policy, state.Stage),
                Gate.ServableShapes(operation, policy, familyOf(operation.Operation)),
                state.Generation);
        }
    }
}

/// <summary>The latest reading; one volatile read for whoever asks.</summary>
public sealed class GateBoard
{
    private readonly Lock _change = new();
    private readonly KeeperRegister _keepers;
    private volatile GateReading _read = GateReading.None;
    private volatile GateReading _latest = GateReading.None;

    /// <summary>Creates it, and publishes its figures as metrics.</summary>
    public GateBoard(EvidenceMetrics metrics, KeeperRegister keepers)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(keepers);
        _keepers = keepers;
        keepers.HoldingChanged += (_, _) => Publish();
        metrics.ObserveEvidence(() => _latest.Operations);
    }

    /// <summary>The latest reading; while a keeper holds the gate, nothing in it advances.</summary>
    public GateReading Latest
    {
        get => _latest;
        set
        {
            _read = value;
            Publish();
        }
    }

    /// <summary>The latest reading as it was judged, whatever holds the gate. Only a new reading changes it.</summary>
    public GateReading Read => _read;

    private void Publish()
    {
        // Whoever comes later sees no less: neither an older reading nor an older hold is published over a newer one.
        lock (_change)
        {
            var (read, holds) = (_read, _keepers.Holding.Select(keeper => $"the keeper '{keeper}' is down").ToArray());
            _latest = holds.Length == 0 ? read : read with
            {
                Operations = [.. read.Operations.Select(judged => judged with { Decision = judged.Decision.HeldBy(holds) })],
            };
        }
    }
}
