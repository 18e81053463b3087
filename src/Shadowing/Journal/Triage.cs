using Shadowing.Model;

namespace Shadowing.Journal;

/// <summary>
/// A signature that is known and not critical: it does not hold the gate until this expires. Its mismatches count like any other, so that
/// more clean cases must outweigh them; and one that appears while the candidate serves rolls back.
/// </summary>
/// <param name="Owner">Who is responsible for it.</param>
/// <param name="Reason">Why users can bear it at the rate that the gate proves.</param>
/// <param name="TriagedBy">The operator's name.</param>
public sealed record Triage(
    string Signature, string Operation, string Owner, string Reason, string TriagedBy, DateTimeOffset TriagedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>Who is responsible for it, cleaned for storing and showing.</summary>
    public string Owner { get; } = PlainText.Clean(Owner, PlainText.LongestName);

    /// <summary>Why users can bear it, cleaned for storing and showing.</summary>
    public string Reason { get; } = PlainText.Clean(Reason, PlainText.LongestReason);

    /// <summary>The operator who triaged it, cleaned for storing and showing.</summary>
    public string TriagedBy { get; } = PlainText.Clean(TriagedBy, PlainText.LongestName);

    /// <summary>The causes that its mismatches had by then: with another one it holds the gate again.</summary>
    public required IReadOnlyList<string> Causes { get; init; }
}
