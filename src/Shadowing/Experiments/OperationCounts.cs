using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>Counts of an operation since this replica started, for metrics.</summary>
/// <param name="Skips">By <see cref="SkipReason"/>.</param>
internal readonly record struct OperationCounts(long Requests, long[] Skips, ServedCounts Served);

/// <summary>Answers to users, by who gave them.</summary>
/// <param name="Fallback">Of the control, after the candidate failed or took too long.</param>
internal readonly record struct ServedCounts(long Control, long Candidate, long Fallback)
{
    /// <summary>How many kinds of answers there are.</summary>
    public const int Kinds = 3;

    /// <summary>Where an answer is counted among the kinds.</summary>
    public static int KindOf(Side side, bool isFallback) => isFallback ? 2 : side is Side.Candidate ? 1 : 0;

    /// <param name="kinds">Counted by many threads.</param>
    public static ServedCounts Read(long[] kinds) =>
        new(Interlocked.Read(ref kinds[0]), Interlocked.Read(ref kinds[1]), Interlocked.Read(ref kinds[2]));
}
