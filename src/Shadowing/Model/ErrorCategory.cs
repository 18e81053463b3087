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
public readonly record struct ErrorCategory(string Name, bool IsUnavailable, bool IsOutdated = false);

/// <summary>Says what kind of failure an exception is.</summary>
public delegate ErrorCategory CategorizeError(Exception error);
