namespace Shadowing.Model;

/// <summary>
/// What kind of failure an exception is, so that two sides that fail differently in type but alike in kind are seen as alike.
/// </summary>
/// <param name="Name">A name from a small set: a SQLSTATE, or an exception's type.</param>
/// <param name="IsUnavailable">The database could not be reached, or ended the connection: no word about the code that was running.</param>
/// <param name="IsOutdated">
/// The connection had kept something that is no longer valid, such as a plan from before the schema changed: no word about the code either,
/// and what was refused would succeed on another connection.
/// </param>
public readonly record struct ErrorCategory(string Name, bool IsUnavailable, bool IsOutdated = false)
{
    /// <summary>What tells failures of one name apart, such as the constraint that was broken; null where the name does.</summary>
    public string? Detail { get; init; }

    /// <summary>
    /// Set where the failure comes from the position that the code ran in, such as a right that its role does not have: why, and what to
    /// do, in sentences without values. In the served position it is the code's own fault.
    /// </summary>
    public string? OnlyHere { get; init; }
}

/// <summary>Says what kind of failure an exception is.</summary>
public delegate ErrorCategory CategorizeError(Exception error);

/// <summary>
/// Says what a user gets for a failure, such as <c>404 order_not_found</c>: two failures are alike where users get the same. Null where
/// that is not known; then the kind of failure decides. Registered by an application that turns exceptions into answers.
/// </summary>
public delegate string? DescribeFailure(Exception error);
