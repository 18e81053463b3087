using Shadowing.Evidence;

namespace Shadowing.Postgres.Stores;

/// <summary>The merged evidence of all replicas on one fingerprint.</summary>
/// <param name="Fingerprint">What was asked for. This replica's own may have changed since.</param>
/// <param name="Operations">As the gate takes it; without what only the rollout knows: nomination and attempt.</param>
/// <param name="UnprovenEpochs">The epoch that unproven traffic is now counted in, by operation.</param>
/// <param name="Epochs">How often shapes have begun anew, by operation and shape; empty for the operation as a whole.</param>
/// <param name="IsBusy">Whether the present hour brings more than the usual traffic.</param>
public sealed record MergedEvidence(
    string Fingerprint, IReadOnlyList<OperationEvidence> Operations, IReadOnlyDictionary<string, int> UnprovenEpochs,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Epochs, bool IsBusy);

/// <summary>Reading evidence.</summary>
public sealed partial class EvidenceStore
{
    /// <summary>Two weeks of minutes are read this often, and not each second: an hour that has ended stays what it was.</summary>
    private static readonly TimeSpan PastHolds = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly CaseRates _rates = new();
    private volatile PastTraffic? _past;

    /// <summary>Reads all that is known of a fingerprint.</summary>
    /// <param name="fingerprint">What the evidence was counted for.</param>
    /// <param name="candidate">The candidate's code, as mismatches name it.</param>
    /// <param name="policy">By which failures of a served candidate are too many.</param>
    /// <param name="operations">All operations, those without any evidence too.</param>
    public async Task<MergedEvidence> ReadAsync(
        string fingerprint, string candidate, IReadOnlyCollection<string> operations, GatePolicy policy,
        CancellationToken cancellationToken)
    {
        await using var connection = await evidence.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var reader = new EvidenceReader(connection, transaction, fingerprint, cancellationToken);
        var counts = await reader.CountsAsync();
        var cases = await reader.CasesAsync();
        var epochs = await reader.EpochsAsync();
        var past = _past is { } read && _clock.GetElapsedTime(read.At) < PastHolds ? read : null;
        var traffic = await reader.TrafficAsync(past?.Hours);
        var days = new TrafficDays(traffic.Now, await reader.DaysAsync(past?.Days));
        var samples = await reader.SamplesAsync();
        var doubts = await reader.DoubtAsync();
        var unproven = await reader.UnprovenAsync();
        var latency = await reader.LatencyAsync();
        var pairs = await reader.PairsAsync();
        var open = await reader.OpenMismatchesAsync(candidate);
        var excess = await reader.ExcessFailuresAsync(policy, samples);
        var swept = await reader.SweptAsync(policy);
        var sinceUnclean = await reader.SinceUncleanExitAsync();
        await reader.KeepLeastAsync(unproven);
        var attempts = await reader.AttemptsAsync(
            [.. counts.Where(row => row.Counts.Comparisons > 0).Select(row => row.Operation).Distinct()]);
        await transaction.CommitAsync(cancellationToken);
        if (past is null) _past = new(_clock.GetTimestamp(), traffic.Hours, days.Days);
        var (countsOf, casesOf) = (counts.ToLookup(row => row.Operation), cases.ToLookup(entry => entry.Key.Operation));
        IReadOnlyList<OperationEvidence> merged;
        lock (_rates)
        {
            merged = [.. operations.Select(operation => EvidenceOf(operation))];
            _rates.End();
        }

        return new(
            fingerprint, merged,
            operations.ToDictionary(operation => operation, operation => unproven.GetValueOrDefault(operation, UnprovenShare.None).Epoch),
            operations.ToDictionary(operation => operation, operation =>
                (IReadOnlyDictionary<string, int>)epochs[operation].ToDictionary()),
            traffic.IsBusy);

        OperationEvidence EvidenceOf(string operation)
        {
            var shapes = countsOf[operation].ToArray();
            long Sum(Func<EvidenceCounts, long> of) => shapes.Sum(shape => of(shape.Counts));
            long Cases(string shape, CaseSet set) => cases.GetValueOrDefault((operation, shape, Name(set)));

            // Cases of different shapes are different cases: where the operation began anew, those of shapes that did not still count.
            long Whole(CaseSet set) => Math.Max(Cases("", set), casesOf[operation]
                .Where(entry => entry.Key.Shape.Length > 0 && entry.Key.Kind == Name(set)).Sum(entry => entry.Value));
            var (soak, businessDays) = days.SoakOf(operation, shapes.Length == 0 ? null : shapes.Min(shape => shape.FirstAt));
            var hours = shapes.Length == 0 ? 0 : Math.Max((traffic.Now - shapes.Min(shape => shape.FirstAt)).TotalHours, 1 / 60d);
            var requests = Math.Max(Sum(shape => shape.Requests), 1);
            var blocks = latency.GetValueOrDefault(operation, new(default, default, default));
            var mismatches = open.Where(row => row.Operation == operation).ToArray();
            var sample = samples.GetValueOrDefault(operation);
            var ofUsers = sample?.ToSample().Users ?? default;
            return new()
            {
                Operation = operation,
                Candidate = candidate,
                Attempt = attempts.GetValueOrDefault(operation, 1),
                Operations = operations.Count,
                Sample = (sample?.ToSample() ?? RequestSample.None) with
                {
                    Due = Sum(shape => shape.Due),
                    Decided = Sum(shape => shape.Decided),
                    Wrong = Sum(shape => shape.Wrong),
                },
                CaseUsers = sample?.CaseUsers ?? default,
                Cases = Whole(CaseSet.All),
                LiveCases = Whole(CaseSet.Live),
                BusyHourCases = Cases("", CaseSet.Busy),
                CasesPerHour = Rate("", Whole(CaseSet.Live)),
                Mismatches = Whole(CaseSet.Mismatch),
                OpenMismatches = mismatches.Count(row => !row.IsAccepted && (!row.IsTriaged || row.IsCritical)),
                CriticalMismatches = mismatches.Count(row => row.IsCritical),
                Acceptances = mismatches.Count(row => row.IsAccepted),
                Triaged = mismatches.Count(row => row is { IsTriaged: true, IsAccepted: false, IsCritical: false }),
                Comparisons = Sum(shape => shape.Comparisons),
                Differing = Sum(shape => shape.Differing),
                Incomparable = Sum(shape => shape.Incomparable),
                Transients = Sum(shape => shape.Transients),
                Shed = Sum(shape => shape.Shed),
                Statements = new(Sum(shape => shape.StatementsMore), Sum(shape => shape.StatementTrials)),
                Latency = blocks,
                Pairs = new(pairs.GetValueOrDefault(operation), TimeSpan.FromHours(hours), days.BusiestOf(operation)),
                UnprovenBound = unproven.GetValueOrDefault(operation, UnprovenShare.None).Looked().Bound,
                Soak = soak,
                BusinessDays = businessDays,
                SinceUncleanExit = sinceUnclean,
                ExcessFailures = excess.GetValueOrDefault(operation),
                Shapes =
                [
                    .. shapes.OrderByDescending(shape => shape.Counts.Requests).Select(shape => Shape(shape.Shape, shape)),
                    // Those that only a sweep has found.
                    .. casesOf[operation].Select(entry => entry.Key.Shape).Where(shape => shape.Length > 0).Distinct()
                        .Except(shapes.Select(shape => shape.Shape)).Order(StringComparer.Ordinal).Select(shape => Shape(shape, null)),
                ],
            };

            double Rate(string shape, long cases) =>
                _rates.Read(operation, shape, traffic.Now, cases, hours == 0 ? 0 : cases / hours);

            ShapeEvidence Shape(string shape, ShapeRow? row)
            {
                var found = swept.GetValueOrDefault((operation, shape));
                return new(shape)
                {
                    Cases = Cases(shape, CaseSet.All),
                    LiveCases = Cases(shape, CaseSet.Live),
                    Mismatches = Cases(shape, CaseSet.Mismatch),
                    Existing = found?.Existing,
                    Swept = found?.Swept ?? 0,
                    Requests = row?.Counts.Requests ?? 0,
                    Comparisons = row?.Counts.Comparisons ?? 0,
                    TrafficShare = Math.Min(1, (row?.Counts.Requests ?? 0) / (double)requests),
                    Due = row?.Counts.Due ?? 0,
                    Decided = row?.Counts.Decided ?? 0,
                    Wrong = row?.Counts.Wrong ?? 0,
                    WithRows = row?.Counts.WithRows,
                    RecentComparisons = row?.RecentComparisons ?? 0,
                    RecentDoubtful = row is null ? 0 : row.DoubtFor(doubts[(operation, shape)], ofUsers, policy),
                    CasesPerHour = Rate(shape, Cases(shape, CaseSet.Live)),
                };
            }
        }
    }
}

