using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>A rollback that this replica has applied and the store may not have yet.</summary>
/// <param name="Actor">Who asked for it; null where the service did it by itself.</param>
public sealed record PendingRollback(string Operation, string Reason, string? Actor = null);

/// <summary>
/// What this replica may expose: the store's states while they are confirmed, without what this replica has rolled back. Measured on the
/// monotonic clock, so that no jump of the wall clock lengthens a lease. Safe for concurrent use.
/// </summary>
/// <remarks>
/// An impossible state, written by another program or restored from an old backup, is refused: it never raises exposure. After a lost
/// lease the replica serves again only once the store has answered steadily for <see cref="Recovery"/>. Otherwise a store that comes and
/// goes would switch users back and forth.
/// </remarks>
public sealed class RolloutLease(TimeProvider clock) : IDisposable
{
    /// <summary>How long an answer of the store holds, counted from the moment it was requested.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(3);

    /// <summary>How long the store must answer steadily after a lost lease, before the candidate serves again.</summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(10);

    private readonly Lock _change = new();
    private readonly Dictionary<string, RolloutState> _states = [];
    private readonly Dictionary<string, Latch> _latches = [];
    private readonly Dictionary<string, long> _learnt = [];
    private readonly Dictionary<string, int> _suspended = [];
    private readonly Signal _urgent = new();
    private long? _confirmed;
    private long? _recoversAt;
    private IReadOnlyList<string> _refused = [];

    /// <summary>The timestamp until which the states hold; 0 where nothing may be served.</summary>
    public long ServesUntil
    {
        get
        {
            lock (_change) return _confirmed is not { } at || _recoversAt is not null ? 0 : at + Ticks(Length);
        }
    }

    /// <summary>Whether the store has ever answered. Before that, nothing runs on the candidate.</summary>
    public bool IsKnown
    {
        get
        {
            lock (_change) return _confirmed is not null;
        }
    }

    /// <summary>How long ago the store was asked for what is confirmed; null before its first answer.</summary>
    public TimeSpan? Age
    {
        get
        {
            lock (_change) return _confirmed is { } at ? clock.GetElapsedTime(at) : null;
        }
    }

    /// <summary>The states as last confirmed; an operation that is rolled back here has the stage that remains.</summary>
    public IReadOnlyList<RolloutState> States
    {
        get
        {
            lock (_change) return [.. _states.Values.Select(Latched)];
        }
    }

    /// <summary>The faults of the store's last answer, in words; empty where there are none.</summary>
    public IReadOnlyList<string> Refused
    {
        get
        {
            lock (_change) return _refused;
        }
    }

    /// <summary>The rollbacks that this replica has applied and the store has not confirmed.</summary>
    public IReadOnlyList<PendingRollback> Pending
    {
        get
        {
            lock (_change) return [.. _latches.Where(latch => latch.Value.PublishedAs is null)
                .Select(latch => new PendingRollback(latch.Key, latch.Value.Reason, latch.Value.Actor))];
        }
    }

    /// <summary>The operation's state as last confirmed, with what is rolled back here; null before the store has sent one.</summary>
    public RolloutState? StateOf(string operation)
    {
        lock (_change) return _states.TryGetValue(operation, out var state) ? Latched(state) : null;
    }

    /// <summary>Takes over an answer of the store.</summary>
    /// <param name="askedAt">The timestamp before the store was asked: the answer may be as old as that.</param>
    /// <param name="states">Of all operations.</param>
    /// <param name="unreadable">Why a row cannot be read, in words, by operation.</param>
    public void Confirm(long askedAt, IEnumerable<RolloutState> states, IReadOnlyDictionary<string, string> unreadable)
    {
        ArgumentNullException.ThrowIfNull(states);
        ArgumentNullException.ThrowIfNull(unreadable);
        lock (_change)
        {
            NoteSteadiness(askedAt);
            // Answers may arrive out of order.
            if (_confirmed is { } last && askedAt < last) return;
            _confirmed = askedAt;
            List<string> refused = [.. unreadable.Values];
            foreach (var operation in unreadable.Keys) Distrust(operation);
            foreach (var state in states)
            {
                // The state was read before this replica's own later change.
                if (_learnt.TryGetValue(state.Operation, out var learnt) && askedAt < learnt) continue;
                if (Fault(state) is { } fault)
                {
                    refused.Add(fault);
                    Distrust(state.Operation);
                    continue;
                }

                Take(state);
            }

            _refused = refused;
        }
    }

