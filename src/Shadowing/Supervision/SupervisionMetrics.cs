using System.Diagnostics.Metrics;
using Shadowing.Model;

namespace Shadowing.Supervision;

/// <summary>Whether the engine itself works: its keepers, its switch and its settings.</summary>
internal sealed class SupervisionMetrics
{
    private readonly Meter _meter;
    private readonly Counter<long> _keeperFailures;

    public SupervisionMetrics(IMeterFactory factory)
    {
        _meter = ShadowingMeter.In(factory);
        _keeperFailures = _meter.CreateCounter<long>("shadow.keeper.failures", "{failure}", "Failed steps of loops in the background.");
    }

    public void KeeperFailures(string keeper, long failures) => _keeperFailures.Add(failures, Keeper(keeper));

    public void ObserveKeepers(Func<IEnumerable<(string Keeper, bool IsDown)>> all) => _meter.CreateObservableGauge(
        "shadow.keeper.alive", () => all().Select(one => new Measurement<int>(one.IsDown ? 0 : 1, Keeper(one.Keeper))),
        "1", "1 while the loop's last step succeeded, 0 since one failed.");

    /// <summary>What holds an operation's shadow off on this replica: a stop that is meant must be told from one that is not.</summary>
    public void ObserveSwitch(Func<IEnumerable<(string Operation, IReadOnlyList<string> Reasons)>> held) => _meter.CreateObservableGauge(
        "shadow.switch.status", () => held().SelectMany(one => ShadowSwitch.All.Select(reason => new Measurement<int>(
            one.Reasons.Contains(reason) ? 1 : 0, ShadowingMeter.Operation(one.Operation), ShadowingMeter.Reason(reason)))),
        "1", "1 for each reason that holds the operation's shadow off, 0 for the others.");

    public void ObserveConfig(Func<long> hash) => _meter.CreateObservableGauge(
        "shadow.config.hash", hash, "1", "The settings in force as a number: replicas that differ are configured differently.");

    private static KeyValuePair<string, object?> Keeper(string keeper) => new("shadow.keeper", keeper);
}
