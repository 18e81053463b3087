using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Settings;

namespace Shadowing.Postgres.Keepers;

/// <summary>Lets the gate judge what all replicas know, and puts the reading on the board.</summary>
internal sealed class GateRound(
    EvidenceLedger ledger, GateBoard board, RolloutLease lease, ShadowingReport report, IEnumerable<Experiment> experiments,
    SettingsInForce settings, EvidenceMetrics metrics, TimeProvider clock)
{
    private readonly Dictionary<string, Experiment> _experiments = experiments.ToDictionary(experiment => experiment.Operation);

    /// <summary>The operations that are judged.</summary>
    public IReadOnlyList<string> Operations => [.. _experiments.Keys];

    /// <summary>Judges every operation, and tells the ledger what is proven and how much of it is to be compared from now on.</summary>
    public void Judge(MergedEvidence merged, GatePolicy policy)
    {
        var before = board.Read;
        var reading = GateReading.Judge(
            clock.GetUtcNow(), merged.Fingerprint, policy, merged.Operations,
            operation => lease.StateOf(operation) ?? new(operation, 0, Stage.Off),
            operation => report.FamiliesOf(_experiments[operation]));
        foreach (var (evidence, decision, _, _) in reading.Operations)
        {
            ledger.MarkProven(evidence.Operation, Gate.ProvenShapes(evidence, policy), merged.UnprovenEpochs[evidence.Operation]);
            ledger.Sample(evidence.Operation, CoveragePlan.SampleShares(evidence, policy, decision.Stage, settings.Current));
            var last = before.JudgedOf(evidence.Operation)?.Decision;
            if (last?.Decision != decision.Decision || last.Reasons[0].Code != decision.Reasons[0].Code) metrics.Decided(decision);
        }

        board.Latest = reading;
    }
}
