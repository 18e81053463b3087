using System.Collections.Frozen;

namespace ShadowTicketing.Shadowing.Rollout;

/// <summary>What happens to a request of an operation. Immutable: a change is a new table, and a request reads the table once.</summary>
/// <param name="Shadowed">Whether the operation is shadowed at all.</param>
/// <param name="SamplePercent">The share of its requests that are, in percent.</param>
public sealed record Route(bool Shadowed, double SamplePercent);

/// <summary>The routes of all operations.</summary>
public sealed class RoutingTable
{
    private readonly FrozenDictionary<string, Route> _routes;

    private RoutingTable(FrozenDictionary<string, Route> routes) => _routes = routes;

    /// <summary>The route of an operation; one that is not in the table is not shadowed.</summary>
    public Route this[string operation] => _routes.GetValueOrDefault(operation) ?? new(false, 0);

    /// <summary>The routes that the settings state.</summary>
    public static RoutingTable From(ShadowingOptions options, IEnumerable<Experiment> experiments)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(experiments.ToFrozenDictionary(experiment => experiment.Operation, experiment =>
            options.Operations.GetValueOrDefault(experiment.Operation) is { } own
                ? new Route(own.Enabled, own.SamplePercent ?? options.SamplePercent)
                : new Route(true, options.SamplePercent)));
    }
}
