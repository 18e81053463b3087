namespace Shadowing.Model;

/// <summary>Where an operation stands, as the store has it. One row; every change makes a new generation.</summary>
/// <param name="Generation">Counts the changes; 0 before the first.</param>
/// <param name="Nominated">The fingerprint that may be promoted; every other build serves nobody. Null while there is none.</param>
/// <param name="Attempt">Which nominated fingerprint of the operation it is, from 1: what the gate's α is divided by.</param>
/// <param name="HeldBecause">Why nothing may advance until somebody acknowledges; null while it may.</param>
/// <param name="IsAutomatic">Whether an earned step is taken without anybody.</param>
/// <param name="IsForced">Whether the stage was taken against the gate.</param>
/// <param name="InStage">How long it has been in the stage, by the store's clock.</param>
/// <param name="Reason">Why it was changed last.</param>
public sealed record RolloutState(
    string Operation, long Generation, Stage Stage, string? Nominated = null, int Attempt = 1, string? HeldBecause = null,
    bool IsAutomatic = false,
    bool IsForced = false, TimeSpan InStage = default, string ChangedBy = "", string Reason = "")
{
    /// <summary>Whether a rollback waits to be acknowledged.</summary>
    public bool IsHeld => HeldBecause is not null;
}
