using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Rollout;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Keeps this replica and the store of one mind about the rollout: tells the store what was rolled back here, takes over what it says,
/// reports what has been applied, and does what the gate says by itself: a rollback always, an advance where an operation is automatic.
/// </summary>
internal sealed partial class RolloutKeeper(
    RolloutStore store, PendingRollbacks pending, ReplicaRegister replicas, ServedStore served, RolloutLease lease,
    ShadowingControl control, GateBoard board,
    EvidenceLedger ledger, ServedJournal journal, MismatchJournal mismatches, IncarnationRecord incarnation,
    IEnumerable<Experiment> experiments, ShadowingReport report,
    ShadowingMetrics metrics, Findings findings, TimeProvider clock, ILogger<RolloutKeeper> logger) : BackgroundService
{
    /// <summary>Who acts where nobody does.</summary>
    public const string Service = "service";

    // More often than each second, so that a rollback elsewhere is applied within one though nobody announces it.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(10);
    private readonly Experiment[] _experiments = [.. experiments];
    private long _pruned;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!incarnation.HasBegun) return;
        await TryAsync(StoreServedAsync, cancellationToken);
        await TryAsync(token => replicas.LeaveAsync(incarnation.Id, token), cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _pruned = clock.GetTimestamp();
        try
        {
            // Two loops: a long list of answers to store must not keep a rollback waiting.
            await Task.WhenAll(
                LoopAsync(KeepAsync, lease.WaitAsync, stoppingToken),
                LoopAsync(StoreServedAsync, (interval, token) => Task.Delay(interval, clock, token), stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task LoopAsync(
        Func<CancellationToken, Task> work, Func<TimeSpan, CancellationToken, Task> waitAsync, CancellationToken stopping)
    {
        while (true)
        {
            if (!incarnation.HasBegun || !await TryAsync(work, stopping)) control.Refresh();
            await waitAsync(Interval, stopping);
        }
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        // Beside each other: what cannot be published must not keep this replica from hearing of the others.
        var publishing = pending.PublishAsync(cancellationToken);
        var asked = clock.GetTimestamp();
        var reading = await store.ReadAsync([.. _experiments.Select(experiment => experiment.Operation)], cancellationToken);
        lease.Confirm(asked, reading.States, reading.Unreadable);
        control.Refresh();
        var advances = RollBackWhatTheGateRefuses();
        findings.Replace("rollout", [.. lease.Refused.Select(refused =>
            new Finding(Finding.Critical, "shadow.rollout", $"Refused, and rolled back here: {refused}."))]);
        var (serving, writes) = (report.Serving(), report.WritesInFlight());
        await replicas.ReportAsync(
            incarnation.Id, report.Replica, ledger.Fingerprint,
            _experiments.Select(control.StandingOf).ToDictionary(one => one.Operation, one => new AppliedRollout(
                one.State?.Generation ?? 0, (one.State?.Stage ?? Stage.Off).Name, one.ServePercent, serving[one.Operation],
                writes[one.Operation])),
            cancellationToken);
        await publishing;
        foreach (var (decision, generation) in advances)
        {
            // Each on its own: one that cannot be stored holds up no other.
            var step = new MoveTo(decision.Target, false, Service, decision.Sentence);
            var isTaken = await TryAsync(
                token => store.ChangeAsync(decision.Operation, step, generation, generation, decision, token), cancellationToken);
            if (isTaken) lease.Hurry();
        }
    }

    /// <summary>Before anything that can fail: no advance, and no report, may stand in the way of a rollback.</summary>
    /// <returns>The steps that are earned and taken without anybody.</returns>
    private List<(GateDecision Decision, long Generation)> RollBackWhatTheGateRefuses()
    {
        var reading = board.Latest;
        List<(GateDecision, long)> advances = [];
        foreach (var (evidence, decision, _, generation) in reading.Operations)
        {
            if (lease.Of(evidence.Operation) is not { } state || state.Generation != generation
                || reading.Fingerprint != ledger.Fingerprint) continue;
            if (decision.Decision is GateVerdict.Rollback && evidence.Nominated)
                control.RollBack(evidence.Operation, string.Join("; ", decision.Reasons.Select(reason => reason.Text)));
            else if (decision.Decision is GateVerdict.Advance && state is { IsAutomatic: true, IsHeld: false }
                && !(decision.Target.Serves && !evidence.Nominated))
                advances.Add((decision, generation));
        }

        return advances;
    }

    private async Task StoreServedAsync(CancellationToken cancellationToken)
    {
        var (answers, verdicts) = journal.Take();
        try
        {
            await AddServedAsync(answers, verdicts, cancellationToken);
        }
        catch
        {
            journal.Return(answers, verdicts);
            throw;
        }

        if (journal.TakeLost() is > 0 and var lost) metrics.EvidenceRecords(lost, "lost");
        if (clock.GetElapsedTime(_pruned) < PruneInterval) return;
        _pruned = clock.GetTimestamp();
        await served.PruneAsync(cancellationToken);
    }

    /// <summary>What the store refuses as it is would be refused each time: halved until it is one, and that one counted as lost.</summary>
    private async Task AddServedAsync(
        IReadOnlyList<ServedAnswer> answers, IReadOnlyList<ServedVerdict> verdicts, CancellationToken cancellationToken)
    {
        try
        {
            await served.AddAsync(incarnation.Id, answers, verdicts, mismatches.HashOf, cancellationToken);
        }
        catch (Exception failure) when (PostgresErrors.IsAboutData(failure))
        {
            if (answers.Count + verdicts.Count == 1)
            {
                metrics.EvidenceRecords(1, "lost");
                LogFailed(failure);
                return;
            }

            var (half, judged) = ((answers.Count + 1) / 2, (verdicts.Count + 1) / 2);
            // A verdict goes after its answer.
            if (answers.Count > 0 && verdicts.Count > 0) (half, judged) = (answers.Count, 0);
            await AddServedAsync([.. answers.Take(half)], [.. verdicts.Take(judged)], cancellationToken);
            await AddServedAsync([.. answers.Skip(half)], [.. verdicts.Skip(judged)], cancellationToken);
        }
    }

    /// <summary>Bounded, because whoever waits for a store that does not answer confirms nothing, and rolls nothing back.</summary>
    /// <returns>Whether it was done.</returns>
    private async Task<bool> TryAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            await work(either.Token);
            return true;
        }
#pragma warning disable CA1031 // A keeper that ends keeps nothing any more: whatever one round failed of, the next is tried.
        catch (Exception failure) when (failure is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // The lease runs out by itself; that the store is away is reported by the record of the run.
            if (failure is not (NpgsqlException or TimeoutException or OperationCanceledException)) LogFailed(failure);
            return false;
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(44, LogLevel.Error, "Keeping the rollout failed; it is tried again.")]
    private partial void LogFailed(Exception failure);
}
