namespace Shadowing.Evidence;

/// <summary>
/// How many new cases an hour bring, by what was read in the last three to six hours. Bounded: two marks for each shape that is read.
/// Not safe for concurrent use.
/// </summary>
public sealed class CaseRates
{
    private static readonly TimeSpan MarkEvery = TimeSpan.FromHours(3);
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(15);
    private Dictionary<string, Dictionary<string, (Mark Earlier, Mark Later)>> _marks = [];
    private Dictionary<string, Dictionary<string, (Mark Earlier, Mark Later)>> _next = [];

    /// <summary>Notes a reading.</summary>
    /// <param name="shape">Empty for the operation as a whole.</param>
    /// <param name="cases">Live cases at that moment.</param>
    /// <param name="sinceBegin">The mean since the evidence began; it stands until a quarter of an hour has been read.</param>
    /// <returns>New cases an hour.</returns>
    public double Read(string operation, string shape, DateTimeOffset now, long cases, double sinceBegin)
    {
        var mark = new Mark(now, cases);
        var (earlier, later) = _marks.GetValueOrDefault(operation)?.TryGetValue(shape, out var known) is true ? known : (mark, mark);
        // It has begun anew.
        if (cases < later.Cases) (earlier, later) = (mark, mark);
        if (now - later.At >= MarkEvery) (earlier, later) = (later, mark);
        if (!_next.TryGetValue(operation, out var marks)) _next[operation] = marks = [];
        marks[shape] = (earlier, later);
        var span = now - earlier.At;
        return span < Least ? sinceBegin : (cases - earlier.Cases) / span.TotalHours;
    }

    /// <summary>Keeps the marks of an operation of which nothing is read this time, because nothing of it has changed.</summary>
    public void Keep(string operation)
    {
        if (_marks.TryGetValue(operation, out var marks)) _next[operation] = marks;
    }

    /// <summary>Forgets what the reading that ends here did not name.</summary>
    public void End() => (_marks, _next) = (_next, []);

    private readonly record struct Mark(DateTimeOffset At, long Cases);
}
