using System.Globalization;

namespace Ticketing.Demo;

/// <summary>Notices that the process that started this one is gone, even if it was killed and could tell nobody.</summary>
/// <remarks>
/// An orphan is handed to another parent, which is how it knows. Who wants the demo to outlive its shell starts it with
/// <c>nohup</c>: with hangups ignored the parent is not watched. Nor is it where there is none from the start (pid 1).
/// </remarks>
internal static class ParentWatch
{
    private const int Hangup = 1;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Completes when the parent is gone; never, where it is not watched. Throws when cancelled.</summary>
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

    /// <summary>The parent in a <c>/proc/…/stat</c>. The name before it is in parentheses and may hold any character.</summary>
    internal static int ParentIn(string stat) =>
        int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);

    private static int Parent() => ParentIn(File.ReadAllText("/proc/self/stat"));

    private static bool IgnoresHangup() =>
        File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } ignored
        && (ulong.Parse(
            ignored["SigIgn:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (Hangup - 1))) != 0;
}
