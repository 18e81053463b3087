namespace Shadowing.Evidence;

/// <summary>An operation's <see cref="RequestSample"/> on this replica, in one epoch. Safe for concurrent use.</summary>
internal sealed class SampleCounts(int epoch)
{
    private readonly long[] _casesByUser = new long[UserBuckets.Count];
    private readonly long[] _requestsByUser = new long[UserBuckets.Count];
    private readonly long[] _dueByDuration = new long[DurationClass.Count];
    private readonly long[] _decidedByDuration = new long[DurationClass.Count];
    private long _tries, _candidateFlakes, _controlFlakes;
    private long _allTries, _allControlFlakes;
    private int _isChanged;

    /// <summary>The rate at which the control alone fails, at most, on this replica since its start; 0 where it never did.</summary>
    public double ControlFlakeRate => RequestSample.RateAtMost(Volatile.Read(ref _allControlFlakes), Volatile.Read(ref _allTries));

    /// <summary>A request that was due has been answered.</summary>
    public void Due(TimeSpan duration) => Add(ref _dueByDuration[DurationClass.ClassFor(duration)]);

    /// <summary>A comparison has ended.</summary>
    /// <param name="isNewCase">Whether it brought a case that this replica had not seen.</param>
    public void Compared(ComparedFacts facts, bool isNewCase)
    {
        if (facts.BothRan)
        {
            Add(ref _tries);
            Add(ref _allTries);
        }

        if (facts.CandidateFlaked) Add(ref _candidateFlakes);
        if (facts.ControlFlaked)
        {
            Add(ref _controlFlakes);
            Add(ref _allControlFlakes);
        }

        var bucket = facts.User is { } user ? UserBuckets.BucketFor(user) : -1;
        if (isNewCase && bucket >= 0) Add(ref _casesByUser[bucket]);
        if (!facts.IsDue || !facts.IsDecided) return;
        if (bucket >= 0) Add(ref _requestsByUser[bucket]);
        Add(ref _decidedByDuration[DurationClass.ClassFor(facts.Duration)]);
    }

    /// <summary>What is new since this was last asked; null where nothing is.</summary>
    public SampleBatch? Take()
    {
        if (Interlocked.Exchange(ref _isChanged, 0) == 0) return null;
        return new(epoch, Take(_casesByUser), Take(_requestsByUser), Take(_dueByDuration), Take(_decidedByDuration))
        {
            Tries = Interlocked.Exchange(ref _tries, 0),
            CandidateFlakes = Interlocked.Exchange(ref _candidateFlakes, 0),
            ControlFlakes = Interlocked.Exchange(ref _controlFlakes, 0),
        };
    }

    private static long[] Take(long[] counts)
    {
        var taken = new long[counts.Length];
        for (var i = 0; i < counts.Length; i++) taken[i] = Interlocked.Exchange(ref counts[i], 0);
        return taken;
    }

    private void Add(ref long count)
    {
        Interlocked.Increment(ref count);
        Volatile.Write(ref _isChanged, 1);
    }
}

/// <summary>What a comparison of live traffic showed.</summary>
/// <param name="Case">The hash of its case; null where it is none.</param>
internal readonly record struct ComparedFacts(ulong? Case, Model.Outcome Outcome)
{
    /// <summary>Whether the candidate sent more SQL commands; null where they are not known.</summary>
    public bool? CandidateSentMore { get; init; }

    /// <summary>Whether the answer, or the write, showed rows.</summary>
    public bool HasRows { get; init; }

    /// <summary>Who asked; null where users are not told apart.</summary>
    public long? User { get; init; }

    /// <summary>Whether the request stands for the traffic.</summary>
    public bool IsDue { get; init; }

    /// <summary>How long the served side took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether both sides were observed.</summary>
    public bool BothRan { get; init; }

    /// <summary>Whether the candidate failed, and did not when it was asked again.</summary>
    public bool CandidateFlaked { get; init; }

    /// <summary>Whether the control failed, and the candidate did not.</summary>
    public bool ControlFlaked => Outcome is Model.Outcome.ControlError;

    /// <summary>Whether the comparison had a result.</summary>
    public bool IsDecided => Outcome is not (Model.Outcome.Incomparable or Model.Outcome.ControlError);
}
