namespace Shadowing.Evidence;

/// <summary>
/// How long the served side took, in classes of a factor of four: whether a request is compared must not depend on it.
/// </summary>
internal static class DurationClass
{
    /// <summary>Up to 1, 4, 16, 64, 256 and 1,024 milliseconds, up to 4.1 seconds, and beyond.</summary>
    public const int Count = 8;

    /// <summary>The class of a duration, from 0.</summary>
    public static int ClassFor(TimeSpan duration)
    {
        var limit = 1.0;
        for (var i = 0; i < Count - 1; i++, limit *= 4)
        {
            if (duration.TotalMilliseconds <= limit) return i;
        }

        return Count - 1;
    }

    /// <summary>The class as it is shown to people.</summary>
    public static string Name(int index) => index == 0 ? "up to 1 ms"
        : index == Count - 1 ? $"over {Plain.Count(1L << (2 * (index - 1)))} ms"
        : $"{Plain.Count(1L << (2 * (index - 1)))} to {Plain.Count(1L << (2 * index))} ms";
}
