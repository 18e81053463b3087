namespace Shadowing.Model;

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

/// <summary>What an outcome says.</summary>
public static class Outcomes
{
    /// <summary>Whether the candidate was wrong: what the gate counts and a serving candidate is rolled back for.</summary>
    public static bool IsWrong(this Outcome value) => value is Outcome.Mismatch or Outcome.CandidateError or Outcome.CandidateTimeout;
}
