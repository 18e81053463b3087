using System.Globalization;

namespace Shadowing.Evidence;

/// <summary>What a policy must obey, and what makes one weaker than another.</summary>
internal static class GatePolicyRules
{
    public static IReadOnlyList<string> Failures(GatePolicy policy)
    {
        List<string> failures = [];
        Check(!string.IsNullOrWhiteSpace(policy.Name), nameof(policy.Name), policy.Name, "a name is needed");
        Check(policy.Name != GatePolicy.Default.Name || !policy.IsWeakerThanDefault(), nameof(policy.Name), policy.Name,
            "a policy that is weaker than the default needs a name of its own");
        Check(policy.Version >= 1, nameof(policy.Version), policy.Version, "at least 1 is needed");
        Check(policy.Alpha is > 0 and <= 0.5, nameof(policy.Alpha), policy.Alpha, "a chance above 0 and up to 0.5 is needed");
        Rate(nameof(policy.WrongAnswers), policy.WrongAnswers, 0, "0");
        Rate(nameof(policy.ServeEpsilon), policy.ServeEpsilon, policy.WrongAnswers, nameof(policy.WrongAnswers));
        Rate(nameof(policy.FirstEpsilon), policy.FirstEpsilon, policy.ServeEpsilon, nameof(policy.ServeEpsilon));
        Rate(nameof(policy.ShapeEpsilon), policy.ShapeEpsilon, 0, "0");
        if (policy.StatementEpsilon is { } statements) Rate(nameof(policy.StatementEpsilon), statements, 0, "0");
        Rate(nameof(policy.FailureRate), policy.FailureRate, 0, "0");
        Check(policy.FailureOdds >= 1 && double.IsFinite(policy.FailureOdds), nameof(policy.FailureOdds), policy.FailureOdds,
            "at least 1 is needed");
        Share(nameof(policy.UnprovenLimit), policy.UnprovenLimit, 1);
        Share(nameof(policy.DoubtLimit), policy.DoubtLimit, 1);
        Check(policy.UserShare is > 0 and <= 1, nameof(policy.UserShare), policy.UserShare, "a share above 0 and up to 1 is needed");
        Share(nameof(policy.SweepsCarryTo), policy.SweepsCarryTo, 100);
        Share(nameof(policy.PerformanceFrom), policy.PerformanceFrom, 100);
        Check(policy.SoakBeforeFull >= TimeSpan.Zero, nameof(policy.SoakBeforeFull), policy.SoakBeforeFull, "it may not be negative");
        Check(policy.SoakBeforeComplete >= policy.SoakBeforeFull, nameof(policy.SoakBeforeComplete), policy.SoakBeforeComplete,
            "it may not be shorter than SoakBeforeFull");
        Check(policy.BusinessDays >= 0, nameof(policy.BusinessDays), policy.BusinessDays, "it may not be negative");
        Check(policy.StageDwell >= TimeSpan.Zero, nameof(policy.StageDwell), policy.StageDwell, "it may not be negative");
        Check(policy.UncleanExitHold >= TimeSpan.Zero, nameof(policy.UncleanExitHold), policy.UncleanExitHold, "it may not be negative");
        Check(policy.SweepHolds >= TimeSpan.Zero, nameof(policy.SweepHolds), policy.SweepHolds, "it may not be negative");
        Capacity(nameof(policy.WrongAnswers), policy.WrongAnswers, CaseBitmap.OperationBits);
        Capacity(nameof(policy.ShapeEpsilon), policy.ShapeEpsilon, CaseBitmap.ShapeBits);
        var most = CaseBitmap.CapacityOf(CaseBitmap.OperationBits);
        Check(policy.BusyHourCases >= 0 && policy.BusyHourCases <= most, nameof(policy.BusyHourCases), policy.BusyHourCases,
            string.Create(CultureInfo.InvariantCulture, $"between 0 and the {most:N0} cases that a bitmap can count are needed"));
        return failures;

        void Check(bool holds, string name, object? value, string rule)
        {
            if (!holds) failures.Add(string.Create(CultureInfo.InvariantCulture, $"{name} = '{value}': {rule}."));
        }

        void Rate(string name, double value, double least, string leastName) =>
            Check(value is > 0 and < 1 && value >= least, name, value, $"a rate above 0 and below 1, and not below {leastName}, is needed");

        void Share(string name, double value, double most) =>
            Check(value >= 0 && value <= most, name, value, $"between 0 and {most} is needed");

        void Capacity(string name, double epsilon, int bits)
        {
            if (epsilon is not (> 0 and < 1) || policy.Alpha is not (> 0 and <= 0.5)) return;
            var alpha = ParityBound.AlphaOf(1, policy.Alpha) / 2;
            var (needed, most) = (ParityBound.CasesNeeded(0, epsilon, alpha), CaseBitmap.CapacityOf(bits));
            Check(needed <= most, name, epsilon,
                string.Create(CultureInfo.InvariantCulture, $"its proof takes {needed:N0} cases, and the bitmap can count {most:N0}"));
        }
    }

    public static bool IsWeaker(GatePolicy policy, GatePolicy than) =>
        policy.Alpha > than.Alpha || policy.FirstEpsilon > than.FirstEpsilon || policy.ServeEpsilon > than.ServeEpsilon
        || policy.WrongAnswers > than.WrongAnswers || policy.ShapeEpsilon > than.ShapeEpsilon
        || policy.UnprovenLimit > than.UnprovenLimit || policy.DoubtLimit > than.DoubtLimit
        || policy.UserShare > than.UserShare
        || policy.SoakBeforeFull < than.SoakBeforeFull || policy.SoakBeforeComplete < than.SoakBeforeComplete
        || policy.BusinessDays < than.BusinessDays || policy.BusyHourCases < than.BusyHourCases
        || policy.SweepsCarryTo > than.SweepsCarryTo || policy.SweepHolds > than.SweepHolds || policy.PerformanceFrom > than.PerformanceFrom
        || (than.LatencyMustPass && !policy.LatencyMustPass)
        || (policy.StatementEpsilon ?? double.PositiveInfinity) > (than.StatementEpsilon ?? double.PositiveInfinity)
        || policy.UncleanExitHold < than.UncleanExitHold || policy.StageDwell < than.StageDwell
        || policy.FailureRate > than.FailureRate || policy.FailureOdds > than.FailureOdds;
}
