namespace Ticketing.Demo.Faults;

/// <summary>How a planted fault comes to light.</summary>
internal enum FaultShows
{
    /// <summary>As a mismatch at the expected paths.</summary>
    Mismatch,

    /// <summary>As a candidate error.</summary>
    Error,

    /// <summary>As a candidate timeout.</summary>
    Timeout,

    /// <summary>In the candidate's statements; its answers are right.</summary>
    Statements,

    /// <summary>In the candidate's duration; its answers are right.</summary>
    Duration,
}

/// <summary>A difference as the status names it: the index-free path and the kind.</summary>
internal sealed record FaultTrace(string Path, string Kind);

/// <summary>A way for a candidate to be wrong, known by name. It touches one operation only.</summary>
internal abstract record CandidateFault(string Name, string Operation, string Description, FaultShows Shows)
{
    /// <summary>Every difference that the fault can leave; empty unless it shows as a mismatch.</summary>
    public IReadOnlyList<FaultTrace> Expected { get; init; } = [];
}

/// <summary>One call of the candidate, as a fault finds it: answered rightly, its session still open.</summary>
internal sealed record CandidateCall<TRequest, TAnswer>(ITicketStore Store, TicketSession Session, TRequest Request, TAnswer Answer);

/// <inheritdoc/>
internal sealed record CandidateFault<TRequest, TAnswer>(string Name, string Operation, string Description, FaultShows Shows)
    : CandidateFault(Name, Operation, Description, Shows)
    where TAnswer : class
{
    /// <summary>
    /// Whether there is anything in this answer to get wrong. Cheap and without side effects: it is asked of every answer.
    /// </summary>
    public required Func<TRequest, TAnswer, bool> Fits { get; init; }

    /// <summary>The faulty answer; null where a closer look found nothing to get wrong.</summary>
    public required Func<CandidateCall<TRequest, TAnswer>, CancellationToken, ValueTask<TAnswer?>> Apply { get; init; }
}
