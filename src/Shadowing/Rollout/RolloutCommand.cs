using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>What somebody wants changed.</summary>
/// <param name="Actor">Who: an operator's name, or the service itself. Cleaned by <see cref="PlainText"/>, as the reason is.</param>
/// <param name="Reason">Why.</param>
public abstract record RolloutCommand(string Actor, string Reason)
{
    /// <summary>Who wants it.</summary>
    public string Actor { get; } = PlainText.Clean(Actor, PlainText.LongestName);

    /// <summary>Why.</summary>
    public string Reason { get; } = PlainText.Clean(Reason, PlainText.LongestReason);

    /// <summary>The name in the audit.</summary>
    public abstract string Action { get; }
}

/// <summary>A fingerprint is to be promoted, and no other.</summary>
/// <param name="Attempt">Which nominated fingerprint of the operation it is; the same one nominated again keeps its number.</param>
public sealed record Nominate(string Fingerprint, int Attempt, string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => "rollout.nominate";
}

/// <summary>To another stage. Down is always allowed; up only one step, and only earned, unless forced.</summary>
public sealed record MoveTo(Stage Stage, bool IsForced, string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => IsForced ? "rollout.force" : "rollout.move";
}

/// <summary>The candidate is taken from the users, and held until acknowledged. Never refused.</summary>
public sealed record RollBack(string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => "rollout.rollback";
}

/// <summary>Somebody has looked at what was rolled back; it may advance again.</summary>
public sealed record Acknowledge(string Actor, string Reason) : RolloutCommand(Actor, Reason)
{
    /// <inheritdoc/>
    public override string Action => "rollout.acknowledge";
}

/// <summary>Whether earned steps are taken without anybody.</summary>
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

    /// <summary>No fingerprint is nominated, and so none could serve.</summary>
    NotNominated,

    /// <summary>The gate does not say advance to it.</summary>
    NotEarned,
}
