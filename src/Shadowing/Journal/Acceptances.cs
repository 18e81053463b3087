using System.Collections.Frozen;
using Shadowing.Model;

namespace Shadowing.Journal;

/// <summary>A signature that an owner has accepted as intended, until it expires.</summary>
/// <param name="Owner">Who answers for it.</param>
/// <param name="Reason">Why it is intended.</param>
/// <param name="AcceptedBy">The operator's token's name.</param>
/// <param name="IsOver">Whether its time is over by the database's clock, whatever this machine's says.</param>
public sealed record Acceptance(
    string Signature, string Operation, string Owner, string Reason, string AcceptedBy, DateTimeOffset AcceptedAt, DateTimeOffset ExpiresAt,
    bool IsOver = false)
{
    /// <summary>Who answers for it, as it can be kept and shown.</summary>
    public string Owner { get; } = PlainText.Clean(Owner, PlainText.LongestName);

    /// <summary>Why it is intended, as it can be kept and shown.</summary>
    public string Reason { get; } = PlainText.Clean(Reason, PlainText.LongestReason);

    /// <summary>Who accepted it, as it can be kept and shown.</summary>
    public string AcceptedBy { get; } = PlainText.Clean(AcceptedBy, PlainText.LongestName);
}

/// <summary>The signatures accepted at present. Safe for concurrent use; one read on the lane, none on the caller's flow.</summary>
public sealed class Acceptances
{
    private volatile FrozenDictionary<string, Acceptance> _bySignature = FrozenDictionary<string, Acceptance>.Empty;

    /// <summary>Those in force or expired since they were last replaced.</summary>
    public IReadOnlyCollection<Acceptance> All => _bySignature.Values;

    /// <summary>The acceptance that covers a signature now; null where there is none, or it has expired.</summary>
    public Acceptance? FindAcceptance(string signature, DateTimeOffset now) =>
        _bySignature.GetValueOrDefault(signature) is { IsOver: false } acceptance && now < acceptance.ExpiresAt ? acceptance : null;

    /// <summary>Replaces them all.</summary>
    public void Replace(IEnumerable<Acceptance> acceptances) =>
        _bySignature = acceptances.ToFrozenDictionary(acceptance => acceptance.Signature);
}
