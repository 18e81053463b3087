using System.Globalization;
using ShadowTicketing.Demo.Status;

namespace ShadowTicketing.Mutation;

/// <summary>What a status holds against the candidate.</summary>
internal static class Evidence
{
    private const int FewestComparisons = 50;
    private const double StatementsOfChance = 0.05; // Means are rounded, and a ticket may be gone between the two sides.
    private static readonly string[] Failures = ["mismatch", "candidate_error", "candidate_timeout"];
    private static readonly string[] Shadowed = ["tickets.list", "tickets.get", "tickets.stats", "tickets.create", "tickets.update", "tickets.comment"];

    /// <summary>Whether there is some already: a mismatch or a failure. Statements are judged at the end.</summary>
    public static bool IsAny(StatusView status) => status.Operations.Any(operation => operation.Of(Failures) > 0);

    /// <summary>Whether finding nothing means anything. What an open breaker kept from comparison was seen as well: it was not held against anybody.</summary>
    public static bool IsEnough(StatusView status) =>
        Shadowed.All(name => status.Operations.Any(operation => operation.Operation == name && Seen(operation) >= FewestComparisons));

    /// <returns>A line for each kind.</returns>
    public static IReadOnlyList<string> Of(StatusView status) => [.. status.Operations.SelectMany(Of)];

    private static long Seen(OperationView operation) => operation.Compared + operation.Skips.GetValueOrDefault("breaker_open");

    private static IEnumerable<string> Of(OperationView operation)
    {
        foreach (var outcome in Failures.Where(outcome => operation.Of(outcome) > 0)) yield return $"{operation.Operation} {outcome}";
        foreach (var mismatch in operation.Mismatches) yield return $"{operation.Operation} {mismatch.Path} {mismatch.Kind}";
        var (control, candidate) = operation.Statements;
        if (operation.Compared >= FewestComparisons && candidate > control + StatementsOfChance)
            yield return string.Create(CultureInfo.InvariantCulture, $"{operation.Operation} statements {candidate} for {control}");
    }
}
