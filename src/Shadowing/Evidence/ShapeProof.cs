namespace Shadowing.Evidence;

/// <summary>Where a shape stands.</summary>
internal enum ShapeStanding
{
    /// <summary>Proven to mismatch rarely enough, or compared by a sweep in every case there is; and exercised by live traffic.</summary>
    Proven,

    /// <summary>The same by sweeps alone.</summary>
    Unexercised,

    /// <summary>Neither.</summary>
    Unproven,
}

/// <summary>A shape with its standing.</summary>
internal sealed record ShapeProof(ShapeEvidence Shape, ShapeStanding Standing)
{
    public static ShapeProof Prove(ShapeEvidence shape, GatePolicy policy, double alpha)
    {
        var exhausted = shape.Mismatches == 0 && shape.Existing is >= 1 && shape.Swept >= shape.Existing;
        var proven = exhausted || ParityBound.IsProven(shape.Mismatches, shape.Cases, policy.ShapeEpsilon, alpha);
        // A live case in which the candidate was wrong is no exercise that it has passed.
        var exercised = shape.LiveCases > shape.Mismatches;
        var standing = !proven ? ShapeStanding.Unproven : exercised ? ShapeStanding.Proven : ShapeStanding.Unexercised;
        return new(shape, standing);
    }

    public GateReason Missing(string label, GatePolicy policy, double alpha)
    {
        var name = $"{label} / {Shape.Name}";
        if (Standing is ShapeStanding.Unexercised)
        {
            var swept = Shape.Existing is { } existing ? $"{Plain.Count(Shape.Swept)} of {Plain.Count(existing)} swept" : "swept";
            return new(GateReasonCode.ShapeUnexercised, $"{name}: {swept}; 0 of 1 live cases", Shape.Name);
        }

        var needed = ParityBound.CasesNeeded(Shape.Mismatches, policy.ShapeEpsilon, alpha);
        var missing = Plain.Missing(Shape.Cases, needed, Shape.Mismatches, Shape.CasesPerHour);
        return new(GateReasonCode.ShapeUnproven, $"{name}: {missing}", Shape.Name);
    }
}
