using Shadowing.Evidence;
using Shadowing.Settings;

namespace Shadowing.Confirming;

/// <summary>
/// Bounds the database's time that the shadow uses, over any ten seconds: the generic cell rate algorithm, with what a run cost known when
/// it ends.
/// For many threads; asking is one read.
/// </summary>
internal sealed class DatabaseTimeBudget(SettingsInForce settings, TimeProvider clock)
{
    private const double Reserve = 0.2;

    /// <summary>The share of the budget that one user's comparisons may have while the budget is short.</summary>
    private const double UserShare = 0.25;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>The timestamp at which what has been used will have been earned.</summary>
    private long _paidAt = clock.GetTimestamp();

    /// <summary>The same of each bucket of users, at their share.</summary>
    private readonly long[] _paidAtByUser = new long[UserBuckets.Count];

    /// <summary>Whether half of the budget of ten seconds is used: from then on each user has a share of it.</summary>
    public bool IsShort => Owed(Volatile.Read(ref _paidAt)) > Window / 2;

    /// <summary>Notes that the shadow has used the database for so long.</summary>
    public void Charge(TimeSpan used)
    {
        Pay(ref _paidAt, used.TotalSeconds / settings.Current.DatabaseTimeBudget);
    }

    /// <summary>Notes that the database has worked so long for a comparison of a user's request.</summary>
    public void ChargeUser(long user, TimeSpan used) =>
        Pay(ref _paidAtByUser[UserBuckets.BucketFor(user)], used.TotalSeconds / (settings.Current.DatabaseTimeBudget * UserShare));

    /// <summary>
    /// Whether a user's request may be compared although the budget is short: those of a user with large rows wait first.
    /// </summary>
    public bool AllowsUser(long user) => Owed(Volatile.Read(ref _paidAtByUser[UserBuckets.BucketFor(user)])) < Window;

    /// <summary>Whether one more run may begin.</summary>
    /// <param name="isReserved">Whether it may have the last part of the budget too.</param>
    public bool Allows(bool isReserved)
    {
        return Owed(Volatile.Read(ref _paidAt)) < (isReserved ? Window : Window * (1 - Reserve));
    }

    private TimeSpan Owed(long paidAt) => clock.GetElapsedTime(clock.GetTimestamp(), paidAt);

    private void Pay(ref long paidAt, double seconds)
    {
        var cost = (long)(seconds * clock.TimestampFrequency);
        long before, after;
        do
        {
            before = Volatile.Read(ref paidAt);
            after = Math.Max(before, clock.GetTimestamp()) + cost;
        }
        while (Interlocked.CompareExchange(ref paidAt, after, before) != before);
    }
}
