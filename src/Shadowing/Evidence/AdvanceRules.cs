namespace Shadowing.Evidence;

/// <summary>All that is missing for the next stage. More clean cases never add a reason, and a mismatch never removes one.</summary>
internal static class AdvanceRules
{
    private const int MostShapes = 5;

    public static IReadOnlyList<GateReason> Missing(GateCase gateCase)
    {
        if (gateCase.Policy.EpsilonToEnter(gateCase.Target) is null) return [];
        List<GateReason> missing = [.. Standing(gateCase), .. Parity(gateCase), .. Trust(gateCase), .. PerformanceRules.Alarms(gateCase)];
        if (!gateCase.Target.Serves) return missing;
        missing.AddRange([.. Nomination(gateCase), .. Coverage(gateCase)]);
        missing.AddRange([.. Requests(gateCase), .. SamplingRules.Missing(gateCase)]);
        return [.. missing, .. PerformanceRules.Missing(gateCase), .. SoakRules.Missing(gateCase)];
    }

    private static IEnumerable<GateReason> Standing(GateCase gateCase)
    {
        if (gateCase.Evidence.IsHeld) yield return gateCase.Reason(GateReasonCode.Held, $"rolled back, and not acknowledged yet");
        if (!gateCase.Stage.Serves || gateCase.Evidence.InStage >= gateCase.Policy.StageDwell) yield break;
        var (waited, dwell) = (Plain.Hours(gateCase.Evidence.InStage), Plain.Hours(gateCase.Policy.StageDwell));
        yield return gateCase.Reason(GateReasonCode.StageDwell, $"{waited} of {dwell} at {gateCase.Stage}");
    }

    private static IEnumerable<GateReason> Parity(GateCase gateCase)
    {
        var (evidence, figures) = (gateCase.Evidence, gateCase.Figures);
        if (figures.LogEvidence >= figures.LogThreshold) yield break;
        var missing = Plain.Missing(figures.Cases, figures.CasesNeeded, evidence.Mismatches, evidence.CasesPerHour)
            + OneUser(evidence.CaseUsers, gateCase.Policy, "cases");
        if (figures.CasesNeeded > CaseBitmap.OperationBits) missing += $"; only {Plain.Count(CaseBitmap.OperationBits)} can be counted";
        var limit = Plain.Percent(gateCase.Policy.SweepsCarryTo);
        yield return !gateCase.SweepsCount && ParityBound.IsProven(evidence.Mismatches, evidence.Cases, figures.Epsilon, figures.Alpha)
            ? gateCase.Reason(GateReasonCode.CappedBySweeps, $"live traffic has {missing}; sweeps count up to serve {limit} only")
            : gateCase.Reason(GateReasonCode.OperationUnproven, $"{missing}");
    }

    /// <summary>The same rate of the requests that users make: a kind of request that is made often weighs as much as it is made.</summary>
    private static IEnumerable<GateReason> Requests(GateCase gateCase)
    {
        var (sample, figures) = (gateCase.Evidence.Sample, gateCase.Figures);
        if (figures.RequestLogEvidence >= figures.LogThreshold) yield break;
        var wrong = sample.Wrong + sample.ExcessFlakes;
        var among = wrong == 0 ? "" : $" (with {Plain.Plural(wrong, "wrong answer", "wrong answers")} among them)";
        var one = OneUser(sample.Users, gateCase.Policy, "requests");
        yield return gateCase.Reason(GateReasonCode.RequestsUnproven,
            $"{figures.Requests:N0} of {figures.RequestsNeeded:N0} requests that stand for the traffic{among}{one}");
    }

    private static string OneUser(UserSpread users, GatePolicy policy, string what) => users.Busiest <= policy.UserShare ? ""
        : $"; {Plain.AtMost(users.Busiest)} of the {what} are of one user, of which at most {Plain.Percent(policy.UserShare * 100)} count"
            + (users.Least == 1 ? ": with a single user nothing is shown for others" : "");

    private static IEnumerable<GateReason> Trust(GateCase gateCase)
    {
        var (evidence, policy) = (gateCase.Evidence, gateCase.Policy);
        var open = Math.Max(evidence.OpenMismatches, evidence.CriticalMismatches);
        if (open > 0)
        {
            yield return gateCase.Reason(GateReasonCode.OpenMismatch, $"{Plain.Plural(open, "mismatch", "mismatches")} not triaged yet");
        }

        // The windows reach back a day: what took the candidate back keeps it back until they have forgotten it.
        if (evidence.ExcessFailures is { } trip) yield return RollbackRules.Excess(gateCase.Label, trip);
        if (gateCase.Figures.Doubt > policy.DoubtLimit)
        {
            var limit = Plain.Percent(policy.DoubtLimit * 100);
            yield return gateCase.Reason(GateReasonCode.Doubt,
                $"{Plain.AtMost(gateCase.Figures.Doubt)} of recent comparisons incomparable, at most {limit} may be");
        }

        if (evidence.SinceUncleanExit is { } since && since < policy.UncleanExitHold)
        {
            var (waited, hold) = (Plain.Hours(since), Plain.Hours(policy.UncleanExitHold));
            yield return gateCase.Reason(
                GateReasonCode.UncleanExit, $"{waited} of {hold} waited since an instance did not shut down cleanly");
        }
    }

    private static IEnumerable<GateReason> Nomination(GateCase gateCase)
    {
        if (gateCase.Evidence.Nominated) yield break;
        yield return gateCase.Reason(GateReasonCode.NotNominated, $"candidate {gateCase.Evidence.Candidate} is not nominated");
    }

    private static IEnumerable<GateReason> Coverage(GateCase gateCase)
    {
        var unproven = gateCase.Shapes.Where(proof => proof.Standing is not ShapeStanding.Proven).ToArray();
        var (shapes, proven) = (gateCase.Shapes.Count, gateCase.Shapes.Count - unproven.Length);
        if (gateCase.Figures.Unproven <= gateCase.Policy.UnprovenLimit && proven > 0) yield break;
        var (share, limit) = (Plain.AtMost(gateCase.Figures.Unproven), Plain.Percent(gateCase.Policy.UnprovenLimit * 100));
        yield return gateCase.Reason(GateReasonCode.UnprovenTraffic,
            $"up to {share} of traffic is in unproven shapes, at most {limit} may be; {proven:N0} of {shapes:N0} shapes proven");
        foreach (var proof in unproven.OrderByDescending(proof => proof.Shape.TrafficShare).Take(MostShapes))
        {
            yield return proof.Missing(gateCase.Label, gateCase.Policy, gateCase.AlphaOfShapes);
        }
    }
}
