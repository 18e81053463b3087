using System.Text.Json;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Stores what this run has seen, each second and at once after a mismatch; reads what all replicas know; lets the gate judge it.
/// </summary>
/// <remarks>What could not be stored stays and is tried again.</remarks>
internal sealed class EvidenceKeeper(
    EvidenceLedger ledger, EvidenceStore store, MismatchStore mismatches, Acceptances acceptances, GateBoard board, GatePolicies policies,
    InstanceRecord instance, AuditLog audit, IEnumerable<Experiment> experiments, ShadowedCode code, ShadowingReport report,
    RolloutLease lease, EvidenceMetrics metrics, SettingsInForce settings, KeeperRegister keepers, TimeProvider clock) : Keeper(
        new("evidence", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)) { HoldsGate = true, LongestPause = TimeSpan.FromSeconds(5) },
        keepers, clock)
{
    private readonly Dictionary<string, Experiment> _experiments = experiments.ToDictionary(experiment => experiment.Operation);
    private string? _announced;
    private bool _failed;

    /// <summary>Stores what came while the lane drained: it has stopped by now.</summary>
    protected override Task PartAsync(CancellationToken cancellationToken) =>
        instance.HasBegun ? FlushAsync(cancellationToken) : Task.CompletedTask;

    protected override Task WaitAsync(PeriodicTimer tick, CancellationToken stopping) => ledger.WaitForUrgentAsync(Plan.Interval, stopping);

    protected override Task StepAsync(CancellationToken cancellationToken) =>
        instance.HasBegun ? KeepAsync(cancellationToken) : Task.Delay(Plan.Interval, Clock, cancellationToken);

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await store.BeatAsync(instance.Id, cancellationToken);
        var policy = policies.Current;
        var fingerprint = ledger.Fingerprint;
        var merged = await store.ReadAsync(fingerprint, code.Candidate, [.. _experiments.Keys], policy, cancellationToken);
        ledger.IsBusy = merged.IsBusy;
        await RestartAsync(merged, cancellationToken);
        await AnnounceAsync(policy, cancellationToken);
        var before = board.Read;
        var reading = GateReading.Judge(
            Clock.GetUtcNow(), fingerprint, policy, merged.Operations,
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

    /// <summary>What is accepted is learnt first: in a new epoch nothing counts by what was accepted before it.</summary>
    private async Task RestartAsync(MergedEvidence merged, CancellationToken cancellationToken)
    {
        if (!merged.Epochs.Any(entry => ledger.IsBehind(entry.Key, entry.Value))) return;
        acceptances.Replace(await mismatches.AcceptancesAsync(cancellationToken));
        foreach (var (operation, epochs) in merged.Epochs)
        {
            for (var restarted = ledger.Restart(operation, epochs); restarted > 0; restarted--) metrics.EvidenceReset("acceptance");
        }
    }

    /// <summary>By which policy the gate decides is on record before it decides.</summary>
    private async Task AnnounceAsync(GatePolicy policy, CancellationToken cancellationToken)
    {
        var rules = JsonSerializer.Serialize(policy);
        if (rules == _announced) return;
        await audit.AddAsync(
            "service", "gate.policy", report.Replica, (policy.IsWeakerThanDefault() ? "weaker than the default: " : "") + rules,
            cancellationToken);
        _announced = rules;
    }

    /// <summary>Everything that waits, one batch after the other: one that failed before comes first, as it was.</summary>
    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        while (ledger.Take() is { } batch)
        {
            try
            {
                await store.FlushAsync(instance.Id, batch, cancellationToken);
            }
            catch
            {
                _failed = true;
                throw;
            }

            ledger.Stored(batch);
            metrics.EvidenceRecords(batch.Records, _failed ? "retried" : "written");
            _failed = false;
        }
    }
}
