using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>A change of an operation's rollout.</summary>
/// <param name="Actor">An operator's name, or the service itself. Cleaned by <see cref="PlainText"/>, as the reason is.</param>
/// <param name="Reason">Why the change is made.</param>
public abstract record RolloutCommand(string Actor, string Reason)
{
    /// <summary>Who makes the change: an operator's name, or the service itself.</summary>
    public string Actor { get; } = PlainText.Clean(Actor, PlainText.LongestName);

    /// <summary>Why the change is made.</summary>
    public string Reason { get; } = PlainText.Clean(Reason, PlainText.LongestReason);

    /// <summary>The name in the audit.</summary>
    public abstract string Action { get; }
}

/// <summary>Names the fingerprint that may be promoted; no other may be.</summary>
/// <param name="Attempt">The number of the nominated fingerprint of the operation; nominated again, it keeps its number.</param>
public sealed record Nominate(string Fingerprint, int Attempt, string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => "rollout.nominate";
}

/// <summary>Moves to another stage. Down is always allowed. Up is allowed by one earned step only, unless forced.</summary>
public sealed record MoveTo(Stage Stage, bool IsForced, string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => IsForced ? "rollout.force" : "rollout.move";
}

/// <summary>Stops the candidate serving, and holds the operation until it is acknowledged. Never refused.</summary>
public sealed record RollBack(string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => "rollout.rollback";
}

/// <summary>An operator has looked at the rollback; the operation may advance again.</summary>
public sealed record Acknowledge(string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => "rollout.acknowledge";
}

/// <summary>Sets whether the service takes earned steps by itself.</summary>
public sealed record SetAutomatic(bool IsAutomatic, string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => IsAutomatic ? "rollout.automatic" : "rollout.manual";
}

/// <summary>Why a change was refused. A closed list.</summary>
public enum RolloutRefusal
{
    /// <summary>A rollback has not been acknowledged.</summary>
    Held,

    /// <summary>No fingerprint is nominated, so no build could serve.</summary>
    NotNominated,

    /// <summary>The gate does not grant this step.</summary>
    NotEarned,
}
