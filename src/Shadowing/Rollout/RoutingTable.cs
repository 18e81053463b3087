using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Shadowing.Experiments;
using Shadowing.Settings;

namespace Shadowing.Rollout;

/// <summary>
/// How requests of an operation are handled. Immutable: a change is a new table. A request reads the table once; a candidate's write reads
/// it again before it begins.
/// </summary>
/// <param name="Shadowed">Whether the operation is shadowed at all.</param>
/// <param name="SamplePercent">The share of its requests that is shadowed, in percent.</param>
public sealed record Route(bool Shadowed, double SamplePercent)
{
    private const uint Buckets = 10_000;

    /// <summary>The share of users that the candidate answers, in percent, within <see cref="ServedShapes"/>.</summary>
    public double ServePercent { get; init; }

    /// <summary>The shapes that the candidate may answer.</summary>
    public FrozenSet<string> ServedShapes { get; init; } = [];

    /// <summary>Whether the candidate answers a request.</summary>
    /// <param name="user">
    /// The same user is always on the same side. A larger share keeps the users of a smaller one. Other operations choose other users.
    /// </param>
    public bool Serves(string operation, long user, string shape) =>
        ServePercent > 0 && ServedShapes.Contains(shape) && Bucket(operation, user) < ServePercent * (Buckets / 100d);

    /// <summary>FNV-1a over the operation and the user: the same on every replica and in every run.</summary>
    [SuppressMessage("Maintainability", "CA1508", Justification = "The analyzer does not see that the loop changes it.")]
    internal static uint Bucket(string operation, long user)
    {
        var hash = 14695981039346656037UL;
        foreach (var letter in operation) hash = (hash ^ letter) * 1099511628211UL;
        for (var shift = 0; shift < 64; shift += 8) hash = (hash ^ (byte)(user >> shift)) * 1099511628211UL;
        // The low bits of neighbouring users are alike; folding mixes the high bits in.
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        return (uint)((hash ^ (hash >> 33)) % Buckets);
    }
}

/// <summary>The routes of all operations.</summary>
public sealed class RoutingTable
{
    private readonly FrozenDictionary<string, Route> _routes;

    private RoutingTable(FrozenDictionary<string, Route> routes, long servesUntil) => (_routes, ServesUntil) = (routes, servesUntil);

    /// <summary>
    /// The timestamp until which the candidate may serve by this table; after it the control answers, for every route.
    /// </summary>
    public long ServesUntil { get; }

    /// <summary>The route of an operation; one that is not in the table is not shadowed.</summary>
    public Route this[string operation] => _routes.GetValueOrDefault(operation) ?? new(false, 0);

    /// <summary>The routes from the settings and the rollout: where they differ, the one that exposes less.</summary>
    /// <param name="servable">The shapes of an operation that this build may serve.</param>
    /// <param name="fingerprint">This build's fingerprint.</param>
    internal static RoutingTable From(
        ShadowingOptions options, IEnumerable<Experiment> experiments, RolloutLease lease, Func<string, IReadOnlySet<string>> servable,
        string fingerprint)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(experiments.ToFrozenDictionary(experiment => experiment.Operation, RouteOf), lease.ServesUntil);

        Route RouteOf(Experiment experiment)
        {
            var own = options.Operations.GetValueOrDefault(experiment.Operation) ?? new();
            var share = own.SamplePercent ?? options.SamplePercent;
            if (!own.Enabled || lease.StateOf(experiment.Operation) is not { } state) return new(false, share);
            var serves = state is { Stage.Serves: true, IsHeld: false } && state.Nominated == fingerprint;
            var shapes = serves ? servable(experiment.Operation) : FrozenSet<string>.Empty;
            return new(state.Stage.ShadowPercent > 0, Math.Min(share, state.Stage.ShadowPercent))
            {
                ServePercent = shapes.Count == 0 ? 0 : state.Stage.ServePercent,
                ServedShapes = shapes.ToFrozenSet(),
            };
        }
    }
}
