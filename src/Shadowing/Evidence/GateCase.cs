using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>Believable evidence held against what the next stage asks for.</summary>
internal sealed class GateCase
{
    public GateCase(OperationEvidence evidence, GatePolicy policy, Stage stage)
    {
        (Evidence, Policy, Stage, Target) = (evidence, policy, stage, stage.Next ?? stage);
        var alpha = ParityBound.AlphaOf(evidence.Attempt, policy.Alpha);
        var epsilon = policy.EpsilonToEnter(Target) ?? policy.FirstEpsilon;
        var cases = SweepsCount ? evidence.Cases : evidence.LiveCases;
        Shapes = [.. evidence.Shapes.Select(shape => ShapeProof.Prove(shape, policy, alpha))];
        Figures = new(
            ParityBound.Upper(evidence.Mismatches, cases, alpha), epsilon, alpha, evidence.Attempt,
            ParityBound.LogEPlus(evidence.Mismatches, cases, epsilon), ParityBound.LogThreshold(alpha),
            cases, ParityBound.CasesNeeded(evidence.Mismatches, epsilon, alpha),
            Share(evidence.Differing, evidence.Comparisons), Unproven(),
            // What was wrong must not thin the doubt.
            Share(evidence.Incomparable,
                evidence.Comparisons - Math.Clamp(evidence.Differing, 0, evidence.Comparisons - evidence.Incomparable)));
    }

    public OperationEvidence Evidence { get; }

    public GatePolicy Policy { get; }

    public Stage Stage { get; }

    public Stage Target { get; }

    public IReadOnlyList<ShapeProof> Shapes { get; }

    public GateFigures Figures { get; }

    public string Label => Plain.Label(Evidence.Operation);

    /// <summary>Whether the target is low enough for the cases of sweeps to count.</summary>
    public bool SweepsCount => Target.ServePercent <= Policy.SweepsCarryTo;

    public GateReason Reason(GateReasonCode code, FormattableString text) => new(code, $"{Label}: {FormattableString.Invariant(text)}");

    /// <summary>The bound, or what is plainly to be seen now: shapes that lost their proof may be more than the bound remembers.</summary>
    private double Unproven()
    {
        var seen = Shapes.Where(proof => proof.Standing is not ShapeStanding.Proven).Sum(proof => proof.Shape.TrafficShare);
        return Math.Clamp(Math.Max(Evidence.UnprovenBound, seen), 0, 1);
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}