/// <summary>The traffic of the last two weeks as it was read last, at a timestamp.</summary>
internal sealed record PastTraffic(long At, IReadOnlyList<TrafficHour> Hours, IReadOnlyList<TrafficDay> Days);

/// <summary>The counts of a shape.</summary>
internal sealed record ShapeRow(string Operation, string Shape, EvidenceCounts Counts, DateTimeOffset FirstAt)
{
    /// <summary>With fewer users than this, the doubt of one of them is not bounded: it may be that of all.</summary>
    private const int LeastUsers = 8;

    public double RecentComparisons { get; init; }

    public double RecentDoubtful { get; init; }

    /// <summary>
    /// The recent doubt, of each user at most half of what would hold the shape: one user's rows, which may be too large to compare or
    /// rewritten all the time, do not take the shape from the others. What many users meet holds it.
    /// </summary>
    public double DoubtFor(IEnumerable<double> byUser, UserSpread users, GatePolicy policy)
    {
        if (users.Least < LeastUsers) return RecentDoubtful;
        var most = policy.DoubtLimit * RecentComparisons / 2;
        var known = byUser.ToArray();
        return Math.Max(0, RecentDoubtful - known.Sum()) + known.Sum(doubtful => Math.Min(doubtful, most));
    }
}

/// <summary>A row of the table <c>shadow.sample</c>.</summary>
internal sealed record StoredSample(
    string Operation, long[] CasesByUser, long[] RequestsByUser, long[] DueByDuration, long[] DecidedByDuration)
{
    public long Tries { get; init; }

    public long CandidateFlakes { get; init; }

    public long ControlFlakes { get; init; }

    public UserSpread CaseUsers => UserSpread.Over(CasesByUser);

    public RequestSample ToSample() => RequestSample.From(RequestsByUser, DueByDuration, DecidedByDuration) with
    {
        Tries = Tries,
        CandidateFlakes = CandidateFlakes,
        ControlFlakes = ControlFlakes,
    };
}

/// <summary>A mismatch on the candidate, accepted, triaged or still open.</summary>
internal sealed record OpenMismatch(string Operation, bool IsCritical, bool IsAccepted, bool IsTriaged);
