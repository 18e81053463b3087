namespace ShadowTicketing.Shadowing.Evidence;

/// <summary>What takes a serving candidate from the users. Needs no sound evidence: what is known to be wrong suffices.</summary>
internal static class RollbackRules
{
    public static IReadOnlyList<GateReason> Alarms(OperationEvidence evidence)
    {
        List<GateReason> alarms = [];
        var label = Plain.Label(evidence.Operation);
        if (evidence.CriticalMismatches > 0)
        {
            alarms.Add(new(GateReasonCode.CriticalMismatch,
                $"{label}: {Plain.Plural(evidence.CriticalMismatches, "critical mismatch", "critical mismatches")}, one is too many"));
        }

        if (evidence.OpenMismatches > 0)
        {
            var open = Plain.Plural(evidence.OpenMismatches, "confirmed mismatch", "confirmed mismatches");
            alarms.Add(new(GateReasonCode.ServedMismatch, $"{label}: {open} to be triaged, and the candidate serves"));
        }

        if (evidence.ExcessFailures is { } trip)
        {
            alarms.Add(new(GateReasonCode.ExcessFailures,
                $"{label}: {Plain.Count(trip.Failures)} of {Plain.Plural(trip.Requests, "served request", "served requests")} "
                + $"failed in excess of the control within {Plain.Hours(trip.Window)}"));
        }

        return alarms;
    }
}