    /// <summary>
    /// Takes over a state that this replica has changed itself, before the store confirms it. Does not prolong the lease.
    /// </summary>
    public void Learn(RolloutState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        lock (_change)
        {
            if (Fault(state) is not null) return;
            Take(state);
            _learnt[state.Operation] = clock.GetTimestamp();
        }
    }

    /// <summary>Whether the stored stage serves and nothing is rolled back here; a suspension does not count.</summary>
    public bool Serves(string operation)
    {
        lock (_change) return _states.TryGetValue(operation, out var state) && state.Stage.Serves && !_latches.ContainsKey(operation);
    }

    /// <summary>Stops the candidate serving here while a rollback is being decided. Each suspension must be ended.</summary>
    public void Suspend(string operation)
    {
        lock (_change) _suspended[operation] = _suspended.GetValueOrDefault(operation) + 1;
    }

    /// <summary>Ends one suspension.</summary>
    public void Resume(string operation)
    {
        lock (_change)
        {
            if (--_suspended[operation] == 0) _suspended.Remove(operation);
        }
    }

    /// <summary>Stops the candidate serving here at once. The store is told later, and nothing lifts the rollback before that.</summary>
    /// <param name="reason">Stored after cleaning by <see cref="PlainText"/>.</param>
    /// <param name="actor">Who asked for it; null where the service does it by itself.</param>
    /// <returns>Whether that changed anything.</returns>
    public bool RollBack(string operation, string reason, string? actor = null)
    {
        reason = PlainText.Clean(reason, PlainText.LongestReason);
        lock (_change)
        {
            if (!_latches.TryAdd(operation, new(reason, actor, null))) return false;
        }

        Hurry();
        return true;
    }

    /// <summary>Makes the keeper ask the store, and publish to it, at once.</summary>
    public void Hurry() => _urgent.Set();

    /// <summary>Returns after <see cref="Hurry"/>, or when the time is over.</summary>
    public Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken) => _urgent.WaitAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _urgent.Dispose();

    /// <summary>Notes that the store has a rollback as of a generation. States of that generation or a newer one include it.</summary>
    public void Published(string operation, long generation)
    {
        lock (_change)
        {
            if (_latches.TryGetValue(operation, out var latch)) _latches[operation] = latch with { PublishedAs = generation };
        }
    }

    private void Take(RolloutState state)
    {
        _states[state.Operation] = state;
        if (_latches.TryGetValue(state.Operation, out var latch) && state.Generation >= latch.PublishedAs) _latches.Remove(state.Operation);
    }

    private void NoteSteadiness(long askedAt)
    {
        if (_confirmed is { } last && clock.GetTimestamp() - last > Ticks(Length)) _recoversAt = askedAt + Ticks(Recovery);
        else if (_recoversAt is { } at && askedAt >= at) _recoversAt = null;
    }

    private string? Fault(RolloutState state)
    {
        if (state.Generation < 0) return $"{state.Operation}: generation {state.Generation} is below 0";
        if (!_states.TryGetValue(state.Operation, out var known)) return null;
        if (state.Generation < known.Generation)
            return $"{state.Operation}: generation {state.Generation} is older than {known.Generation}, which was confirmed before";
        var isSame = state.Generation > known.Generation || (state with { InStage = default }) == (known with { InStage = default });
        return isSame ? null : $"{state.Operation}: generation {state.Generation} is not what it was";
    }

    /// <summary>Keeps the known state, to compare the next one with it, and rolls the operation back here.</summary>
    private void Distrust(string operation) => _latches.TryAdd(operation, new("The store's state cannot be believed.", null, null));

    private RolloutState Latched(RolloutState state)
    {
        var latch = _latches.GetValueOrDefault(state.Operation);
        return latch is null && !_suspended.ContainsKey(state.Operation) ? state : state with
        {
            Stage = RolloutRules.IsLower(state.Stage, Stage.Shadow) ? state.Stage : Stage.Shadow,
            HeldBecause = state.HeldBecause ?? latch?.Reason ?? "An alert is being looked up.",
        };
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    /// <param name="PublishedAs">The generation with which the store has it; null while the store does not.</param>
    private sealed record Latch(string Reason, string? Actor, long? PublishedAs);
}
