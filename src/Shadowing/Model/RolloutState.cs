namespace Shadowing.Model;

/// <summary>The stored state of an operation's rollout. One row; every change makes a new generation.</summary>
/// <param name="Generation">Counts the changes; 0 before the first.</param>
/// <param name="Nominated">The fingerprint that may be promoted; every other build serves no user. Null while there is none.</param>
/// <param name="Attempt">The number of the nominated fingerprint of the operation, from 1. The gate derives α from it.</param>
/// <param name="HeldBecause">Why the operation may not advance until an operator acknowledges it; null while it may.</param>
/// <param name="IsAutomatic">Whether the service takes an earned step by itself.</param>
/// <param name="IsForced">Whether the stage was set against the gate's decision.</param>
/// <param name="InStage">How long the operation has been in the stage, by the store's clock.</param>
/// <param name="Reason">The reason of the last change.</param>
public sealed record RolloutState(
    string Operation, long Generation, Stage Stage, string? Nominated = null, int Attempt = 1, string? HeldBecause = null,
    bool IsAutomatic = false,
    bool IsForced = false, TimeSpan InStage = default, string ChangedBy = "", string Reason = "")
{
    /// <summary>Whether a rollback has not been acknowledged yet.</summary>
    public bool IsHeld => HeldBecause is not null;
}
