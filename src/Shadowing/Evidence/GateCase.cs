using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>Believable evidence held against what the next stage asks for.</summary>
internal sealed class GateCase
{
    public GateCase(OperationEvidence evidence, GatePolicy policy, Stage stage)
    {
        (Evidence, Policy, Stage, Target) = (evidence, policy, stage, stage.Next ?? stage);
        var (alpha, alphaOfShapes) = AlphasOf(evidence, policy);
        var epsilon = policy.EpsilonToEnter(Target) ?? policy.FirstEpsilon;
        AlphaOfShapes = alphaOfShapes;
        Shapes = [.. evidence.Shapes.Select(shape => ShapeProof.Prove(shape, evidence.Sample.Users, policy, alphaOfShapes))];
        var swept = SweepsCount ? evidence.Cases - evidence.LiveCases : 0;
        var cases = evidence.CaseUsers.Bounded(evidence.LiveCases, policy.UserShare) + swept;
        var requests = RequestsThatCount() + swept;
        var wrong = evidence.Sample.Wrong + evidence.Sample.ExcessFlakes;
        Figures = new(
            ParityBound.Upper(evidence.Mismatches, cases, alpha), epsilon, alpha, evidence.Attempt,
            ParityBound.LogEPlus(evidence.Mismatches, cases, epsilon), ParityBound.LogThreshold(alpha),
            cases, ParityBound.CasesNeeded(evidence.Mismatches, epsilon, alpha),
            Share(evidence.Differing, evidence.Comparisons), Unproven(), Doubt())
        {
            Requests = requests,
            RequestsNeeded = ParityBound.CasesNeeded(wrong, epsilon, alpha),
            RequestBound = ParityBound.Upper(wrong, requests, alpha),
            RequestLogEvidence = ParityBound.LogEPlus(wrong, requests, epsilon),
            Swept = Share(swept, evidence.LiveCases + swept),
            Shed = Share(evidence.Shed, evidence.Shed + evidence.Comparisons),
        };
    }

    public OperationEvidence Evidence { get; }

    public GatePolicy Policy { get; }

    public Stage Stage { get; }

    public Stage Target { get; }

    public IReadOnlyList<ShapeProof> Shapes { get; }

    /// <summary>The chance of a false proof that each shape may spend.</summary>
    public double AlphaOfShapes { get; }

    public GateFigures Figures { get; }

    public string Label => Plain.Label(Evidence.Operation);

    /// <summary>Whether the target is low enough for the cases of sweeps to count.</summary>
    public bool SweepsCount => Target.ServePercent <= Policy.SweepsCarryTo;

    /// <summary>The classes of requests that are compared far more rarely than the rest; see <see cref="SamplingRules"/>.</summary>
    public IReadOnlyList<SampledClass> ComparedTooRarely => field ??= SamplingRules.TooRarely(this);

    public GateReason Reason(GateReasonCode code, FormattableString text) => new(code, $"{Label}: {FormattableString.Invariant(text)}");

    /// <summary>
    /// α of this attempt, for all operations and all their shapes together: one half is for the operations' own proofs, the other for
    /// those of the shapes, because each shape is served on its own proof.
    /// </summary>
    internal static (double Operation, double Shape) AlphasOf(OperationEvidence evidence, GatePolicy policy)
    {
        var half = ParityBound.AlphaOf(evidence.Attempt, policy.Alpha) / (2 * evidence.Operations);
        return (half, half / Math.Max(1, evidence.Shapes.Count));
    }

    /// <summary>
    /// How many requests the sample stands for. Of each proven shape it counts only so many as if all were compared as rarely as the one
    /// that is compared most rarely: that is a sample drawn alike from all of them.
    /// </summary>
    private long RequestsThatCount()
    {
        var proven = Shapes.Where(proof => proof.Standing is ShapeStanding.Proven).Select(proof => proof.Shape).ToArray();
        var (due, decided) = (proven.Sum(shape => shape.Due), proven.Sum(shape => shape.Decided));
        // The rare ones together, because a share of a few requests says little.
        var rare = proven.Where(shape => shape.Due * 100 < due).ToArray();
        var least = proven.Except(rare).Select(shape => new SampledClass(shape.Name, shape.Due, shape.Decided))
            .Append(new("", rare.Sum(shape => shape.Due), rare.Sum(shape => shape.Decided))).Min(part => part.Share);
        return Evidence.Sample.Users.Bounded(Math.Min(decided, (long)Math.Floor(least * due)), Policy.UserShare);
    }

    /// <summary>The bound, or what is plainly to be seen now: shapes that lost their proof may be more than the bound remembers.</summary>
    private double Unproven()
    {
        var seen = Shapes.Where(proof => proof.Standing is not ShapeStanding.Proven).Sum(proof => proof.Shape.TrafficShare);
        return Math.Clamp(Math.Max(Evidence.UnprovenBound, seen), 0, 1);
    }

    /// <summary>
    /// The share of comparisons without a result: of about the last day where that is known, and without the shapes that are held for their
    /// own doubt.
    /// </summary>
    private double Doubt()
    {
        var recent = Shapes.Where(proof => proof.Standing is not ShapeStanding.Doubtful).Select(proof => proof.Shape).ToArray();
        if (Shapes.Any(proof => proof.Shape.RecentComparisons > 0))
        {
            var comparisons = recent.Sum(shape => shape.RecentComparisons);
            return comparisons <= 0 ? 0 : Math.Clamp(recent.Sum(shape => shape.RecentDoubtful) / comparisons, 0, 1);
        }

        // What was wrong must not thin the doubt.
        return Share(Evidence.Incomparable,
            Evidence.Comparisons - Math.Clamp(Evidence.Differing, 0, Evidence.Comparisons - Evidence.Incomparable));
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}
