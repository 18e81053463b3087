using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Postgres.Stores;
using Shadowing.Serving;

namespace Shadowing.Postgres.Keepers;

/// <summary>Tells all replicas what this one has applied of the rollout, and what its candidate is doing.</summary>
internal sealed class AppliedReport(
    ReplicaRegister replicas, InstanceRecord instance, ShadowingControl control, EvidenceLedger ledger, ShadowingReport report)
{
    /// <summary>Whether this run is on record. Before that it has nothing to report, and the store nothing to say to it.</summary>
    public bool HasBegun => instance.HasBegun;

    /// <summary>Stores what has been applied.</summary>
    public Task SendAsync(IReadOnlyList<Experiment> experiments, CancellationToken cancellationToken)
    {
        var (serving, writes) = (report.Serving(), report.WritesInFlight());
        return replicas.ReportAsync(
            instance.Id, report.Replica, ledger.Fingerprint,
            experiments.Select(control.StandingOf).ToDictionary(one => one.Operation, one => new AppliedRollout(
                one.State?.Generation ?? 0, (one.State?.Stage ?? Stage.Off).Name, one.ServePercent, serving[one.Operation],
                writes[one.Operation])),
            cancellationToken);
    }

    /// <summary>Takes this replica off the list: it serves no user any more.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken) =>
        instance.HasBegun ? replicas.LeaveAsync(instance.Id, cancellationToken) : Task.CompletedTask;
}
