using System.Globalization;
using Ticketing.Demo.Status;

namespace Mutation;

/// <summary>What a status holds against the candidate.</summary>
internal static class Evidence
{
    private const int FewestComparisons = 50;

    // Traffic deletes about thirty times. Either side always sends one statement for it, and both on the same rows: no chance moves their means.
    private const int FewestDeletions = 20;
    private const string Deletion = "tickets.delete";
    private const double StatementsOfChance = 0.05; // Means are rounded, and a ticket may be gone between the two sides.
    private static readonly string[] Failures = ["mismatch", "candidate_error", "candidate_timeout"];
    private static readonly string[] Shadowed = ["tickets.list", "tickets.get", "tickets.stats", "tickets.create", "tickets.update", Deletion, "tickets.comment"];

    /// <summary>Whether there is some already: a mismatch or a failure. Statements are judged at the end.</summary>
    public static bool IsAny(StatusView status) => status.Operations.Any(operation => operation.CountOf(Failures) > 0);

    /// <summary>
    /// The operations of which so little was seen that finding nothing means nothing. What an open breaker kept from comparison was seen as well: it was
    /// not held against anybody.
    /// </summary>
    public static IReadOnlyList<string> Lacking(StatusView status) =>
    [
        .. from name in Shadowed
           let operation = status.Operations.SingleOrDefault(operation => operation.Operation == name) ?? new(name)
           where Seen(operation) < Fewest(operation)
           select string.Create(CultureInfo.InvariantCulture, $"{name} {Seen(operation)} of {operation.Requests}"),
    ];

    /// <returns>A line for each kind.</returns>
    public static IReadOnlyList<string> Of(StatusView status) => [.. status.Operations.SelectMany(Of)];

    private static int Fewest(OperationView operation) => operation.Operation == Deletion ? FewestDeletions : FewestComparisons;

    private static long Seen(OperationView operation) => operation.Compared + operation.Skips.GetValueOrDefault("breaker_open");

    private static IEnumerable<string> Of(OperationView operation)
    {
        foreach (var outcome in Failures.Where(outcome => operation.CountOf(outcome) > 0)) yield return $"{operation.Operation} {outcome}";
        foreach (var mismatch in operation.Mismatches) yield return $"{operation.Operation} {mismatch.Path} {mismatch.Kind}";
        var (control, candidate) = operation.Statements;
        if (operation.Compared >= Fewest(operation) && candidate > control + StatementsOfChance)
            yield return string.Create(CultureInfo.InvariantCulture, $"{operation.Operation} statements {candidate} for {control}");
    }
}
