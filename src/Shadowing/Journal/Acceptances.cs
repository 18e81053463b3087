using System.Collections.Frozen;
using Shadowing.Model;

namespace Shadowing.Journal;

/// <summary>A signature that is accepted as intended until the acceptance expires.</summary>
/// <param name="Owner">Who is responsible for it.</param>
/// <param name="Reason">Why it is intended.</param>
/// <param name="AcceptedBy">The operator's name.</param>
/// <param name="IsOver">Whether it has expired by the database's clock; this machine's clock may differ.</param>
public sealed record Acceptance(
    string Signature, string Operation, string Owner, string Reason, string AcceptedBy, DateTimeOffset AcceptedAt, DateTimeOffset ExpiresAt,
    bool IsOver = false)
{
    /// <summary>Who is responsible for it, cleaned for storing and showing.</summary>
    public string Owner { get; } = PlainText.Clean(Owner, PlainText.LongestName);

    /// <summary>Why it is intended, cleaned for storing and showing.</summary>
    public string Reason { get; } = PlainText.Clean(Reason, PlainText.LongestReason);

    /// <summary>The operator who accepted it, cleaned for storing and showing.</summary>
    public string AcceptedBy { get; } = PlainText.Clean(AcceptedBy, PlainText.LongestName);

    /// <summary>
    /// The causes that its mismatches had when it was accepted: one of another cause is a mismatch. Empty where an earlier version accepted
    /// it: then it covers every cause.
    /// </summary>
    public IReadOnlyList<string> Causes { get; init; } = [];

    /// <summary>How often it was seen before it was accepted, and since.</summary>
    public AcceptedShare Share { get; init; } = AcceptedShare.None;

    /// <summary>
    /// Whether its share has clearly grown beyond what was accepted: then it is a mismatch again, until it is accepted again.
    /// </summary>
    public bool HasGrown { get; init; }

    /// <summary>Those of some causes that it does not cover.</summary>
    public IReadOnlyList<string> NewAmong(IEnumerable<string> causes) => Causes.Count == 0 ? [] : [.. causes.Except(Causes)];
}

/// <summary>
/// The signatures that are accepted at present. Safe for concurrent use; read once on the lane, never on the caller's flow.
/// </summary>
public sealed class Acceptances
{
    private volatile FrozenDictionary<string, Acceptance> _bySignature = FrozenDictionary<string, Acceptance>.Empty;

    /// <summary>Those in force, and those that expired since they were last replaced.</summary>
    public IReadOnlyCollection<Acceptance> All => _bySignature.Values;

    /// <summary>The acceptance that covers a signature now; null where there is none, or it has expired.</summary>
    public Acceptance? FindAcceptance(string signature, DateTimeOffset now) =>
        _bySignature.GetValueOrDefault(signature) is { IsOver: false } acceptance && now < acceptance.ExpiresAt ? acceptance : null;

    /// <summary>Replaces them all.</summary>
    public void Replace(IEnumerable<Acceptance> acceptances) =>
        _bySignature = acceptances.ToFrozenDictionary(acceptance => acceptance.Signature);
}
