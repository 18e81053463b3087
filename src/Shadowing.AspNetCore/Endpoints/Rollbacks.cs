using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Postgres.Keepers;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Serving;

namespace Shadowing.AspNetCore.Endpoints;

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

/// <summary>Rolls back, and says which replicas have applied it.</summary>
internal sealed partial class Rollbacks(
    RolloutReader rollout, RolloutStore store, ReplicaRegister replicas, RolloutLease lease, ShadowingControl control,
    InstanceRecord instance, TimeProvider clock, ILogger<Rollbacks> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Publishing = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Rolls back on this replica first, then in the store, and answers which replicas have applied it.</summary>
    public async Task<RollbackAnswer> RollBackAsync(
        IReadOnlyList<Experiment> experiments, string actor, string reason, CancellationToken cancellationToken)
    {
        string[] operations = [.. experiments.Select(experiment => experiment.Operation)];
        foreach (var operation in operations) control.RollBack(operation, reason, actor);
        var generations = new Dictionary<string, long>();
        using var limit = new CancellationTokenSource(Publishing, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        foreach (var experiment in instance.HasBegun ? experiments : [])
        {
            await TryAsync(experiment.Operation, async () =>
            {
                var changed = await rollout.ChangeAsync(experiment, new RollBack(actor, reason), null, either.Token);
                lease.Published(experiment.Operation, changed.State.Generation);
                generations[experiment.Operation] = changed.State.Generation;
            });
        }

        IReadOnlyList<RollbackReplica> applied = [];
        var isPublished = generations.Count == experiments.Count;
        if (isPublished) await TryAsync("replicas", async () => applied = await AppliedAsync(generations, either.Token));
        return new(isPublished, operations, applied);
    }

    /// <summary>
    /// Rolls back what the candidate serves, on this replica or by the store; the rest is not held. All where the store cannot say.
    /// </summary>
    public async Task<RollbackAnswer> RollBackServingAsync(
        IReadOnlyList<Experiment> experiments, string actor, string reason, CancellationToken cancellationToken)
    {
        var here = experiments.Where(experiment => control.RollBack(experiment.Operation, reason, actor)).ToArray();
        IReadOnlyList<RolloutState>? stored = null;
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        if (instance.HasBegun) await TryAsync(
            "all", async () => stored = (await store.ReadAsync([.. experiments.Select(one => one.Operation)], either.Token)).States);
        Experiment[] serving =
        [
            .. experiments.Where(one => here.Contains(one) || lease.Pending.Any(pending => pending.Operation == one.Operation)
                || stored?.FirstOrDefault(state => state.Operation == one.Operation) is not { Stage.Serves: false }),
        ];
        return serving.Length > 0 ? await RollBackAsync(serving, actor, reason, cancellationToken)
            : await RolledBackAsync(experiments, isNamed: false, cancellationToken) with { Operations = [] };
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
    /// <param name="isNamed">Whether one operation was named, which must be held; else it is enough that none serves.</param>
    public async Task<RollbackAnswer> RolledBackAsync(
        IReadOnlyList<Experiment> experiments, bool isNamed, CancellationToken cancellationToken)
    {
        string[] operations = [.. experiments.Select(experiment => experiment.Operation)];
        try
        {
            var states = (await store.ReadAsync(operations, cancellationToken)).States;
            var isPublished = states.Count == operations.Length && states.All(state => (state.IsHeld || !isNamed) && !state.Stage.Serves)
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
