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

    /// <summary>What has been applied, as of now.</summary>
    public ReplicaReport Read(IReadOnlyList<Experiment> experiments)
    {
        var (serving, writes) = (report.Serving(), report.WritesInFlight());
        return new(
            instance.Id, report.Replica, ledger.Fingerprint, TimeSpan.Zero,
            experiments.Select(control.StandingOf).ToDictionary(one => one.Operation, one => new AppliedRollout(
                one.State?.Generation ?? 0, (one.State?.Stage ?? Stage.Off).Name, one.ServePercent, serving[one.Operation],
                writes[one.Operation])));
    }

    /// <summary>Stores what has been applied since the last report; nothing where that is the same.</summary>
    public Task SendChangedAsync(ReplicaReport before, IReadOnlyList<Experiment> experiments, CancellationToken cancellationToken)
    {
        var now = Read(experiments);
        var isSame = now.Applied.All(one => before.Applied[one.Key] is var sent
            && (one.Value with { Writes = null }) == (sent with { Writes = null })
            && (one.Value.Writes?.Count ?? 0) == (sent.Writes?.Count ?? 0));
        return isSame && now.Fingerprint == before.Fingerprint ? Task.CompletedTask
            : replicas.ReportAsync(now.Instance, now.Replica, now.Fingerprint, now.Applied, cancellationToken);
    }

    /// <summary>Takes this replica off the list: it serves no user any more.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken) =>
        instance.HasBegun ? replicas.LeaveAsync(instance.Id, cancellationToken) : Task.CompletedTask;
}
