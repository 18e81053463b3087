namespace Shadowing.Comparison;

/// <summary>
/// Values of two runs that differ and yet are the same: each run's own clock, and the keys that each gave the same new row. Does not throw.
/// </summary>
public abstract class PairedValues
{
    /// <summary>Whether two values that differ are the same.</summary>
    public abstract bool AreSame(object? control, object? candidate);

    /// <summary>The control's key of the row that the candidate's key names; the key itself where that is no new row.</summary>
    public abstract object ControlKey(object candidateKey);
}
