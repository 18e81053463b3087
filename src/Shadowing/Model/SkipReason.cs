namespace Shadowing.Model;

/// <summary>Why an eligible request was not compared.</summary>
public enum SkipReason
{
    /// <summary>Shadowing is off: by setting, kill file, a critical finding, or because it is still warming up.</summary>
    Off,

    /// <summary>Sampled out.</summary>
    NotSampled,

    /// <summary>The lane had no room.</summary>
    QueueFull,

    /// <summary>Other served traffic needed the machine for longer than the lane waits.</summary>
    Yielded,

    /// <summary>The budget of database time was spent.</summary>
    Budget,

    /// <summary>The circuit breaker is open, or too many abandoned shadow runs are still going.</summary>
    BreakerOpen,

    /// <summary>The process is short of memory.</summary>
    Memory,

    /// <summary>The caller gave up on the request.</summary>
    Cancelled,

    /// <summary>The served database could not be had, so nobody was answered and nothing can be compared.</summary>
    Unavailable,

    /// <summary>The service stopped before the shadow could run.</summary>
    Shutdown,

    /// <summary>
    /// A write had no sandbox to run in or no image of its rows, or others held the rows that the candidate was to write.
    /// </summary>
    SandboxUnavailable,

    /// <summary>
    /// A write that its application registered no sandbox for, or that goes on after a failure that undoes a transaction.
    /// </summary>
    UnsafeWrite,
}
