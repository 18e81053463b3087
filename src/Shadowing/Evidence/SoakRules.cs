using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>Time under real traffic, and what may not be pending once the control is let go.</summary>
internal static class SoakRules
{
    public static IEnumerable<GateReason> Missing(GateCase gateCase)
    {
        var (evidence, policy, kind) = (gateCase.Evidence, gateCase.Policy, gateCase.Target.Kind);
        if (kind is not (StageKind.Full or StageKind.Complete)) yield break;
        var needed = kind is StageKind.Complete ? policy.SoakBeforeComplete : policy.SoakBeforeFull;
        if (evidence.Soak < needed)
        {
            var (soaked, asked) = (Plain.Hours(evidence.Soak), Plain.Hours(needed));
            yield return gateCase.Reason(GateReasonCode.SoakHours, $"{soaked} of {asked} of usual traffic soaked");
        }

        if (evidence.BusinessDays < policy.BusinessDays)
        {
            yield return gateCase.Reason(
                GateReasonCode.SoakBusinessDays, $"{evidence.BusinessDays} of {policy.BusinessDays} business days soaked");
        }

        if (evidence.BusyHourCases < policy.BusyHourCases)
        {
            yield return gateCase.Reason(
                GateReasonCode.SoakBusyHours, $"{evidence.BusyHourCases:N0} of {policy.BusyHourCases:N0} cases from busy hours");
        }

        if (evidence.Acceptances > 0 && kind is StageKind.Complete)
        {
            var accepted = Plain.Plural(evidence.Acceptances, "accepted difference", "accepted differences");
            yield return gateCase.Reason(GateReasonCode.AcceptanceLive, $"{accepted} must be fixed or declared a rule");
        }
    }
}
