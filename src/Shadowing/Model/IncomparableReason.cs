namespace Shadowing.Model;

/// <summary>Why a comparison could not be decided. A closed list.</summary>
public enum IncomparableReason
{
    /// <summary>The shadow's database could not be reached or refused the shadow, or the sandbox could not be opened.</summary>
    ShadowUnavailable,

    /// <summary>
    /// The snapshot that confirms a difference could not be had, or the control failed on it; of a write, the sandbox or its rows.
    /// </summary>
    NotConfirmable,

    /// <summary>More differences than may be confirmed in a second.</summary>
    Limited,

    /// <summary>The control does not agree with itself on one snapshot, or of a write in the sandbox on the same rows.</summary>
    ControlUnstable,

    /// <summary>
    /// The candidate failed once and could not be made to fail again; or what it wrote for a user it does not repeat in the sandbox.
    /// </summary>
    NotReproduced,

    /// <summary>
    /// The control answers differently on one snapshot in the served position and in the shadow's: the two positions do not see the same
    /// rows, so neither an agreement nor a difference in the shadow says anything about users.
    /// </summary>
    PositionsDiffer,

    /// <summary>
    /// A side was refused because of where it ran: its role in the shadow position lacks a right, or its transaction is read-only. A
    /// finding says which, and what to do.
    /// </summary>
    RefusedInShadow,

    /// <summary>The answers are larger or deeper than may be compared, or a write concerns more rows than are read.</summary>
    TooLarge,

    /// <summary>Comparing itself failed, for example in a getter that throws.</summary>
    ComparerFailed,

    /// <summary>Nothing differs, but the answers hold a value whose type does not tell when it is equal to another.</summary>
    NotComparable,
}
