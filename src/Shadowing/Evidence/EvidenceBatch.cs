namespace Shadowing.Evidence;

/// <summary>Counts that add up: over requests, over flushes, over replicas.</summary>
/// <param name="Requests">Eligible ones.</param>
/// <param name="Comparisons">All that were counted by outcome.</param>
/// <param name="Differing">Confirmed mismatches, those under concurrency, and reproduced errors and timeouts of the candidate.</param>
/// <param name="Tolerated">Equal by a rule, or accepted.</param>
/// <param name="Shed">Not compared because the lane was full or had to yield.</param>
/// <param name="StatementTrials">Comparisons in which both sides' SQL commands were counted.</param>
/// <param name="StatementsMore">Of these, those in which the candidate sent more.</param>
/// <param name="Doubtful">Of the incomparable ones, those that say nothing of the candidate; not its failures that did not repeat.</param>
/// <param name="Due">Requests that stand for the traffic: see <see cref="RequestSample"/>.</param>
/// <param name="Decided">Of these, those whose comparison had a result.</param>
/// <param name="Wrong">Of these, those in which the candidate was wrong.</param>
/// <param name="WithRows">Comparisons with a result whose answer, or write, showed rows.</param>
public sealed record EvidenceCounts(
    long Requests = 0, long Comparisons = 0, long Differing = 0, long Tolerated = 0, long Transients = 0, long Incomparable = 0,
    long Shed = 0,
    long StatementTrials = 0, long StatementsMore = 0, long Doubtful = 0, long Due = 0, long Decided = 0, long Wrong = 0, long WithRows = 0)
{
    /// <summary>Whether there is anything to store.</summary>
    public bool IsEmpty => this == new EvidenceCounts();
}

/// <summary>Which cases a bitmap holds.</summary>
public enum CaseSet
{
    /// <summary>All, those of sweeps too.</summary>
    All,

    /// <summary>Those that live traffic brought.</summary>
    Live,

    /// <summary>Of these, those from busy hours.</summary>
    Busy,

    /// <summary>Those in which the candidate was wrong.</summary>
    Mismatch,
}

/// <summary>What is new of one shape since the batch before.</summary>
/// <param name="Epoch">How often its evidence had begun anew.</param>
public sealed record ShapeBatch(string Operation, string Shape, int Epoch, EvidenceCounts Counts)
{
    /// <summary>Doubtful comparisons by <see cref="UserBuckets">bucket of users</see>; only those that have any.</summary>
    public IReadOnlyDictionary<int, long> DoubtByUser { get; init; } = new Dictionary<int, long>();
}

/// <summary>A page of a bitmap as it now is; to be merged by OR.</summary>
/// <param name="Shape">Null for the operation's own bitmap.</param>
/// <param name="Epoch">As of <see cref="ShapeBatch"/>.</param>
public sealed record PageBatch(string Operation, string? Shape, int Epoch, CaseSet Set, CasePage Page);

/// <summary>What is new of an operation as a whole.</summary>
/// <param name="UnprovenEpoch">The epoch that <paramref name="Unproven"/> was counted in.</param>
/// <param name="Served">Requests for which the candidate was asked for the user's answer.</param>
/// <param name="Failed">Of these, those in which it failed or timed out in excess of the control.</param>
public sealed record OperationBatch(
    string Operation, int UnprovenEpoch, EpochCount Unproven, LatencyBatch Latency, long Served = 0, long Failed = 0)
{
    /// <summary>What the requests that stand for the traffic have shown; null where nothing is new.</summary>
    public SampleBatch? Sample { get; init; }
}

/// <summary>What is new of an operation's <see cref="RequestSample"/>.</summary>
/// <param name="Epoch">How often the operation's evidence had begun anew.</param>
/// <param name="CasesByUser">New live cases by bucket of users.</param>
/// <param name="RequestsByUser">Requests that were due and decided, by bucket of users.</param>
/// <param name="DueByDuration">Requests that were due, by class of duration.</param>
/// <param name="DecidedByDuration">Of these, those whose comparison had a result.</param>
public sealed record SampleBatch(
    int Epoch, IReadOnlyList<long> CasesByUser, IReadOnlyList<long> RequestsByUser, IReadOnlyList<long> DueByDuration,
    IReadOnlyList<long> DecidedByDuration)
{
    /// <summary>Comparisons in which both sides ran.</summary>
    public long Tries { get; init; }

    /// <summary>Of these, those in which the candidate failed, and did not when it was asked again.</summary>
    public long CandidateFlakes { get; init; }

    /// <summary>Of these, those in which the control failed, and the candidate did not.</summary>
    public long ControlFlakes { get; init; }
}

/// <summary>All that is new since the batch before. It is stored whole or not at all, and once however often it is tried.</summary>
/// <param name="Sequence">1, 2, 3, … of this run.</param>
public sealed record EvidenceBatch(
    string Fingerprint, long Sequence, IReadOnlyList<ShapeBatch> Shapes, IReadOnlyList<PageBatch> Pages,
    IReadOnlyList<OperationBatch> Operations)
{
    /// <summary>What the run will have stored with this batch, as it reckons itself: the store's sums must agree.</summary>
    public StoredTotals Totals { get; init; }

    /// <summary>Counts and pages in it.</summary>
    public int Records => Shapes.Count + Pages.Count + Operations.Count;
}

/// <summary>What a run has stored since it started.</summary>
public readonly record struct StoredTotals(long Requests, long Comparisons)
{
    internal StoredTotals Plus(IEnumerable<ShapeBatch> shapes) =>
        shapes.Aggregate(this, static (sum, shape) =>
            new(sum.Requests + shape.Counts.Requests, sum.Comparisons + shape.Counts.Comparisons));
}
