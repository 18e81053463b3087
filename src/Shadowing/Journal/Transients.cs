using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Journal;

/// <summary>A difference that movement explains, with the movement.</summary>
/// <param name="Differences">Index-free paths and kinds, as the sides differed.</param>
/// <param name="By">How the movement is known: <c>control_changed</c>, <c>rows_changed</c>.</param>
/// <param name="Paths">At which the control's own answer changed.</param>
/// <param name="Rows">Keys of the rows that changed.</param>
public sealed record ExplainedTransient(
    DateTimeOffset At, string Operation, string Shape, IReadOnlyList<DifferencePattern> Differences, string By, IReadOnlyList<string> Paths,
    IReadOnlyList<string> Rows);

/// <summary>The latest transients of each operation, and how many there were by what explains them.</summary>
internal sealed class Transients
{
    private const int Most = 50;
    private readonly Lock _lock = new();
    private readonly Queue<ExplainedTransient> _latest = new(Most);
    private readonly long[] _counts = new long[Enum.GetValues<ChangeEvidence>().Length];

    public void Add(ExplainedTransient transient, ChangeEvidence by)
    {
        lock (_lock)
        {
            if (_latest.Count == Most) _latest.Dequeue();
            _latest.Enqueue(transient);
            _counts[(int)by]++;
        }
    }

    public IReadOnlyList<ExplainedTransient> Latest
    {
        get { lock (_lock) return [.. _latest]; }
    }

    public IReadOnlyDictionary<string, long> Counts
    {
        get { lock (_lock) return Enum.GetValues<ChangeEvidence>().ToDictionary(by => by.Wire(), by => _counts[(int)by]); }
    }
}
