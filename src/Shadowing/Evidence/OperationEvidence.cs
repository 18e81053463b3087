namespace Shadowing.Evidence;

/// <summary>All evidence on an operation for one fingerprint, which the gate decides on. Counts are sums over all replicas.</summary>
public sealed record OperationEvidence
{
    /// <summary>The operation's name.</summary>
    public required string Operation { get; init; }

    /// <summary>The candidate's fingerprint, as it is shown to people.</summary>
    public required string Candidate { get; init; }

    /// <summary>Whether this fingerprint is nominated for promotion; no other fingerprint serves a user.</summary>
    public bool Nominated { get; init; }

    /// <summary>j: the number of this nominated fingerprint, from 1; if it is not nominated, the number that it would get.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>How many operations are judged side by side: the chance of a false promotion is shared by them all.</summary>
    public int Operations { get; init; } = 1;

    /// <summary>What the requests that stand for the traffic have shown.</summary>
    public RequestSample Sample { get; init; } = RequestSample.None;

    /// <summary>Who brought the live cases.</summary>
    public UserSpread CaseUsers { get; init; }

    /// <summary>n: distinct cases compared, from live traffic and from sweeps together.</summary>
    public long Cases { get; init; }

    /// <summary>Distinct cases of live traffic.</summary>
    public long LiveCases { get; init; }

    /// <summary>Of <see cref="LiveCases"/>, those from busy hours.</summary>
    public long BusyHourCases { get; init; }

    /// <summary>How many new live cases an hour brings at present.</summary>
    public double CasesPerHour { get; init; }

    /// <summary>k: distinct cases with a confirmed or a concurrency mismatch, or a reproduced error or timeout of the candidate.</summary>
    public long Mismatches { get; init; }

    /// <summary>Signatures of mismatches that are neither accepted nor triaged.</summary>
    public long OpenMismatches { get; init; }

    /// <summary>Of the open mismatches, those of the critical class: a leaked row, a wrong write.</summary>
    public long CriticalMismatches { get; init; }

    /// <summary>Signatures of mismatches that count in <see cref="Mismatches"/> and, being triaged, do not hold the gate.</summary>
    public long Triaged { get; init; }

    /// <summary>Differences that are accepted until their acceptance expires or is revoked.</summary>
    public long Acceptances { get; init; }

    /// <summary>Comparisons of live traffic, repeated cases included.</summary>
    public long Comparisons { get; init; }

    /// <summary>Comparisons that ended as <see cref="Mismatches"/> do, repeated cases included.</summary>
    public long Differing { get; init; }

    /// <summary>Comparisons that ended without a result: the doubt.</summary>
    public long Incomparable { get; init; }

    /// <summary>Differences that a concurrent write explains.</summary>
    public long Transients { get; init; }

    /// <summary>Requests that were not compared because the lane was full or had to yield.</summary>
    public long Shed { get; init; }

    /// <summary>Requests in which the numbers of SQL commands were compared.</summary>
    public StatementTrials Statements { get; init; }

    /// <summary>Pairs of runs for the latency test.</summary>
    public PairedLatency Latency { get; init; } = new(default, default, default);

    /// <summary>The same pairs one by one, for operations that are too thin for blocks.</summary>
    public TimedPairs Pairs { get; init; }

    /// <summary>The share of traffic that may be in unproven shapes: <see cref="UnprovenShare.Bound"/>.</summary>
    public double UnprovenBound { get; init; } = 1;

    /// <summary>Traffic-hours: the time in which there was at least half the usual volume.</summary>
    public TimeSpan Soak { get; init; }

    /// <summary>Business days within <see cref="Soak"/>.</summary>
    public int BusinessDays { get; init; }

    /// <summary>How long the operation has been at its stage; <see cref="TimeSpan.MaxValue"/> where that is not known.</summary>
    public TimeSpan InStage { get; init; } = TimeSpan.MaxValue;

    /// <summary>Whether a rollback has not been acknowledged yet.</summary>
    public bool IsHeld { get; init; }

    /// <summary>How long ago a replica last ended without a clean shutdown; null where none did.</summary>
    public TimeSpan? SinceUncleanExit { get; init; }

    /// <summary>The window in which the served candidate failed too often, or null.</summary>
    public RollbackTrip? ExcessFailures { get; init; }

    /// <summary>The shapes that the operation's traffic has or a sweep has found.</summary>
    public IReadOnlyList<ShapeEvidence> Shapes { get; init; } = [];

    /// <summary>Whether no comparison has had a result.</summary>
    internal bool IsEmpty => Cases <= 0 && Mismatches <= 0 && OpenMismatches <= 0 && CriticalMismatches <= 0 && ExcessFailures is null;

