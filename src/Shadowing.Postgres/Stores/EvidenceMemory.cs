using Shadowing.Evidence;

namespace Shadowing.Postgres.Stores;

/// <summary>The evidence on an operation as it was merged last.</summary>
/// <param name="Version">Of what was stored of its shapes then.</param>
/// <param name="At">When its shapes were read, as a timestamp.</param>
/// <param name="Began">When its evidence began; null where it has counted nothing.</param>
/// <param name="Sample">As it was stored.</param>
/// <param name="Unproven">As it was counted.</param>
internal sealed record KnownEvidence(
    string Version, long At, DateTimeOffset? Began, StoredSample? Sample, UnprovenShare Unproven, OperationEvidence Evidence);

/// <summary>
/// Remembers the evidence of the last reading, operation by operation, so that the cost of a reading grows with what has changed and not
/// with all there is. Safe for concurrent use.
/// </summary>
internal sealed class EvidenceMemory(TimeProvider clock)
{
    /// <summary>What changes by time alone, such as how much recent doubt still weighs, is read again after this.</summary>
    private static readonly TimeSpan Holds = TimeSpan.FromMinutes(2);

    /// <summary>So many operations are read again for their age alone, in one reading.</summary>
    private const int MostAged = 20;

    private readonly Lock _change = new();
    private readonly CaseRates _rates = new();
    private Dictionary<string, KnownEvidence> _known = [];
    private object? _about;

    /// <summary>Those that need not be read again.</summary>
    /// <param name="about">For what it was read; for anything else nothing is known.</param>
    /// <param name="versionOf">The version of what is stored of an operation.</param>
    public IReadOnlyDictionary<string, KnownEvidence> Recall(
        object about, IReadOnlyCollection<string> operations, Func<string, string> versionOf)
    {
        lock (_change)
        {
            if (!about.Equals(_about)) (_about, _known) = (about, []);
            var same = operations.Where(operation => _known.TryGetValue(operation, out var known) && known.Version == versionOf(operation))
                .ToDictionary(operation => operation, operation => _known[operation]);
            foreach (var (operation, _) in same.Where(entry => clock.GetElapsedTime(entry.Value.At) > Holds)
                .OrderBy(entry => entry.Value.At).Take(MostAged).ToArray())
                same.Remove(operation);
            return same;
        }
    }

    /// <summary>Merges what was read with what is known, and remembers it.</summary>
    public IReadOnlyList<OperationEvidence> Merge(
        IReadOnlyCollection<string> operations, IReadOnlyDictionary<string, KnownEvidence> known, EvidenceMerge merge,
        Func<string, string> versionOf)
    {
        lock (_change)
        {
            var now = clock.GetTimestamp();
            _known = operations.ToDictionary(operation => operation, operation =>
            {
                if (!known.TryGetValue(operation, out var before)) return merge.Read(operation, versionOf(operation), now, _rates);
                _rates.Keep(operation);
                return merge.Renew(before);
            });
            _rates.End();
            return [.. operations.Select(operation => _known[operation].Evidence)];
        }
    }
}
