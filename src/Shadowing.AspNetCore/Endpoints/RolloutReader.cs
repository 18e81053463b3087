using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>The state of an operation's rollout.</summary>
/// <param name="Generation">To be sent back with a change.</param>
/// <param name="ServePercent">The share of users that the stage gives to the candidate.</param>
/// <param name="EffectiveServePercent">
/// The share of users that the candidate answers on this replica now, within <paramref name="ServedShapes"/>.
/// </param>
/// <param name="Nominated">The fingerprint that may be promoted; <paramref name="Fingerprint"/> is this build's.</param>
/// <param name="HeldBecause">Why the operation may not advance until an operator acknowledges it; null while it may.</param>
/// <param name="Forced">Whether the stage was set against the gate's decision.</param>
internal sealed record RolloutAnswer(
    string Operation, long Generation, string Stage, double ServePercent, double EffectiveServePercent, IReadOnlyList<string> ServedShapes,
    string? Nominated, int Attempt, string Fingerprint, string? HeldBecause, bool Automatic, bool Forced, string ChangedBy, string Reason);

/// <summary>A replica, and whether it has applied the rollback.</summary>
/// <param name="State">
/// <c>applied</c>; <c>pending</c> until it has; <c>silent</c> where it has not reported for longer than its lease. Its candidate then
/// serves no user.
/// </param>
/// <param name="InFlight">Requests that its candidate was answering when it last reported.</param>
/// <param name="WritesInFlight">Those of them that write, the earliest first.</param>
internal sealed record RollbackReplica(
    string Replica, string State, int InFlight, IReadOnlyList<RollbackWrite> WritesInFlight, double SeenSecondsAgo);

/// <summary>A write of the candidate's that has begun and may yet be committed.</summary>
/// <param name="Subject">The key of the row that the write changes; null where it creates one.</param>
internal sealed record RollbackWrite(string Operation, long Number, DateTimeOffset Since, string Shape, long? Subject);

/// <summary>The result of a rollback.</summary>
/// <param name="Published">
/// Whether the store has it. If not, this replica has rolled back, and the other replicas stop when their lease ends.
/// </param>
internal sealed record RollbackAnswer(bool Published, IReadOnlyList<string> Operations, IReadOnlyList<RollbackReplica> Replicas);

