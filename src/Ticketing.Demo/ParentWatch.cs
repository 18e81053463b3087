using System.Globalization;

namespace Ticketing.Demo;

/// <summary>Notices that the process that started this one has ended, even if it was killed.</summary>
/// <remarks>
/// An orphaned process gets another parent, which shows that the first has ended. To let the demo outlive its shell, start it with
/// <c>nohup</c>: while hangups are ignored, the parent is not watched. A process without a parent (pid 1) is not watched either.
/// </remarks>
internal static class ParentWatch
{
    private const int Hangup = 1;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Completes when the parent has ended; never completes where the parent is not watched. Throws when cancelled.</summary>
    public static async Task OrphanedAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        var parent = Parent();
        if (parent <= 1 || IgnoresHangup())
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);
            return;
        }

        using var timer = new PeriodicTimer(Look, clock);
        while (Parent() == parent) await timer.WaitForNextTickAsync(cancellationToken);
    }

    /// <summary>
    /// The parent's id in a <c>/proc/…/stat</c>. The process name before it is in parentheses and may hold any character.
    /// </summary>
    internal static int ParentIn(string stat) =>
        int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);

    private static int Parent() => ParentIn(File.ReadAllText("/proc/self/stat"));

    private static bool IgnoresHangup() =>
        File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } ignored
        && (ulong.Parse(
            ignored["SigIgn:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (Hangup - 1))) != 0;
}
