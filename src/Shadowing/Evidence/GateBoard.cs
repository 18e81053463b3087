using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.Evidence;

/// <summary>An operation's merged evidence and the gate's decision on it.</summary>
/// <param name="Servable">The shapes that this build may serve.</param>
/// <param name="Generation">The generation of the rollout's state at which it was judged.</param>
public sealed record JudgedOperation(OperationEvidence Evidence, GateDecision Decision, IReadOnlySet<string> Servable, long Generation);

/// <summary>The gate's decisions as of the last reading of the store. Immutable.</summary>
/// <param name="At">When the store was read; null before the first reading.</param>
/// <param name="Fingerprint">The fingerprint that the evidence was counted for.</param>
/// <param name="Policy">The policy of the decisions.</param>
public sealed record GateReading(DateTimeOffset? At, string Fingerprint, GatePolicy Policy, IReadOnlyList<JudgedOperation> Operations)
{
    /// <summary>The value before the first reading.</summary>
    public static GateReading None { get; } = new(null, "", GatePolicy.Default, []);

    /// <summary>One operation's decision; null where it is unknown, or nothing has been read.</summary>
    public JudgedOperation? JudgedOf(string operation) => Operations.FirstOrDefault(judged => judged.Evidence.Operation == operation);

    /// <summary>Judges a reading.</summary>
    /// <param name="stateOf">The rollout's state of an operation.</param>
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
                // Whatever the store says of this build's number, it is not below what the rollout knows.
                Attempt = Math.Max(read.Attempt, isNominated ? state.Attempt : 1),
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

/// <summary>The latest reading; to get it is one volatile read.</summary>
/// <remarks>While the keeper that reads the evidence is down, the reading is an old one: then it counts as none.</remarks>
public sealed class GateBoard
{
    private const string Reader = "evidence";
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

    /// <summary>The latest reading as it was judged, even while a keeper holds the gate. Only a new reading changes it.</summary>
    public GateReading Read => _read;

    private void Publish()
    {
        // Under the lock, so that neither an older reading nor an older hold is published over a newer one.
        lock (_change)
        {
            var (read, down) = (_read, _keepers.Holding);
            string[] holds = [.. down.Select(keeper => $"the keeper '{keeper}' is down")];
            _latest = holds.Length == 0 ? read : read with
            {
                Operations = [.. read.Operations.Select(judged => judged with { Decision = Held(judged.Decision) })],
            };

            GateDecision Held(GateDecision decision) => down.Contains(Reader) ? decision.Unreadable(holds, read.At) : decision.HeldBy(
                holds);
        }
    }
}
