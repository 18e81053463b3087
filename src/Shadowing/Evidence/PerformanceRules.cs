namespace Shadowing.Evidence;

/// <summary>Latency and SQL commands: an alarm blocks always; from some percentage up both must be proven.</summary>
internal static class PerformanceRules
{
    public static IEnumerable<GateReason> Alarms(GateCase gateCase) => [.. BlockAlarms(gateCase), .. PairAlarms(gateCase)];

    private static IEnumerable<GateReason> PairAlarms(GateCase gateCase)
    {
        if (gateCase.Evidence.Pairs is not { IsSlow: true, Counts: var counts }) yield break;
        var (factor, candidate, control) = (PairCounts.Factor, counts.CandidateSlower, counts.ControlSlower);
        yield return gateCase.Reason(GateReasonCode.LatencySlow,
            $"of {counts.Pairs:N0} pairs {candidate:N0} in which the candidate took over {factor:0.0} × as long, {control:N0} the control");
    }

    private static IEnumerable<GateReason> BlockAlarms(GateCase gateCase) =>
        from entry in gateCase.Evidence.Latency.ByQuantile()
        where LatencyTest.Judge(entry.Blocks) is LatencyVerdict.Slow
        select gateCase.Reason(GateReasonCode.LatencySlow,
            $"{Name(entry.Quantile)} above {Limit(entry.Quantile)}, by {entry.Blocks.Count:N0} blocks of {LatencyBlocks.Pairs} pairs");

    public static IEnumerable<GateReason> Missing(GateCase gateCase) =>
        gateCase.Target.ServePercent < gateCase.Policy.PerformanceFrom ? [] : [.. Latency(gateCase), .. Statements(gateCase)];

    private static IEnumerable<GateReason> Latency(GateCase gateCase)
    {
        if (!gateCase.Policy.LatencyMustPass) yield break;
        foreach (var (quantile, blocks) in gateCase.Evidence.Latency.ByQuantile())
        {
            var verdict = LatencyTest.Judge(blocks);
            if (verdict is LatencyVerdict.TooFew)
            {
                // What is known of so few is said beside the decision, as wide as it is, and an alarm of the same pairs holds.
                if (gateCase.Evidence.Pairs.SaysEnough) continue;
                yield return gateCase.Reason(GateReasonCode.LatencyUnproven,
                    $"{Name(quantile)}: {blocks.Count:N0} of {LatencyTest.LeastBlocks} blocks of {LatencyBlocks.Pairs} pairs");
            }
            else if (verdict is LatencyVerdict.Undecided)
            {
                yield return gateCase.Reason(GateReasonCode.LatencyUnproven,
                    $"{Name(quantile)} to be shown within {Limit(quantile)}: {blocks.Count:N0} blocks do not yet");
            }
        }
    }

    private static IEnumerable<GateReason> Statements(GateCase gateCase)
    {
        var (trials, alpha) = (gateCase.Evidence.Statements, gateCase.Figures.Alpha);
        if (gateCase.Policy.StatementEpsilon is not { } epsilon) yield break;
        if (ParityBound.IsProven(trials.More, trials.Trials, epsilon, alpha)) yield break;
        var needed = ParityBound.CasesNeeded(trials.More, epsilon, alpha);
        yield return gateCase.Reason(GateReasonCode.StatementsUnproven,
            $"SQL commands counted in {trials.Trials:N0} of {needed:N0} requests; the candidate sent more in {trials.More:N0}");
    }

    private static string Name(LatencyQuantile quantile) => quantile.ToString().ToLowerInvariant();

    private static string Limit(LatencyQuantile quantile) =>
        FormattableString.Invariant($"{LatencyTest.Factor(quantile):0.0} × the control's");
}
