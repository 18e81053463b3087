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
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>The timestamp at which what has been used will have been earned.</summary>
    private long _paidAt = clock.GetTimestamp();

    /// <summary>Notes that the shadow has used the database for so long.</summary>
    public void Charge(TimeSpan used)
    {
        var cost = (long)(used.TotalSeconds / settings.Current.DatabaseTimeBudget * clock.TimestampFrequency);
        long before, after;
        do
        {
            before = Volatile.Read(ref _paidAt);
            after = Math.Max(before, clock.GetTimestamp()) + cost;
        }
        while (Interlocked.CompareExchange(ref _paidAt, after, before) != before);
    }

    /// <summary>Whether one more run may begin.</summary>
    /// <param name="isReserved">Whether it may have the last part of the budget too.</param>
    public bool Allows(bool isReserved)
    {
        var owed = clock.GetElapsedTime(clock.GetTimestamp(), Volatile.Read(ref _paidAt));
        return owed < (isReserved ? Window : Window * (1 - Reserve));
    }
}
