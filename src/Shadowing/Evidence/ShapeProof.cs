namespace Shadowing.Evidence;

/// <summary>Where a shape stands.</summary>
internal enum ShapeStanding
{
    /// <summary>Proven to mismatch rarely enough, or compared by a sweep in every case there is; and exercised by live traffic.</summary>
    Proven,

    /// <summary>The same by sweeps alone.</summary>
    Unexercised,

    /// <summary>Too many of its recent comparisons had no result.</summary>
    Doubtful,

    /// <summary>None of these.</summary>
    Unproven,
}

/// <summary>A shape with its standing.</summary>
internal sealed record ShapeProof(ShapeEvidence Shape, ShapeStanding Standing)
{
    private const double LeastDoubtful = 2;

    /// <param name="users">Who made the operation's requests.</param>
    public static ShapeProof Prove(ShapeEvidence shape, UserSpread users, GatePolicy policy, double alpha)
    {
        var exhausted = shape.Mismatches == 0 && shape.Existing is >= 1 && shape.Swept >= shape.Existing;
        var proven = exhausted || ParityBound.IsProven(shape.Mismatches, shape.Cases, policy.ShapeEpsilon, alpha)
            || (NeverShowsRows(shape) && ParityBound.IsProven(
                Math.Max(shape.Wrong, shape.Mismatches), users.Bounded(shape.Decided, policy.UserShare), policy.ShapeEpsilon, alpha));
        // A live case in which the candidate was wrong is no exercise that it has passed.
        var exercised = shape.LiveCases > shape.Mismatches;
        var standing = IsDoubtful(shape, policy) ? ShapeStanding.Doubtful
            : !proven ? ShapeStanding.Unproven : exercised ? ShapeStanding.Proven : ShapeStanding.Unexercised;
        return new(shape, standing);
    }

    /// <summary>
    /// Whether every request of the shape was refused or found nothing, as those of callers without access: there is no other case to see,
    /// so it is proven by requests.
    /// </summary>
    public static bool NeverShowsRows(ShapeEvidence shape) => shape is { WithRows: 0, LiveCases: > 0 };

    public GateReason Missing(string label, GatePolicy policy, double alpha)
    {
        var name = $"{label} / {Shape.Name}";
        if (Standing is ShapeStanding.Doubtful)
        {
            var (share, limit) = (Plain.AtMost(Shape.RecentDoubtful / Shape.RecentComparisons), Plain.Percent(policy.DoubtLimit * 100));
            var text = $"{name}: {share} of its recent comparisons had no result, at most {limit} may";
            return new(GateReasonCode.ShapeDoubtful, text, Shape.Name);
        }

        if (Standing is ShapeStanding.Unexercised)
        {
            var swept = Shape.Existing is { } existing ? $"{Plain.Count(Shape.Swept)} of {Plain.Count(existing)} swept" : "swept";
            return new(GateReasonCode.ShapeUnexercised, $"{name}: {swept}; 0 of 1 live cases", Shape.Name);
        }

        var needed = ParityBound.CasesNeeded(Shape.Mismatches, policy.ShapeEpsilon, alpha);
        return new(GateReasonCode.ShapeUnproven, NeverShowsRows(Shape)
            ? $"{name}: {Plain.Count(Shape.Decided)} of {Plain.Count(needed)} requests; none of them showed any row"
            : $"{name}: {Plain.Missing(Shape.Cases, needed, Shape.Mismatches, Shape.CasesPerHour)}", Shape.Name);
    }

    private static bool IsDoubtful(ShapeEvidence shape, GatePolicy policy) =>
        shape.RecentDoubtful >= LeastDoubtful && shape.RecentDoubtful > policy.DoubtLimit * shape.RecentComparisons;
}
