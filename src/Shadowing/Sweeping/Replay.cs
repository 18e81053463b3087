using Shadowing.Model;
using Shadowing.Serving;

namespace Shadowing.Sweeping;

/// <summary>A signature that a replay has met.</summary>
/// <param name="Signature">The same as live traffic's, by which the mismatch and its samples are found.</param>
public sealed record ReplayedSignature(string Signature, string Operation, long Count, bool IsCritical);

/// <summary>How far a replay is, and what it has found.</summary>
/// <param name="State"><c>running</c>, <c>done</c> or <c>stopped</c>.</param>
/// <param name="Total">The requests of the recording that are to be replayed.</param>
/// <param name="Done">Those that both sides have run; with <paramref name="From"/>, where to resume.</param>
/// <param name="From">How many were left out at the beginning, because they had been replayed before.</param>
/// <param name="Unreadable">Those that this build cannot read: an operation or a form of request that it does not know.</param>
/// <param name="Undecided">Those of which nothing could be said.</param>
/// <param name="PerSecond">Over the whole run so far.</param>
/// <param name="Outcomes">The others by outcome.</param>
public sealed record ReplayState(
    long Id, string State, long Total, long Done, long From, long Unreadable, long Undecided, double PerSecond,
    IReadOnlyDictionary<string, long> Outcomes, IReadOnlyList<ReplayedSignature> Signatures, string StartedBy);

/// <summary>A replay while it runs. Safe for concurrent use.</summary>
/// <param name="only">The only signature that is looked for; null for all.</param>
internal sealed class Replay(long id, long total, long from, string? only, string startedBy, TimeProvider clock) : IDisposable
{
    private readonly Lock _change = new();
    private readonly Dictionary<string, long> _outcomes = [];
    private readonly Dictionary<string, ReplayedSignature> _signatures = [];
    private readonly long _began = clock.GetTimestamp();
    private long _ended;
    private long _done;
    private long _unreadable;
    private long _undecided;
    private string _state = "running";

    public long Id => id;

    public CancellationTokenSource Stopping { get; } = new();

    public bool IsRunning => Read().State == "running";

    public void Unreadable()
    {
        lock (_change) (_done, _unreadable) = (_done + 1, _unreadable + 1);
    }

    /// <param name="recorded">Null where nothing could be said.</param>
    public void Compared(string operation, Recorded? recorded)
    {
        lock (_change)
        {
            _done++;
            if (recorded is not { } known)
            {
                _undecided++;
                return;
            }

            var outcome = known.Outcome.Wire();
            _outcomes[outcome] = _outcomes.GetValueOrDefault(outcome) + 1;
            if (!known.Outcome.IsWrong() || known.Signature?.Id is not { } signature || (only is not null && signature != only)) return;
            var before = _signatures.GetValueOrDefault(signature) ?? new(signature, operation, 0, known.IsCritical);
            _signatures[signature] = before with { Count = before.Count + 1 };
        }
    }

    public void Ended(string state)
    {
        lock (_change) (_state, _ended) = (state, clock.GetTimestamp());
    }

    public ReplayState Read()
    {
        lock (_change)
        {
            var seconds = clock.GetElapsedTime(_began, _ended == 0 ? clock.GetTimestamp() : _ended).TotalSeconds;
            return new(
                id, _state, total, _done, from, _unreadable, _undecided, seconds > 0 ? Math.Round(_done / seconds, 1) : 0,
                new SortedDictionary<string, long>(_outcomes), [.. _signatures.Values.OrderByDescending(one => one.Count)], startedBy);
        }
    }

    public void Dispose() => Stopping.Dispose();
}
