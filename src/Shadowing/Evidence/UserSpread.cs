namespace Shadowing.Evidence;

/// <summary>
/// Counts by user, in a fixed number of buckets that users are hashed to. They add up over replicas and do not name a user. One bucket may
/// hold several users: then a user's share is overstated, never understated.
/// </summary>
internal static class UserBuckets
{
    /// <summary>The number of buckets.</summary>
    public const int Count = 64;

    /// <summary>The bucket of a user.</summary>
    public static int BucketFor(long user)
    {
        var hash = (ulong)user;
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
        return (int)((hash ^ (hash >> 33)) % Count);
    }
}

/// <summary>Who brought something, as far as users are told apart.</summary>
/// <param name="Busiest">The share of the busiest user, from 0 to 1; 0 where nothing was brought, or users are not told apart.</param>
/// <param name="Least">At least this many users brought something; 0 where users are not told apart.</param>
public readonly record struct UserSpread(double Busiest, int Least)
{
    /// <summary>The spread of counts by bucket.</summary>
    public static UserSpread Over(IReadOnlyCollection<long> buckets)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        var total = buckets.Sum();
        return total <= 0 ? default : new((double)buckets.Max() / total, buckets.Count(count => count > 0));
    }

    /// <summary>
    /// What remains of a count where the busiest user may bring no more than a share of it. Clean cases of any user never lower it.
    /// </summary>
    /// <param name="share">In (0, 1]; at 1 nothing is left out.</param>
    public long Bounded(long count, double share) => Busiest <= share ? count
        : Math.Min(count, (long)Math.Floor(count * (1 - Busiest) / (1 - share)));
}
