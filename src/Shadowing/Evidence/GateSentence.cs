namespace Shadowing.Evidence;

/// <summary>The decision in one sentence, for the on-call engineer.</summary>
internal static class GateSentence
{
    public static string Compose(
        OperationEvidence evidence, GatePolicy policy, GateCase? gateCase, GateVerdict verdict, IReadOnlyList<GateReason> reasons)
    {
        var conclusion = verdict switch
        {
            GateVerdict.Advance => "",
            GateVerdict.Rollback => $"; roll back: {First(reasons)}",
            GateVerdict.Hold => $"; hold: {First(reasons)}",
            _ => "; no evidence, so the control stays",
        };
        return $"{Plain.Label(evidence.Operation)}: {Facts(evidence, policy, gateCase)}{Marks(evidence, policy)}{conclusion}.";
    }

    private static string Facts(OperationEvidence evidence, GatePolicy policy, GateCase? gateCase)
    {
        if (gateCase is null) return $"the evidence on candidate {evidence.Candidate} contradicts itself";
        var figures = gateCase.Figures;
        if (evidence.IsEmpty) return $"nothing compared with a result on candidate {evidence.Candidate}";
        var swept = figures.Swept > 0 ? $" ({Plain.AtMost(figures.Swept)} by sweeps)" : "";
        var compared = $"{Plain.Plural(figures.Cases, "distinct case", "distinct cases")}{swept} compared on candidate "
            + $"{evidence.Candidate}, {Plain.Plural(evidence.Mismatches, "unexplained mismatch", "unexplained mismatches")}";
        var sure = $"we are {Plain.Percent((1 - policy.Alpha) * 100)} sure, however often you look";
        var together = evidence.Operations > 1 ? $" and of all {evidence.Operations} operations together" : "";
        var requests = figures.RequestBound < 1 ? $" and fewer than {Plain.AtMost(figures.RequestBound)} of requests" : "";
        var bound = figures.Bound < 1
            ? $"{sure}{together}, that fewer than {Plain.AtMost(figures.Bound)} of cases{requests} differ" : "nothing is shown yet";
        var proven = Plain.AtLeast(1 - figures.Unproven);
        return $"{compared} → {bound}; {proven} of traffic is in proven shapes; {Undecided(figures)}{Plain.Hours(evidence.Soak)} clean";
    }

    private static string Undecided(GateFigures figures) => string.Concat(
        figures.Doubt > 0 ? $"{Plain.AtMost(figures.Doubt)} of comparisons without a result; " : "",
        figures.Shed > 0 ? $"{Plain.AtMost(figures.Shed)} not compared because of load; " : "");

    private static string Marks(OperationEvidence evidence, GatePolicy policy) => string.Concat(
        evidence.Transients > 0
            ? $"; {Plain.Plural(evidence.Transients, "difference", "differences")} explained by concurrent changes" : "",
        evidence.Triaged > 0 ? $"; {Plain.Plural(evidence.Triaged, "mismatch", "mismatches")} triaged, which count" : "",
        evidence.Acceptances > 0 ? $"; {Plain.Plural(evidence.Acceptances, "difference", "differences")} accepted for now" : "",
        Thin(evidence, policy),
        policy.IsWeakerThanDefault() ? $"; by policy {policy.Name}, weaker than the default" : "");

    private static string Thin(OperationEvidence evidence, GatePolicy policy)
    {
        if (!evidence.Pairs.SaysEnough) return "";
        var (counts, factor) = (evidence.Pairs.Counts, PairCounts.Factor);
        var most = Plain.AtMost(evidence.Pairs.SlowerAtMost(policy.Alpha));
        return FormattableString.Invariant($"; too few requests to prove latency: by {counts.Pairs:N0} timed pairs ")
            + FormattableString.Invariant($"the candidate takes over {factor:0.0} × as long for fewer than {most} of requests");
    }

    private static string First(IReadOnlyList<GateReason> reasons) => reasons.Count == 1
        ? reasons[0].Text
        : $"{reasons[0].Text}, and {Plain.Plural(reasons.Count - 1, "reason", "reasons")} more";
}