    /// <summary>Contradictions in the evidence, each in words: a row that another program wrote, or a fault of the ledger.</summary>
    internal IEnumerable<string> Faults()
    {
        long[] counts =
        [
            Cases, LiveCases, BusyHourCases, Mismatches, OpenMismatches, CriticalMismatches, Triaged, Acceptances, Comparisons, Differing,
            Incomparable, Transients, Shed, Statements.More, Statements.Trials - Statements.More, BusinessDays, Soak.Ticks, InStage.Ticks,
            SinceUncleanExit?.Ticks ?? 0,
        ];
        if (counts.Any(count => count < 0)) yield return "a count is negative";
        if (LiveCases > Cases || BusyHourCases > LiveCases)
            yield return "there are more live cases than cases, or more busy ones than live ones";
        if (!Sample.IsSound || !(CaseUsers.Busiest is >= 0 and <= 1)) yield return "the sample of requests contradicts itself";
        if (!Pairs.IsSound) yield return "the timed pairs contradict each other";
        if (Operations < 1) yield return "there is no operation";
        if (Incomparable > Comparisons) yield return "there are more incomparable comparisons than comparisons";
        if (Attempt < 1) yield return "the attempt is below 1";
        if (!(UnprovenBound is >= 0 and <= 1)) yield return "the unproven share is not between 0 and 1";
        if (!double.IsFinite(CasesPerHour)) yield return "cases per hour is not a number";
        foreach (var shape in Shapes.Where(shape => !shape.IsSound)) yield return $"the counts of shape {shape.Name} contradict each other";
    }
}

/// <summary>A shape's own evidence.</summary>
/// <param name="Name">As it is shown to people: <c>any / page 3+</c>.</param>
public sealed record ShapeEvidence(string Name)
{
    /// <summary>Distinct cases, of live traffic and of sweeps.</summary>
    public long Cases { get; init; }

    /// <summary>Distinct cases of live traffic.</summary>
    public long LiveCases { get; init; }

    /// <summary>Distinct cases that mismatch, as in <see cref="OperationEvidence.Mismatches"/>.</summary>
    public long Mismatches { get; init; }

    /// <summary>How many cases of the shape existed when its last sweep ended; null where there was none, or it is too old.</summary>
    public long? Existing { get; init; }

    /// <summary>How many of those cases a sweep has compared.</summary>
    public long Swept { get; init; }

    /// <summary>Live requests of the shape.</summary>
    public long Requests { get; init; }

    /// <summary>Those of them that were compared.</summary>
    public long Comparisons { get; init; }

    /// <summary>The shape's share of the operation's traffic.</summary>
    public double TrafficShare { get; init; }

    /// <summary>How many new cases an hour brings at present.</summary>
    public double CasesPerHour { get; init; }

    /// <summary>Of the requests that stand for the traffic, those of this shape.</summary>
    public long Due { get; init; }

    /// <summary>Of <see cref="Due"/>, those whose comparison had a result.</summary>
    public long Decided { get; init; }

    /// <summary>Of <see cref="Decided"/>, those in which the candidate was wrong.</summary>
    public long Wrong { get; init; }

    /// <summary>Comparisons with a result whose answer, or write, showed rows; null where that is not known.</summary>
    public long? WithRows { get; init; }

    /// <summary>Comparisons of about the last day that were not wrong.</summary>
    public double RecentComparisons { get; init; }

    /// <summary>
    /// Of <see cref="RecentComparisons"/>, those without a result; of each user only so many that one user alone cannot hold the shape.
    /// </summary>
    public double RecentDoubtful { get; init; }

    internal bool IsSound => Due >= 0 && Decided >= 0 && Wrong >= 0 && WithRows is null or >= 0
        && double.IsFinite(RecentComparisons) && double.IsFinite(RecentDoubtful) && HasSoundCases;

    private bool HasSoundCases => Cases >= LiveCases && LiveCases >= 0 && Mismatches >= 0 && Swept >= 0 && Existing is null or >= 0
        && TrafficShare is >= 0 and <= 1 && double.IsFinite(CasesPerHour);
}

/// <summary>Trials of "the candidate sends no more SQL commands than the control".</summary>
/// <param name="More">In how many trials the candidate sent more.</param>
public readonly record struct StatementTrials(long More, long Trials);

/// <summary>The blocks of pairs at each quantile.</summary>
public sealed record PairedLatency(LatencyBlocks P50, LatencyBlocks P95, LatencyBlocks P99)
{
    internal IEnumerable<(LatencyQuantile Quantile, LatencyBlocks Blocks)> ByQuantile() =>
        [(LatencyQuantile.P50, P50), (LatencyQuantile.P95, P95), (LatencyQuantile.P99, P99)];
}
