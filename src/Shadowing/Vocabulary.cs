namespace Shadowing;

/// <summary>The two implementations of an operation.</summary>
public enum Side
{
    /// <summary>The hand-written one: the source of truth.</summary>
    Control,

    /// <summary>The one that is to replace it.</summary>
    Candidate,
}

/// <summary>Where a side runs. Roles, pools and time limits follow the position, never the side.</summary>
public enum Position
{
    /// <summary>On the caller's own flow: its answer is the user's.</summary>
    Served,

    /// <summary>Unseen, in the lane.</summary>
    Shadow,
}

/// <summary>How a comparison ended.</summary>
public enum Outcome
{
    /// <summary>Both sides did the same.</summary>
    Match,

    /// <summary>They differ only as a declared rule allows.</summary>
    Tolerated,

    /// <summary>
    /// They differ, and differed again when asked on one snapshot, or of a write in the sandbox (or differ only under concurrency).
    /// </summary>
    Mismatch,

    /// <summary>They differed because a row changed between the two.</summary>
    Transient,

    /// <summary>
    /// The candidate failed where the control did not, and failed again: on one snapshot, live, or of a write in the sandbox.
    /// </summary>
    CandidateError,

    /// <summary>The candidate ran out of time, and did again: on one snapshot, live, or of a write in the sandbox.</summary>
    CandidateTimeout,

    /// <summary>
    /// The control failed and the candidate did not: there is nothing to hold the candidate against. Of a write, whose refusal is an
    /// answer, only where the database was not there or the control does not fail again in the sandbox.
    /// </summary>
    ControlError,

    /// <summary>Nothing can be said, for one of <see cref="IncomparableReason"/>; never counted as a match.</summary>
    Incomparable,
}

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

    /// <summary>The answers are larger or deeper than may be compared, or a write concerns more rows than are read.</summary>
    TooLarge,

    /// <summary>Comparing itself failed, for example in a getter that throws.</summary>
    ComparerFailed,

    /// <summary>Nothing differs, but the answers hold a value whose type does not tell when it is equal to another.</summary>
    NotComparable,
}

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

/// <summary>The names of the vocabulary on the wire: in metrics and in the status.</summary>
public static class WireNames
{
    private static readonly string[] Outcomes = Names<Outcome>();
    private static readonly string[] Skips = Names<SkipReason>();
    private static readonly string[] Reasons = Names<IncomparableReason>();
    private static readonly string[] Verdicts = Names<ConfirmationVerdict>();
    private static readonly string[] Kinds = Names<Comparison.DifferenceKind>();
    private static readonly string[] Sides = Names<Side>();
    private static readonly string[] Positions = Names<Position>();
    private static readonly string[] Movements = Names<MovementEvidence>();
    private static readonly string[] Stages = Names<Rollout.StageKind>();
    private static readonly string[] Causes = Names<Diagnosing.Cause>();

    /// <summary>The snake_case name; the same text every time, so that writing a metric allocates nothing.</summary>
    public static string Wire(this Outcome value) => Outcomes[(int)value];

    /// <summary>Whether the candidate was wrong: what the gate counts and a serving candidate is rolled back for.</summary>
    public static bool IsWrong(this Outcome value) => value is Outcome.Mismatch or Outcome.CandidateError or Outcome.CandidateTimeout;

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this SkipReason value) => Skips[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this IncomparableReason value) => Reasons[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this ConfirmationVerdict value) => Verdicts[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this Comparison.DifferenceKind value) => Kinds[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this Side value) => Sides[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this Position value) => Positions[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this MovementEvidence value) => Movements[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this Diagnosing.Cause value) => Causes[(int)value];

    /// <inheritdoc cref="Wire(Outcome)"/>
    public static string Wire(this Rollout.StageKind value) => Stages[(int)value];

    private static string[] Names<T>() where T : struct, Enum =>
        [.. Enum.GetNames<T>().Select(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName)];
}
