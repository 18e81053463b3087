namespace Shadowing.Journal;

/// <summary>
/// When the control last gave which answer to which request, by the hash of both: an answer of the candidate's that the control gave
/// earlier is stale. Bounded in number and age. Safe for concurrent use.
/// </summary>
internal sealed class RecentAnswers(TimeProvider clock)
{
    /// <summary>Older answers are forgotten: an old answer that comes again is more likely a coincidence.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private const int Most = 20_000;

    private readonly Lock _change = new();
    private readonly Dictionary<ulong, long> _seen = [];
    private readonly Queue<(ulong Answer, long At)> _order = [];

    public void Saw(ulong answer)
    {
        var now = clock.GetTimestamp();
        lock (_change)
        {
            _seen[answer] = now;
            _order.Enqueue((answer, now));
            while (_order.Count > Most || clock.GetElapsedTime(_order.Peek().At, now) > Longest)
            {
                var (oldest, at) = _order.Dequeue();
                if (_seen.TryGetValue(oldest, out var last) && last == at) _seen.Remove(oldest);
            }
        }
    }

    /// <summary>How long ago the control gave an answer; null where it did not, or it is too long ago.</summary>
    public TimeSpan? AgeOf(ulong answer)
    {
        lock (_change)
        {
            return _seen.TryGetValue(answer, out var at) && clock.GetElapsedTime(at) is var age && age <= Longest ? age : null;
        }
    }
}
