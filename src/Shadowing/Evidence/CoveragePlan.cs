using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Evidence;

/// <summary>
/// Spends comparisons where they still prove something. As long as the operation lacks anything that comparisons bring, all its requests
/// are compared, as they come: a proof about traffic must be made on traffic. From then on a proven shape decays by its cases, down to a
/// floor.
/// </summary>
public static class CoveragePlan
{
    /// <summary>The share of the requests of each shape that is compared, of those that stage and settings allow. Pure.</summary>
    /// <param name="stage">Where the operation is.</param>
    /// <returns>Shares in (0, 1) by shape; one that is not named is always compared.</returns>
    public static IReadOnlyDictionary<string, double> SampleShares(
        OperationEvidence evidence, GatePolicy policy, Stage stage, ShadowingOptions options)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(stage);
        ArgumentNullException.ThrowIfNull(options);
        if (evidence.Faults().Any()) return new Dictionary<string, double>();
        var last = new GateCase(evidence, policy, Stage.Full);
        if (!IsSettled(last)) return new Dictionary<string, double>();
        var floor = (stage.Serves ? options.ServingFloorPercent : options.TricklePercent) / 100;
        var needed = ParityBound.CasesNeeded(0, policy.ShapeEpsilon, last.AlphaOfShapes);
        return last.Shapes
            .Where(proof => proof is { Standing: ShapeStanding.Proven, Shape: { Mismatches: 0, LiveCases: > 0 } })
            .Select(proof => (proof.Shape.Name, Share: Math.Max(floor, needed / (double)Compared(proof.Shape))))
            .Where(shape => shape.Share < 1)
            .ToDictionary(shape => shape.Name, shape => shape.Share);
    }

    private static long Compared(ShapeEvidence shape) => ShapeProof.NeverShowsRows(shape) ? shape.Decided : shape.LiveCases;

    /// <summary>Whether comparisons have nothing more to bring, up to the last stage.</summary>
    private static bool IsSettled(GateCase last) =>
        last.Figures.LogEvidence >= last.Figures.LogThreshold && last.Figures.RequestLogEvidence >= last.Figures.LogThreshold
        && last.Evidence is { OpenMismatches: 0, CriticalMismatches: 0, ExcessFailures: null }
        && last.Evidence.BusyHourCases >= last.Policy.BusyHourCases
        && !PerformanceRules.Missing(last).Any();
}
