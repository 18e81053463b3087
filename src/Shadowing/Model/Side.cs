namespace Shadowing.Model;

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
