namespace Shadowing.Model;

/// <summary>What one side did with a request.</summary>
/// <param name="Value">Its answer; meaningless where <paramref name="Error"/> is set.</param>
/// <param name="Duration">Of the side's own work; leasing a connection is not in it.</param>
/// <param name="Ledger">Its SQL.</param>
internal sealed record Observation<T>(T? Value, Exception? Error, TimeSpan Duration, StatementLedger Ledger)
{
    /// <summary>What it left of the rows, if it was a write; null where that is not known.</summary>
    public WrittenRows? Rows { get; init; }
}

/// <summary>A shadow run was given up after its time limit.</summary>
internal sealed class ShadowTimeoutException(TimeSpan limit)
    : TimeoutException($"The shadow did not answer within {limit.TotalSeconds:0.###} s.")
{
    /// <summary>Whether it spent its time outside the database: most of it, and the end of it.</summary>
    public bool IsInOwnCode { get; init; }
}

/// <summary>The shadow's database could not be had. No word about the candidate.</summary>
internal sealed class ShadowUnavailableException(Exception cause) : Exception("The shadow's database could not be reached.", cause);
