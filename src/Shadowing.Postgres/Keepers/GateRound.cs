using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Settings;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Lets the gate judge what all replicas know, and puts the reading on the board. The gate is pure, so an operation is judged again only
/// where something that it looks at has changed: a round costs what has changed and not all that there is.
/// </summary>
internal sealed class GateRound(
    EvidenceLedger ledger, GateBoard board, RolloutLease lease, ShadowingReport report, IEnumerable<Experiment> experiments,
    SettingsInForce settings, EvidenceMetrics metrics, TimeProvider clock)
{
    private readonly Dictionary<string, Experiment> _experiments = experiments.ToDictionary(experiment => experiment.Operation);
    private readonly Dictionary<string, Judgement> _judgements = [];

    /// <summary>The operations that are judged.</summary>
    public IReadOnlyList<string> Operations => [.. _experiments.Keys];

    /// <summary>Judges every operation, and tells the ledger what is proven and how much of it is to be compared from now on.</summary>
    public void Judge(MergedEvidence merged, GatePolicy policy)
    {
        var now = clock.GetUtcNow();
        List<JudgedOperation> judged = new(merged.Operations.Count);
        foreach (var evidence in merged.Operations)
        {
            var operation = evidence.Operation;
            var last = _judgements.GetValueOrDefault(operation);
            var state = lease.StateOf(operation) ?? new(operation, 0, Stage.Off);
            var facts = new Facts(evidence, policy, merged.Fingerprint, settings.Current, Lasting(state, policy));
            var next = last?.Facts == facts ? last.At(state) : Judge(facts, state, now);
            _judgements[operation] = next;
            ledger.MarkProven(operation, next.Proven, merged.UnprovenEpochs[operation]);
            ledger.Sample(operation, next.Shares);
            var (decision, before) = (next.Judged.Decision, last?.Judged.Decision);
            if (before?.Decision != decision.Decision || before.Reasons[0].Code != decision.Reasons[0].Code) metrics.Decided(decision);
            judged.Add(next.Judged);
        }

        board.Latest = new(now, merged.Fingerprint, policy, judged);
    }

    private Judgement Judge(Facts facts, RolloutState state, DateTimeOffset now)
    {
        var (evidence, policy) = (facts.Evidence, facts.Policy);
        var judged = GateReading.Judge(
            now, facts.Fingerprint, policy, [evidence], _ => state, operation => report.FamiliesOf(_experiments[operation])).Operations[0];
        return new(
            facts, judged, Gate.ProvenShapes(judged.Evidence, policy),
            CoveragePlan.SampleShares(judged.Evidence, policy, judged.Decision.Stage, facts.Settings));
    }

    /// <summary>The state without what does not matter to the gate; of the time in a stage that must be waited in, whole minutes.</summary>
    private static RolloutState Lasting(RolloutState state, GatePolicy policy) => state with
    {
        InStage = !state.Stage.Serves || state.InStage >= policy.StageDwell ? TimeSpan.MaxValue
            : TimeSpan.FromMinutes(Math.Floor(state.InStage.TotalMinutes)),
    };

    /// <summary>All that a judgement depends on.</summary>
    private sealed record Facts(
        OperationEvidence Evidence, GatePolicy Policy, string Fingerprint, ShadowingOptions Settings, RolloutState State);

    private sealed record Judgement(
        Facts Facts, JudgedOperation Judged, IReadOnlySet<string> Proven, IReadOnlyDictionary<string, double> Shares)
    {
        /// <summary>The same with the time in the stage as it is now.</summary>
        public Judgement At(RolloutState state) => Judged.Evidence.InStage == state.InStage ? this
            : this with { Judged = Judged with { Evidence = Judged.Evidence with { InStage = state.InStage } } };
    }
}