/// <summary>Reads the state of the rollout, changes it, and rolls back.</summary>
internal sealed partial class RolloutReader(
    RolloutStore store, PendingRollbacks pending, ReplicaRegister replicas, RolloutLease lease, ShadowingControl control, GateBoard board,
    EvidenceLedger ledger,
    InstanceRecord instance, IEnumerable<Experiment> experiments, TimeProvider clock, ILogger<RolloutReader> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Publishing = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    public IReadOnlyList<Experiment> Experiments { get; } = [.. experiments];

    public Experiment? Find(string name) =>
        OperationNames.Full(Experiments.Select(experiment => experiment.Operation), name) is { } operation
            ? Experiments.Single(experiment => experiment.Operation == operation) : null;

    public RolloutAnswer? Read(Experiment experiment)
    {
        var standing = control.StandingOf(experiment);
        if (standing.State is not { } state) return null;
        var shapes = standing.ServePercent > 0 ? board.Latest.JudgedOf(experiment.Operation)?.Servable ?? new HashSet<string>()
            : new HashSet<string>();
        return new(
            state.Operation, state.Generation, state.Stage.Name, state.Stage.ServePercent, standing.ServePercent,
            [.. shapes.Order(StringComparer.Ordinal)],
            state.Nominated, state.Attempt, ledger.Fingerprint, state.HeldBecause, state.IsAutomatic, state.IsForced, state.ChangedBy,
            state.Reason);
    }

    public async Task<RolloutChange> ChangeAsync(
        Experiment experiment, RolloutCommand change, long? expected, CancellationToken cancellationToken)
    {
        // A rollback that only this replica knows of is published first. Published later, it would undo this change.
        if (change is not RollBack) await pending.PublishAsync(experiment.Operation, cancellationToken);
        var judged = board.Latest.JudgedOf(experiment.Operation);
        // A decision for another generation or another build does not apply.
        var gate = judged is not null && judged.Generation == expected && board.Latest.Fingerprint == ledger.Fingerprint ? judged.Decision
            : null;
        var changed = await store.ChangeAsync(
            experiment.Operation, change, expected, lease.StateOf(experiment.Operation)?.Generation ?? 0, gate, cancellationToken);
        lease.Learn(changed.State);
        control.Refresh();
        lease.Hurry();
        return changed;
    }

    /// <summary>Rolls back on this replica first, then in the store, and answers which replicas have applied it.</summary>
    public async Task<RollbackAnswer> RollBackAsync(
        IReadOnlyList<Experiment> experiments, string actor, string reason, CancellationToken cancellationToken)
    {
        string[] operations = [.. experiments.Select(experiment => experiment.Operation)];
        foreach (var operation in operations) control.RollBack(operation, $"{reason} ({actor})");
        var generations = new Dictionary<string, long>();
        using var limit = new CancellationTokenSource(Publishing, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        foreach (var experiment in instance.HasBegun ? experiments : [])
        {
            await TryAsync(experiment.Operation, async () =>
            {
                var changed = await ChangeAsync(experiment, new RollBack(actor, reason), null, either.Token);
                lease.Published(experiment.Operation, changed.State.Generation);
                generations[experiment.Operation] = changed.State.Generation;
            });
        }

        IReadOnlyList<RollbackReplica> applied = [];
        var isPublished = generations.Count == experiments.Count;
        if (isPublished) await TryAsync("replicas", async () => applied = await AppliedAsync(generations, either.Token));
        return new(isPublished, operations, applied);
    }

    /// <summary>A failure is logged only: this replica has rolled back already, and the keeper tells the store later.</summary>
    private async Task TryAsync(string what, Func<Task> work)
    {
        try
        {
            await work();
        }
#pragma warning disable CA1031 // One operation that cannot be published must not stop the next.
        catch (Exception failure)
        {
            LogUnpublished(what, failure.GetType().Name);
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(43, LogLevel.Warning,
        "A rollback of {What} could not be published at once ({Failure}); it holds here, and the store is told later.")]
    private partial void LogUnpublished(string what, string failure);

    /// <summary>
    /// What the store and the replicas say of a rollback now. Asked of the store, because this replica may not be the one that rolled back.
    /// </summary>
    public async Task<RollbackAnswer> RolledBackAsync(IReadOnlyList<Experiment> experiments, CancellationToken cancellationToken)
    {
        string[] operations = [.. experiments.Select(experiment => experiment.Operation)];
        try
        {
            var states = (await store.ReadAsync(operations, cancellationToken)).States;
            var isPublished = states.Count == operations.Length && states.All(state => state.IsHeld && !state.Stage.Serves)
                && !lease.Pending.Any(one => operations.Contains(one.Operation));
            var generations = states.ToDictionary(state => state.Operation, state => state.Generation);
            return new(isPublished, operations, await ReplicasAsync(generations, cancellationToken));
        }
        catch (Exception failure) when (failure is Npgsql.NpgsqlException or TimeoutException)
        {
            return new(false, operations, []);
        }
    }

    private async Task<IReadOnlyList<RollbackReplica>> AppliedAsync(
        Dictionary<string, long> generations, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var found = await ReplicasAsync(generations, cancellationToken);
            if (found.All(replica => replica.State != "pending") || clock.GetElapsedTime(started) > Patience) return found;
            await Task.Delay(Look, clock, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<RollbackReplica>> ReplicasAsync(
        Dictionary<string, long> generations, CancellationToken cancellationToken)
    {
        return [.. (await replicas.ReadAsync(cancellationToken)).Select(ToReplica)];

        RollbackReplica ToReplica(ReplicaReport report)
        {
            var isApplied =
                generations.All(entry => report.Applied.TryGetValue(entry.Key, out var applied) && applied.Generation >= entry.Value);
            var state = isApplied ? "applied" : report.Age > RolloutLease.Length ? "silent" : "pending";
            var inFlight = generations.Keys.Sum(operation => report.Applied.TryGetValue(operation, out var applied) ? applied.Serving : 0);
            var writes = generations.Keys.SelectMany(operation => (report.Applied.GetValueOrDefault(operation)?.Writes ?? [])
                .Select(write => new RollbackWrite(operation, write.Number, write.Since, write.Shape, write.Subject)));
            return new(report.Replica, state, inFlight, [.. writes.OrderBy(write => write.Since)], Math.Round(report.Age.TotalSeconds, 2));
        }
    }
}
