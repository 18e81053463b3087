namespace Shadowing.Evidence;

/// <summary>What a proven operation claims, and what it does not; said beside every decision.</summary>
public static class GateClaims
{
    /// <summary>What is claimed.</summary>
    /// <param name="policy">Its α is the chance of being wrong.</param>
    public static IReadOnlyList<string> Claimed(GatePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var sure = Plain.Percent((1 - policy.Alpha) * 100);
        return
        [
            $"With {sure} confidence, for all operations and all their shapes together, however often it is looked at, and over all builds "
                + "whose figures were shown and all acceptances:",
            "of the distinct cases that users brought, fewer than the stated share differ;",
            "of the requests that users made, fewer than the stated share would have been answered wrongly;",
            "of the requests of each shape that is served, fewer than the policy's share of cases differ.",
        ];
    }

    /// <summary>What is not claimed.</summary>
    public static IReadOnlyList<string> NotClaimed { get; } =
    [
        "Rows that were being written while they were compared: such a difference is explained by the write, or has no result.",
        "How the candidate behaves beside many others of itself: a share of comparisons runs it at the same time, users may do more.",
        "Caches that are cold: most comparisons come shortly after the control has read the same rows.",
        "Hours, days and users that the traffic has not had yet.",
        "One user: the shares are averages over all users, and one of them may meet more.",
        "Effects beyond the database and the answer.",
    ];
}
