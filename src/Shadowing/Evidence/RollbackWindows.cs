namespace Shadowing.Evidence;

/// <summary>Errors and timeouts of a served candidate that the control does not share, over the last minutes and hours.</summary>
/// <remarks>
/// One-minute buckets in a ring of a day. A bucket is replaced only by the next minute that needs its place, even if the clock jumps. If
/// the clock was set back, a bucket in the future counts in every window until then. All windows together raise a false alarm at most once
/// in a hundred weeks at the defaults. Not thread-safe: the owner locks.
/// </remarks>
public sealed class RollbackWindows
{
    /// <summary>τ = 10⁻⁵.</summary>
    public const double DefaultRate = 1e-5;

    /// <summary>A = 10⁶.</summary>
    public const double DefaultOdds = 1e6;

    private const int Minutes = 24 * 60;
    private const int LeastFailures = 3;

    private readonly Bucket[] _ring = new Bucket[Minutes];

    /// <summary>The windows, shortest first: 1, 5 and 30 minutes, 2, 6 and 24 hours.</summary>
    public static IReadOnlyList<TimeSpan> Windows { get; } =
        [.. new[] { 1, 5, 30, 120, 360, Minutes }.Select(minutes => TimeSpan.FromMinutes(minutes))];

    /// <summary>Counts served requests.</summary>
    /// <param name="at">Now, or the minute that another replica reports; not older than a day.</param>
    /// <param name="failures">Requests that failed or timed out on the candidate, and on the control did not or would not have.</param>
    public void Add(DateTimeOffset at, long failures, long requests)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(failures);
        ArgumentOutOfRangeException.ThrowIfLessThan(requests, failures);
        var minute = MinuteOf(at);
        ref var bucket = ref _ring[minute % Minutes];
        if (bucket.Minute != minute) bucket = new(minute, 0, 0);
        bucket = new(minute, bucket.Failures + failures, bucket.Requests + requests);
    }

    /// <summary>The shortest window that calls for a rollback, or null. The running minute counts as a whole one.</summary>
    /// <param name="limit">The default one where it is null.</param>
    public RollbackTrip? Trip(DateTimeOffset now, FailureLimit? limit = null)
    {
        foreach (var window in Windows)
        {
            var oldest = MinuteOf(now) - (long)window.TotalMinutes;
            var (failures, requests) = (0L, 0L);
            foreach (var bucket in _ring)
            {
                if (bucket.Minute <= oldest) continue;
                failures += bucket.Failures;
                requests += bucket.Requests;
            }

            if (Trips(failures, requests, limit)) return new(window, failures, requests);
        }

        return null;
    }

    /// <summary>Whether so many failures among so many requests call for a rollback.</summary>
    /// <param name="limit">The default one where it is null.</param>
    public static bool Trips(long failures, long requests, FailureLimit? limit = null)
    {
        limit ??= new();
        return failures >= LeastFailures && ParityBound.LogEMinus(failures, requests, limit.Tolerated) >= Math.Log(limit.Odds);
    }

    private static long MinuteOf(DateTimeOffset at) => at.UtcTicks / TimeSpan.TicksPerMinute;

    private readonly record struct Bucket(long Minute, long Failures, long Requests);
}

/// <summary>How often a served candidate may fail where the control answers.</summary>
/// <param name="Rate">τ, the tolerated rate of such failures, in (0, 1).</param>
/// <param name="Odds">A: how many times likelier a higher rate must make the counts.</param>
/// <param name="ControlRate">
/// The rate at which the control fails where the candidate does not, at most: the candidate's first tries are held against the control's
/// first tries, not against the second try that a fallback is. Above <see cref="MostAllowed"/> it excuses nothing more.
/// </param>
public sealed record FailureLimit(
    double Rate = RollbackWindows.DefaultRate, double Odds = RollbackWindows.DefaultOdds, double ControlRate = 0)
{
    /// <summary>A control that fails more often than this does not excuse the candidate: 1 %.</summary>
    public const double MostAllowed = 0.01;

    internal double Tolerated => Math.Max(Rate, Math.Min(ControlRate, MostAllowed));
}

/// <summary>A window in which the candidate failed too often.</summary>
/// <param name="Failures">Those that the control does not share.</param>
public sealed record RollbackTrip(TimeSpan Window, long Failures, long Requests);
