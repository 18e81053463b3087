namespace Shadowing.Serving;

/// <summary>
/// How many writes to one row, and of one user, are in transactions of ours at once. There each holds a connection for longer than it would
/// by itself: for the images of its rows, and while it waits for a row that another write has locked. So a few may; any further one runs
/// as if shadowing were off, and is not queued.
/// </summary>
internal sealed class WriteCrowds
{
    /// <summary>A quarter of the served pool: more than people send at once, and too few to take it from others.</summary>
    public const int Most = 8;

    private readonly Lock _change = new();
    private readonly Dictionary<(bool IsUser, long Id), int> _inside = [];

    /// <returns>What ends the stay; null where there are too many.</returns>
    public IDisposable? TryEnter(long? subject, long? user)
    {
        lock (_change)
        {
            if ((subject is { } row && CountOf((false, row)) >= Most) || (user is { } who && CountOf((true, who)) >= Most)) return null;
            Add(subject, user, 1);
        }

        return new Stay(this, subject, user);
    }

    private int CountOf((bool, long) key) => _inside.GetValueOrDefault(key);

    private void Add(long? subject, long? user, int count)
    {
        foreach (var key in new[] { (IsUser: false, Id: subject), (IsUser: true, Id: user) })
        {
            if (key.Id is not { } id) continue;
            var now = CountOf((key.IsUser, id)) + count;
            if (now == 0) _inside.Remove((key.IsUser, id));
            else _inside[(key.IsUser, id)] = now;
        }
    }

    private sealed class Stay(WriteCrowds crowds, long? subject, long? user) : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) != 0) return;
            lock (crowds._change) crowds.Add(subject, user, -1);
        }
    }
}
