using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Rollout;
using Shadowing.Sampling;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Stores what this run has seen, each second and at once after a mismatch; reads what all replicas know; lets the gate judge it.
/// </summary>
internal sealed partial class EvidenceKeeper(
    EvidenceLedger ledger, EvidenceStore store, MismatchStore mismatches, Acceptances acceptances, GateBoard board,
    GatePolicies policies, IncarnationRecord incarnation, AuditLog audit,
    IEnumerable<Experiment> experiments, ShadowedCode code, ShadowingReport report, RolloutLease lease, ShadowingMetrics metrics,
    IOptionsMonitor<ShadowingOptions> options, TimeProvider clock,
    ILogger<EvidenceKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Parting = TimeSpan.FromSeconds(2);
    private readonly Dictionary<string, Experiment> _experiments = experiments.ToDictionary(experiment => experiment.Operation);
    private string? _announced;
    private bool _failed;

    /// <summary>Stores what came while the lane drained: it has stopped by now.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var limit = new CancellationTokenSource(Parting, clock);
        if (incarnation.HasBegun) await TryAsync(() => FlushAsync(limit.Token), limit.Token);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await ledger.WaitForUrgentAsync(Interval, stoppingToken);
                if (incarnation.HasBegun) await TryAsync(() => KeepAsync(stoppingToken), stoppingToken);
                else await Task.Delay(Interval, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await store.BeatAsync(incarnation.Id, cancellationToken);
        var policy = policies.Current;
        var fingerprint = ledger.Fingerprint;
        var merged = await store.ReadAsync(fingerprint, code.Candidate, [.. _experiments.Keys], policy, cancellationToken);
        ledger.IsBusy = merged.IsBusy;
        await RestartAsync(merged, cancellationToken);
        await AnnounceAsync(policy, cancellationToken);
        var before = board.Latest;
        var reading = GateReading.Judge(
            clock.GetUtcNow(), fingerprint, policy, merged.Operations, operation => lease.Of(operation) ?? new(operation, 0, Stage.Off),
            operation => _experiments[operation].ShapeFamily);
        foreach (var (evidence, decision, _, _) in reading.Operations)
        {
            ledger.MarkProven(evidence.Operation, Gate.ProvenShapes(evidence, policy), merged.UnprovenEpochs[evidence.Operation]);
            ledger.Sample(evidence.Operation, CoveragePlan.Of(evidence, policy, decision.Stage, options.CurrentValue));
            var last = before.Of(evidence.Operation)?.Decision;
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
                await store.FlushAsync(incarnation.Id, batch, cancellationToken);
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

    /// <summary>What could not be stored stays and is tried again; the record of the run reports a store that is away.</summary>
    private async Task TryAsync(Func<Task> work, CancellationToken stopping)
    {
        try
        {
            await work();
        }
#pragma warning disable CA1031 // A keeper that ends keeps nothing any more: whatever one round failed of, the next is tried.
        catch (Exception failure) when (failure is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            if (failure is not (NpgsqlException or TimeoutException)) LogFailed(failure);
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(46, LogLevel.Error, "Keeping the evidence failed; what was not stored is tried again.")]
    private partial void LogFailed(Exception failure);
}
