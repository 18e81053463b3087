using Shadowing.Evidence;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Stores;

/// <summary>The merged evidence of all replicas on one fingerprint.</summary>
/// <param name="Fingerprint">What was asked for. This replica's own may have changed since.</param>
/// <param name="Operations">
/// As the gate takes it; without what only the rollout knows: nomination and attempt. Where nothing has changed it is the same object as in
/// the reading before.
/// </param>
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
    private readonly EvidenceMemory _memory = new(clock ?? TimeProvider.System);
    private volatile PastTraffic? _past;

    /// <summary>
    /// Reads all that is known of a fingerprint. The shapes of an operation are read again only where something of them has been stored
    /// since the reading before.
    /// </summary>
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
        var versions = await reader.VersionsAsync();
        var epochs = await reader.EpochsAsync();
        var past = _past is { } read && _clock.GetElapsedTime(read.At) < PastHolds ? read : null;
        var traffic = await reader.TrafficAsync(past?.Hours);
        var days = new TrafficDays(traffic.Now, await reader.DaysAsync(past?.Days));
        var samples = await reader.SamplesAsync();
        var unproven = await reader.UnprovenAsync();
        var latency = await reader.LatencyAsync();
        var pairs = await reader.PairsAsync();
        var open = await reader.OpenMismatchesAsync(candidate);
        var excess = await reader.ExcessFailuresAsync(policy, samples);
        var swept = await reader.SweptAsync(policy);
        var sinceUnclean = await reader.SinceUncleanExitAsync();
        var sweptOf = swept.ToLookup(entry => entry.Key.Operation);
        var known = _memory.Recall(
            (fingerprint, candidate, policy, operations.Count), operations,
            operation => VersionOf(versions, sweptOf[operation], operation));
        string[] changed = [.. operations.Where(operation => !known.ContainsKey(operation))];
        var rows = new StoredRows(
            await reader.CountsAsync(changed), await reader.CasesAsync(changed), await reader.DoubtAsync(changed), swept);
        var attempts = await reader.AttemptsAsync();
        await transaction.CommitAsync(cancellationToken);
        var notes = new EvidenceNotes(connection, fingerprint, cancellationToken);
        await notes.KeepLeastAsync(unproven.Where(entry => !known.TryGetValue(entry.Key, out var before)
            || !before.Unproven.HasSameCounts(entry.Value)));
        string[] shown = [.. versions.Where(version => version.Value.Compared > 0 && !attempts.ContainsKey(version.Key))
            .Select(version => version.Key).Order(StringComparer.Ordinal)];
        if (shown.Length > 0) attempts = await notes.BeginAttemptsAsync(shown);
        if (past is null) _past = new(_clock.GetTimestamp(), traffic.Hours, days.Days);
        var merge = new EvidenceMerge(candidate, operations.Count, policy, traffic.Now)
        {
            Attempts = attempts,
            Days = days,
            Excess = excess,
            Latency = latency,
            Pairs = pairs,
            Open = open.ToLookup(mismatch => mismatch.Operation),
            Rows = rows,
            Samples = samples,
            SinceUnclean = sinceUnclean,
            Unproven = unproven,
        };
        var merged = _memory.Merge(operations, known, merge, operation => VersionOf(versions, sweptOf[operation], operation));
        return new(
            fingerprint, merged,
            operations.ToDictionary(operation => operation, operation => unproven.GetValueOrDefault(operation, UnprovenShare.None).Epoch),
            operations.ToDictionary(operation => operation, operation =>
                (IReadOnlyDictionary<string, int>)epochs[operation].ToDictionary()),
            traffic.IsBusy);
    }

    private static string VersionOf(
        IReadOnlyDictionary<string, StoredVersion> versions,
        IEnumerable<KeyValuePair<(string Operation, string Shape), SweptShape>> swept, string operation) => string.Join(
            '|', swept.OrderBy(entry => entry.Key.Shape, StringComparer.Ordinal).Select(entry => $"{entry.Key.Shape} {entry.Value}")
                .Prepend(versions.GetValueOrDefault(operation, StoredVersion.None).Text));
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

    public static bool AreSame(StoredSample? one, StoredSample? other) => one is null || other is null ? one is null && other is null
        : (one.Tries, one.CandidateFlakes, one.ControlFlakes) == (other.Tries, other.CandidateFlakes, other.ControlFlakes)
            && one.CasesByUser.AsSpan().SequenceEqual(other.CasesByUser) && one.RequestsByUser.AsSpan().SequenceEqual(other.RequestsByUser)
            && one.DueByDuration.AsSpan().SequenceEqual(other.DueByDuration)
            && one.DecidedByDuration.AsSpan().SequenceEqual(other.DecidedByDuration);

    public RequestSample ToSample() => RequestSample.From(RequestsByUser, DueByDuration, DecidedByDuration) with
    {
        Tries = Tries,
        CandidateFlakes = CandidateFlakes,
        ControlFlakes = ControlFlakes,
    };
}

/// <summary>A mismatch on the candidate, accepted, triaged or still open.</summary>
internal sealed record OpenMismatch(string Operation, bool IsCritical, bool IsAccepted, bool IsTriaged);
