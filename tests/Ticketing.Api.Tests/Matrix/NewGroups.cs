using Shadowing.Journal;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>What a journal holds of one fault, where it has held others before.</summary>
internal static class NewGroups
{
    /// <summary>What has come since: a signature may have been seen of an earlier fault too.</summary>
    public static IEnumerable<MismatchGroup> Since(this IEnumerable<MismatchGroup> now, IReadOnlyDictionary<string, MismatchGroup> before)
    {
        foreach (var group in now)
        {
            var earlier = before.GetValueOrDefault(group.Signature);
            if (group.Count == (earlier?.Count ?? 0)) continue;
            yield return group with
            {
                Count = group.Count - (earlier?.Count ?? 0),
                Causes = group.Causes.Select(cause => (cause.Key, Count: cause.Value - (earlier?.Causes.GetValueOrDefault(cause.Key) ?? 0)))
                    .Where(cause => cause.Count > 0).ToDictionary(cause => cause.Key, cause => cause.Count),
            };
        }
    }
}
