using System.Text.Json.Serialization;
using Shadowing.Diagnosing;
using Shadowing.Model;

namespace Shadowing.Journal;

/// <summary>All mismatches of one signature. Holds no personal data, and may be stored and shown.</summary>
/// <param name="Outcome">
/// <c>mismatch</c>, <c>candidate_error</c>, <c>candidate_timeout</c>; <c>match</c> where only SQL statements differ.
/// </param>
/// <param name="Severity">
/// <c>critical</c> if any of them showed a caller what is not the caller's to see or stored other rows, else <c>normal</c>.
/// </param>
/// <param name="Count">How often it was seen, accepted ones included.</param>
/// <param name="Accepted">How often it was seen while accepted as intended, and so counted as tolerated.</param>
/// <param name="Raised">It was seen under concurrency only, and that several times: no coincidence.</param>
/// <param name="Fingerprints">The candidate's, of the builds that showed it.</param>
/// <param name="Shapes">The shapes of request that showed it; a bounded number.</param>
/// <param name="Causes">How many of the mismatches point to each cause.</param>
/// <param name="Diagnosis">The cause that most of them point to.</param>
/// <param name="Samples">The first few and the latest few.</param>
public sealed record MismatchGroup(
    string Signature,
    string Operation,
    string Outcome,
    string Severity,
    IReadOnlyList<DifferencePattern> Differences,
    string? ErrorType,
    long Count,
    long Accepted,
    bool Raised,
    DateTimeOffset FirstSeen,
    DateTimeOffset LastSeen,
    IReadOnlyList<string> Fingerprints,
    IReadOnlyList<string> Shapes,
    IReadOnlyDictionary<string, long> Causes,
    NamedDiagnosis Diagnosis,
    IReadOnlyList<MismatchSample> Samples)
{
    /// <summary>
    /// The fingerprints of the evidence that showed it: with another rule, control or schema it is a mismatch no more, until it is seen
    /// again. Empty where an earlier version stored it: then it is open for every one.
    /// </summary>
    public IReadOnlyList<string> Builds { get; init; } = [];

    /// <summary>How often it was seen in requests that stand for the traffic; null where an earlier version stored it.</summary>
    public long? Due { get; init; }

    internal const int MostShapes = 50;
    internal const int SamplesAtEachEnd = 4;

    /// <summary>One group out of what several replicas, or runs, saw of the same signature.</summary>
    public static IReadOnlyList<MismatchGroup> Merge(IEnumerable<MismatchGroup> groups) =>
        [.. groups.GroupBy(group => group.Signature).Select(same => same.Aggregate(Merge)).OrderByDescending(group => group.LastSeen)];

    private static MismatchGroup Merge(MismatchGroup left, MismatchGroup right)
    {
        var causes = left.Causes.Concat(right.Causes).GroupBy(cause => cause.Key)
            .ToDictionary(cause => cause.Key, cause => cause.Sum(count => count.Value));
        var leading = causes.MaxBy(cause => cause.Value).Key;
        MismatchSample[] samples = [.. left.Samples.Concat(right.Samples).OrderBy(sample => sample.At)];
        return left with
        {
            Severity = left.Severity == SeverityOf(true) ? left.Severity : right.Severity,
            Count = left.Count + right.Count,
            Accepted = left.Accepted + right.Accepted,
            Raised = left.Raised || right.Raised,
            FirstSeen = left.FirstSeen < right.FirstSeen ? left.FirstSeen : right.FirstSeen,
            LastSeen = left.LastSeen > right.LastSeen ? left.LastSeen : right.LastSeen,
            Fingerprints = [.. left.Fingerprints.Union(right.Fingerprints)],
            Builds = left.Builds.Count == 0 || right.Builds.Count == 0 ? [] : [.. left.Builds.Union(right.Builds)],
            Due = left.Due is null && right.Due is null ? null : (left.Due ?? 0) + (right.Due ?? 0),
            Shapes = [.. left.Shapes.Union(right.Shapes).Take(MostShapes)],
            Causes = causes,
            Diagnosis = left.Diagnosis.Cause == leading ? left.Diagnosis : right.Diagnosis,
            Samples = [.. samples.Take(SamplesAtEachEnd), .. samples.Skip(SamplesAtEachEnd).TakeLast(SamplesAtEachEnd)],
        };
    }

    internal static string SeverityOf(bool isCritical) => isCritical ? "critical" : "normal";
}

/// <summary>A diagnosis with its cause by name.</summary>
public sealed record NamedDiagnosis(string Cause, string Evidence, string LookAt)
{
    internal static NamedDiagnosis FromDiagnosis(Diagnosis diagnosis) => new(diagnosis.Cause.Wire(), diagnosis.Evidence, diagnosis.LookAt);
}

/// <summary>One mismatch, redacted: what reproducing it needs, without personal data.</summary>
/// <param name="TraceId">Of the shadow's own trace; null where it is not traced.</param>
/// <param name="RequestTraceId">Of the request that it shadowed.</param>
/// <param name="TotalDifferences">How many there were; the first few are kept.</param>
/// <param name="ControlSql">The statements, parameters as placeholders, literal texts taken out.</param>
/// <param name="Diagnosis">Of this one.</param>
public sealed record MismatchSample(
    DateTimeOffset At,
    string Replica,
    string Fingerprint,
    string Shape,
    string? TraceId,
    string? RequestTraceId,
    IReadOnlyList<RedactedParameter> Parameters,
    IReadOnlyList<RedactedDifference> Differences,
    int TotalDifferences,
    IReadOnlyList<string> ControlSql,
    IReadOnlyList<string> CandidateSql,
    NamedDiagnosis Diagnosis)
{
    /// <summary>The values themselves, in this process's memory only, and only while raw samples are unlocked.</summary>
    [JsonIgnore]
    public RawSample? Raw { get; init; }

    /// <summary>The values themselves, encrypted; null where they are not kept. Stored, and shown only to who asks for them.</summary>
    public SealedSample? Sealed { get; init; }
}

/// <summary>A mismatch with all its values, as JSON.</summary>
/// <param name="Until">When it is forgotten.</param>
public sealed record RawSample(DateTimeOffset Until, string Request, string Control, string Candidate);
