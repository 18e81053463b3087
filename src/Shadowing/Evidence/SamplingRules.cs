namespace Shadowing.Evidence;

/// <summary>
/// Whether what is compared is like what users ask for: where requests of one shape, or of one class of duration, are compared far more
/// rarely than the rest, the evidence is not about them.
/// </summary>
internal static class SamplingRules
{
    /// <summary>Fewer requests than this have no share that could be judged.</summary>
    public const long Least = 200;

    private const double LeastOfRest = 0.5;
    private const int Most = 3;

    /// <summary>The classes of which less than half as much is compared as of all requests, most requests first.</summary>
    public static IReadOnlyList<SampledClass> TooRarely(GateCase gateCase)
    {
        var shapes = gateCase.Shapes.Where(proof => proof.Standing is ShapeStanding.Proven)
            .Select(proof => new SampledClass($"shape {proof.Shape.Name}", proof.Shape.Due, proof.Shape.Decided));
        return [.. Rare([.. shapes]).Concat(Rare(gateCase.Evidence.Sample.Durations)).OrderByDescending(one => one.Due).Take(Most)];
    }

    public static IEnumerable<GateReason> Missing(GateCase gateCase) => gateCase.ComparedTooRarely.Select(one => gateCase.Reason(
        GateReasonCode.SamplingUneven,
        $"{one.Name}: {one.Decided:N0} of {one.Due:N0} requests compared, less than half the share of the rest"));

    private static IEnumerable<SampledClass> Rare(IReadOnlyList<SampledClass> classes)
    {
        var all = new SampledClass("", classes.Sum(one => one.Due), classes.Sum(one => one.Decided));
        return classes.Where(one => one.Due >= Least && one.Share < LeastOfRest * all.Share);
    }
}
