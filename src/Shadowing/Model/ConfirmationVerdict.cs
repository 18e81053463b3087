namespace Shadowing.Model;

/// <summary>What confirming a difference found.</summary>
public enum ConfirmationVerdict
{
    /// <summary>The sides differ on one snapshot too, or of a write in the sandbox on the same rows.</summary>
    Confirmed,

    /// <summary>They agree on one snapshot, and the data has moved meanwhile. Never of a write.</summary>
    Moved,

    /// <summary>
    /// They agree on one snapshot, and nothing moved, or of a write in the sandbox: the candidate differs only under concurrency.
    /// </summary>
    Concurrency,

    /// <summary>The control differs from itself on one snapshot, or of a write in the sandbox on the same rows.</summary>
    ControlUnstable,

    /// <summary>Too many confirmations in this second.</summary>
    Limited,

    /// <summary>The snapshot, or of a write the sandbox, could not be had, or what a side did there decides nothing.</summary>
    Failed,
}
