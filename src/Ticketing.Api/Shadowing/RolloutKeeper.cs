using Npgsql;
using Ticketing.Api.Tickets;
using Shadowing;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Postgres;
using Shadowing.Rollout;

namespace Ticketing.Api.Shadowing;

/// <summary>
/// Keeps this replica and the store of one mind about the rollout: tells the store what was rolled back here, takes over what it says, reports
/// what has been applied, and does what the gate says by itself: a rollback always, an advance where an operation is automatic.
/// </summary>
internal sealed class RolloutKeeper(
    RolloutStore store, PendingRollbacks pending, ReplicaRegister replicas, ServedStore served, RolloutLease lease, ShadowingControl control, GateBoard board,
    EvidenceLedger ledger, ServedJournal journal, MismatchJournal mismatches, IncarnationRecord incarnation, ShadowingReport report,
    ShadowingMetrics metrics, Findings findings, TimeProvider clock) : BackgroundService
{
    /// <summary>Who acts where nobody does.</summary>
    public const string Service = "service";

    // More often than each second, so that a rollback elsewhere is applied within one though nobody announces it.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(10);
    private static readonly string[] Operations = [.. TicketExperiments.All.Select(experiment => experiment.Operation)];
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
        await pending.PublishAsync(cancellationToken);
        var asked = clock.GetTimestamp();
        var reading = await store.ReadAsync(Operations, cancellationToken);
        lease.Confirm(asked, reading.States, reading.Unreadable);
        control.Refresh();
        findings.Replace("rollout", [.. lease.Refused.Select(refused => new Finding(Finding.Critical, "shadow.rollout", $"Refused, and rolled back here: {refused}."))]);
        var (serving, writes) = (report.Serving(), report.WritesInFlight());
        await replicas.ReportAsync(
            incarnation.Id, report.Replica, ledger.Fingerprint,
            TicketExperiments.All.Select(control.StandingOf).ToDictionary(one => one.Operation, one => new AppliedRollout(
                one.State?.Generation ?? 0, (one.State?.Stage ?? Stage.Off).Name, one.ServePercent, serving[one.Operation], writes[one.Operation])),
            cancellationToken);
        await ActAsync(cancellationToken);
    }

    private async Task ActAsync(CancellationToken cancellationToken)
    {
        var reading = board.Latest;
        foreach (var (evidence, decision, _, generation) in reading.Operations)
        {
            if (lease.Of(evidence.Operation) is not { } state || state.Generation != generation || reading.Fingerprint != ledger.Fingerprint) continue;
            if (decision.Decision is GateVerdict.Rollback && evidence.Nominated)
            {
                control.RollBack(evidence.Operation, string.Join("; ", decision.Reasons.Select(reason => reason.Text)));
            }
            else if (decision.Decision is GateVerdict.Advance && state is { IsAutomatic: true, IsHeld: false } && !(decision.Target.Serves && !evidence.Nominated))
            {
                await store.ChangeAsync(
                    evidence.Operation, new MoveTo(decision.Target, false, Service, decision.Sentence), generation, generation, decision,
                    cancellationToken);
                lease.Hurry();
            }
        }
    }

    private async Task StoreServedAsync(CancellationToken cancellationToken)
    {
        var (answers, verdicts) = journal.Take();
        try
        {
            await served.AddAsync(incarnation.Id, answers, verdicts, mismatches.HashOf, cancellationToken);
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
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException || (failure is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            // The lease runs out by itself; that the store is away is reported by the record of the run.
            return false;
        }
    }
}
