using System.Collections.Concurrent;
using Shadowing.Evidence;

namespace Shadowing.Journal;

/// <summary>How often an accepted difference was seen before it was accepted, and since.</summary>
/// <remarks>
/// Only requests that stand for the traffic are counted: they are drawn before they run, so that a change of what is sampled changes no
/// share.
/// Both bounds hold at every moment of a running test; together they are wrong, ever, with a chance of at most 2 in 1,000.
/// </remarks>
/// <param name="SeenBefore">In how many requests, of the builds that had shown it.</param>
/// <param name="ComparedBefore">Of how many.</param>
/// <param name="SeenSince">In how many requests since, on all replicas.</param>
/// <param name="ComparedSince">Of how many.</param>
public sealed record AcceptedShare(long SeenBefore, long ComparedBefore, long SeenSince, long ComparedSince)
{
    private const double Alpha = 0.001;

    /// <summary>Nothing is known of it.</summary>
    public static AcceptedShare None { get; } = new(0, 0, 0, 0);

    /// <summary>The largest share that what was seen before is compatible with: what was accepted. 1 where nothing is known.</summary>
    public double Accepted => ParityBound.Upper(SeenBefore, ComparedBefore, Alpha);

    /// <summary>The smallest share that what was seen since is compatible with.</summary>
    public double Now => ParityBound.Lower(SeenSince, ComparedSince, Alpha);

    /// <summary>Whether it is clearly more than was accepted.</summary>
    public bool IsMore => Accepted is > 0 and < 1 && Now > Accepted;
}

/// <summary>How often this run has seen what is accepted, since that was accepted. Safe for concurrent use.</summary>
public sealed class AcceptedCounts(Acceptances acceptances)
{
    private readonly ConcurrentDictionary<(string Signature, DateTimeOffset AcceptedAt), Count> _counts = [];

    /// <summary>Counts a comparison with a result, of a request that stands for the traffic.</summary>
    /// <param name="signature">What differed; null where nothing did.</param>
    internal void Compared(string operation, string? signature, DateTimeOffset now)
    {
        foreach (var accepted in acceptances.All)
        {
            if (accepted.Operation != operation || acceptances.FindAcceptance(accepted.Signature, now) != accepted) continue;
            _counts.GetOrAdd((accepted.Signature, accepted.AcceptedAt), static _ => new()).Add(accepted.Signature == signature);
        }
    }

    /// <summary>Those that have changed since this was last asked, with all that this run has counted.</summary>
    public IReadOnlyList<AcceptedCount> TakeChanged() =>
    [
        .. _counts.Where(entry => entry.Value.TakeChanged())
            .Select(entry => entry.Value.Read(entry.Key.Signature, entry.Key.AcceptedAt)),
    ];

    /// <summary>Marks counts as changed again, because they could not be stored.</summary>
    public void GiveBack(IEnumerable<AcceptedCount> counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        foreach (var count in counts) _counts[(count.Signature, count.AcceptedAt)].GiveBack();
    }

    private sealed class Count
    {
        private readonly Lock _lock = new();
        private long _seen;
        private long _compared;
        private bool _isChanged;

        public void Add(bool isSeen)
        {
            lock (_lock) (_seen, _compared, _isChanged) = (_seen + (isSeen ? 1 : 0), _compared + 1, true);
        }

        public bool TakeChanged()
        {
            lock (_lock)
            {
                var changed = _isChanged;
                _isChanged = false;
                return changed;
            }
        }

        public void GiveBack()
        {
            lock (_lock) _isChanged = true;
        }

        public AcceptedCount Read(string signature, DateTimeOffset acceptedAt)
        {
            lock (_lock) return new(signature, acceptedAt, _seen, _compared);
        }
    }
}

/// <summary>What one run has counted of an acceptance.</summary>
public sealed record AcceptedCount(string Signature, DateTimeOffset AcceptedAt, long Seen, long Compared);
