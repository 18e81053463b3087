using System.Diagnostics.Metrics;
using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>Where each operation stands on this replica.</summary>
internal sealed class RolloutMetrics(IMeterFactory factory)
{
    private readonly Meter _meter = ShadowingMeter.In(factory);

    public void ObserveRollout(Func<IEnumerable<RolloutStanding>> standing)
    {
        _meter.CreateObservableGauge(
            "shadow.rollout.ratio", () => standing().Select(one => Measure(one, one.ServePercent / 100)), "1",
            "The share of users whom the candidate answers on this replica, within the shapes that it may serve.");
        _meter.CreateObservableGauge(
            "shadow.rollout.status", () => standing().SelectMany(one => Enum.GetValues<StageKind>().Select(kind => new Measurement<int>(
                (one.State?.Stage.Kind ?? StageKind.Off) == kind ? 1 : 0,
                ShadowingMeter.Operation(one.Operation), new("shadow.stage", kind.Wire())))),
            "1", "1 for the stage that the operation is at, 0 for the others.");
        _meter.CreateObservableGauge(
            "shadow.rollout.generation", () => standing().Select(one => Measure(one, one.State?.Generation ?? 0)), "1",
            "Counts the changes of the operation's rollout; replicas that differ for longer than a second do not agree.");

        static Measurement<T> Measure<T>(RolloutStanding one, T value) where T : struct =>
            new(value, ShadowingMeter.Operation(one.Operation));
    }
}
