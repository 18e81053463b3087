namespace Shadowing.Evidence;

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
                $"{label}: {Plain.Plural(evidence.CriticalMismatches, "critical mismatch", "critical mismatches")}, none is allowed"));
        }

        if (evidence.OpenMismatches > 0)
        {
            var open = Plain.Plural(evidence.OpenMismatches, "confirmed mismatch", "confirmed mismatches");
            alarms.Add(new(GateReasonCode.ServedMismatch, $"{label}: {open} not triaged yet while the candidate serves"));
        }

        if (evidence.ExcessFailures is { } trip) alarms.Add(Excess(label, trip));
        return alarms;
    }

    public static GateReason Excess(string label, RollbackTrip trip)
    {
        var (requests, window) = (Plain.Plural(trip.Requests, "served request", "served requests"), Plain.Hours(trip.Window));
        return new(GateReasonCode.ExcessFailures,
            $"{label}: {Plain.Count(trip.Failures)} of {requests} failed where the control did not, within {window}: "
                + "too many to be chance");
    }
}
