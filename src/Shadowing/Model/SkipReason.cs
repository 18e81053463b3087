namespace Shadowing.Model;

/// <summary>Why an eligible request was not compared.</summary>
public enum SkipReason
{
    /// <summary>Shadowing is off: by a setting, the kill file or a critical finding, or because it is still warming up.</summary>
    Off,

    /// <summary>Sampled out.</summary>
    NotSampled,

    /// <summary>The queue of the lane was full.</summary>
    QueueFull,

    /// <summary>Other served traffic needed the machine for longer than the lane waits.</summary>
    Yielded,

    /// <summary>The budget of database time was spent.</summary>
    Budget,

    /// <summary>The circuit breaker is open, or too many abandoned shadow runs are still running.</summary>
    BreakerOpen,

    /// <summary>The process is short of memory.</summary>
    Memory,

    /// <summary>The caller cancelled the request.</summary>
    Cancelled,

    /// <summary>The served database was unavailable: the caller got no answer, so there is nothing to compare.</summary>
    Unavailable,

    /// <summary>The service stopped before the shadow could run.</summary>
    Shutdown,

    /// <summary>
    /// A write had no sandbox to run in or no image of its rows, or other transactions held the rows that the candidate was to write.
    /// </summary>
    SandboxUnavailable,

    /// <summary>Too many writes to one row, or of one user, were in transactions of ours; this one ran as without shadowing.</summary>
    Crowded,

    /// <summary>
    /// The application registered no sandbox for the write; or the write goes on after a failed statement, which is impossible in a
    /// transaction.
    /// </summary>
    UnsafeWrite,
}
