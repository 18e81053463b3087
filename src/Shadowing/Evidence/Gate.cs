using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>Decides which stage an operation has earned, and why. Pure: equal evidence, policy and stage give an equal decision.</summary>
public static class Gate
{
    /// <summary>Decides whether the operation advances, holds or is rolled back.</summary>
    /// <param name="policy">A valid one: see <see cref="GatePolicy.Failures"/>.</param>
    /// <param name="stage">The stage that the operation is at now.</param>
    public static GateDecision Decide(OperationEvidence evidence, GatePolicy policy, Stage stage)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(stage);
        var believed = !evidence.Faults().Any();
        var gateCase = believed ? new GateCase(evidence, policy, stage) : null;
        var alarms = stage.Serves ? RollbackRules.Alarms(evidence) : [];
        if (alarms.Count > 0) return Say(GateVerdict.Rollback, Stage.Shadow, alarms);
        if (gateCase is null) return Say(GateVerdict.Hold, stage, [Invalid(evidence)]);
        if (evidence.IsEmpty) return Say(GateVerdict.NoEvidence, stage, [Nothing(evidence)]);
        if (stage.Next is not { } next) return Say(GateVerdict.Hold, stage, [Last(evidence)]);
        var missing = AdvanceRules.Missing(gateCase);
        return missing.Count > 0 ? Say(GateVerdict.Hold, stage, missing) : Say(GateVerdict.Advance, next, [Earned(gateCase, next)]);

        GateDecision Say(GateVerdict verdict, Stage target, IReadOnlyList<GateReason> reasons) => new(
            evidence.Operation, verdict, stage, target, reasons, GateSentence.Compose(evidence, policy, gateCase, verdict, reasons),
            policy.Name, policy.Version, gateCase?.Figures);
    }

    /// <summary>The shapes that are proven now. A request of any other shape counts as unproven when it arrives.</summary>
    public static IReadOnlySet<string> ProvenShapes(OperationEvidence evidence, GatePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(policy);
        return evidence.Faults().Any()
            ? new HashSet<string>()
            : new GateCase(evidence, policy, Stage.Off).Shapes
                .Where(proof => proof.Standing is ShapeStanding.Proven).Select(proof => proof.Shape.Name).ToHashSet();
    }

    /// <summary>How many distinct cases prove a shape of the operation, with so many mismatches among them.</summary>
    public static long ShapeCasesNeeded(OperationEvidence evidence, GatePolicy policy, long mismatches)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(policy);
        return ParityBound.CasesNeeded(mismatches, policy.ShapeEpsilon, GateCase.AlphasOf(evidence, policy).Shape);
    }

    /// <summary>
    /// The shapes that the candidate may serve: the proven ones if the fingerprint is nominated, otherwise none. A family is served
    /// together or not at all, so that the pages of one list come from one side. Shapes that are not proven do not hold it back as long as
    /// they are together no larger a part of its traffic than the policy leaves unproven: one request of a new shape takes no family away.
    /// </summary>
    /// <param name="familyOf">
    /// See <see cref="Experiment.ShapeFamily"/>; null where the rule throws. Then none may be served, because any shape may belong to
    /// that family.
    /// </param>
    public static IReadOnlySet<string> ServableShapes(OperationEvidence evidence, GatePolicy policy, Func<string, string?> familyOf)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(familyOf);
        if (!evidence.Nominated) return new HashSet<string>();
        var proven = ProvenShapes(evidence, policy);
        var families = evidence.Shapes.ToLookup(shape => familyOf(shape.Name));
        return families.Contains(null) ? new HashSet<string>()
            : families.Where(IsServed).SelectMany(family => family).Select(shape => shape.Name).Where(proven.Contains).ToHashSet();

        bool IsServed(IEnumerable<ShapeEvidence> family)
        {
            var unproven = family.Where(shape => !proven.Contains(shape.Name)).ToArray();
            return unproven.All(shape => shape is { Mismatches: 0, RecentDoubtful: 0 })
                && unproven.Sum(shape => shape.TrafficShare) <= policy.UnprovenLimit * family.Sum(shape => shape.TrafficShare);
        }
    }

    private static GateReason Invalid(OperationEvidence evidence) => new(GateReasonCode.EvidenceInvalid,
        $"{Plain.Label(evidence.Operation)}: the evidence contradicts itself: {string.Join("; ", evidence.Faults())}");

    private static GateReason Nothing(OperationEvidence evidence) => new(GateReasonCode.NothingCompared, evidence.Comparisons == 0
        ? $"{Plain.Label(evidence.Operation)}: 0 cases compared; shadow it, or sweep it"
        : $"{Plain.Label(evidence.Operation)}: 0 cases from {Plain.Plural(evidence.Comparisons, "comparison", "comparisons")}, "
            + $"of which {Plain.Count(evidence.Incomparable)} incomparable");

    private static GateReason Last(OperationEvidence evidence) =>
        new(GateReasonCode.LastStage, $"{Plain.Label(evidence.Operation)}: complete; there is no next stage");

    private static GateReason Earned(GateCase gateCase, Stage next)
    {
        var (figures, epsilon) = (gateCase.Figures, Plain.AtMost(gateCase.Figures.Epsilon));
        return gateCase.Policy.EpsilonToEnter(next) is null
            ? gateCase.Reason(GateReasonCode.Proven, $"{next} answers no user and needs no proof")
            : gateCase.Reason(GateReasonCode.Proven, $"{figures.Cases:N0} cases prove that fewer than {epsilon} differ: {next} is earned");
    }
}
