using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>A rollback that this replica has applied and the store may not know of yet.</summary>
public sealed record PendingRollback(string Operation, string Reason);

/// <summary>
/// What this replica may expose: the store's states, for as long as they are confirmed, less what it has rolled back itself. Measured on
/// the monotonic clock, so that no jump of the wall clock lengthens a lease. Safe for concurrent use.
/// </summary>
/// <remarks>
/// A state that cannot be, because somebody else wrote it or an old backup came back, is refused: it never raises exposure. Whoever has
/// lost the lease takes it up again only once the store has answered steadily for a while: a store that comes and goes must not make users
/// flap.
/// </remarks>
public sealed class RolloutLease(TimeProvider clock) : IDisposable
{
    /// <summary>For how long an answer of the store holds, counted from the moment it was asked for.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(3);

    /// <summary>For how long the store must answer again, after a lease was lost, before anything is served on its word.</summary>
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

    /// <summary>Whether the store has ever answered. Before that nothing runs on the candidate at all.</summary>
    public bool IsKnown
    {
        get
        {
            lock (_change) return _confirmed is not null;
        }
    }

    /// <summary>The states as last confirmed, but for what is rolled back here: of those, the stage that is left.</summary>
    public IReadOnlyList<RolloutState> States
    {
        get
        {
            lock (_change) return [.. _states.Values.Select(Latched)];
        }
    }

    /// <summary>What is wrong with what the store last said, in words; empty where nothing is.</summary>
    public IReadOnlyList<string> Refused
    {
        get
        {
            lock (_change) return _refused;
        }
    }

    /// <summary>What this replica has rolled back and the store has not been told.</summary>
    public IReadOnlyList<PendingRollback> Pending
    {
        get
        {
            lock (_change) return [.. _latches.Where(latch => latch.Value.PublishedAs is null)
                .Select(latch => new PendingRollback(latch.Key, latch.Value.Reason))];
        }
    }

    /// <summary>The operation's state as last confirmed, less what is rolled back here; null before the store has told of it.</summary>
    public RolloutState? StateOf(string operation)
    {
        lock (_change) return _states.TryGetValue(operation, out var state) ? Latched(state) : null;
    }

    /// <summary>The store has answered.</summary>
    /// <param name="askedAt">The timestamp of before it was asked: what it said may be as old as that.</param>
    /// <param name="states">Of all operations.</param>
    /// <param name="unreadable">What it said and nobody can read, operation by operation in words.</param>
    public void Confirm(long askedAt, IEnumerable<RolloutState> states, IReadOnlyDictionary<string, string> unreadable)
    {
        ArgumentNullException.ThrowIfNull(states);
        ArgumentNullException.ThrowIfNull(unreadable);
        lock (_change)
        {
            NoteSteadiness(askedAt);
            // Answers may overtake each other.
            if (_confirmed is { } last && askedAt < last) return;
            _confirmed = askedAt;
            List<string> refused = [.. unreadable.Values];
            foreach (var operation in unreadable.Keys) Distrust(operation);
            foreach (var state in states)
            {
                // It was read before the change that this replica has made since.
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

    /// <summary>This replica has changed a state itself, and need not wait to hear of it. Prolongs no lease.</summary>
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

    /// <summary>Whether the operation serves as the store has it and nothing is rolled back here; a suspension does not count.</summary>
    public bool Serves(string operation)
    {
        lock (_change) return _states.TryGetValue(operation, out var state) && state.Stage.Serves && !_latches.ContainsKey(operation);
    }

    /// <summary>Takes the candidate from the users here while it is decided whether to roll back; each suspension is to be ended.</summary>
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

    /// <summary>Takes the candidate from the users here and now; the store is told later, and until it knows nothing lifts it.</summary>
    /// <param name="reason">Kept cleaned by <see cref="PlainText"/>.</param>
    /// <returns>Whether that changed anything.</returns>
    public bool RollBack(string operation, string reason)
    {
        reason = PlainText.Clean(reason, PlainText.LongestReason);
        lock (_change)
        {
            if (!_latches.TryAdd(operation, new(reason, null))) return false;
        }

        Hurry();
        return true;
    }

    /// <summary>The store is to be asked, and told, at once.</summary>
    public void Hurry() => _urgent.Set();

    /// <summary>Returns when somebody is in a hurry, or the time is over.</summary>
    public Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken) => _urgent.WaitAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _urgent.Dispose();

    /// <summary>The store knows of a rollback, as of a generation: a state that old or newer has it in it.</summary>
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

    /// <summary>What is known stays, so that the next can be held against it; but nothing is served on it.</summary>
    private void Distrust(string operation) => _latches.TryAdd(operation, new("The store's state cannot be believed.", null));

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

    /// <param name="PublishedAs">The generation by which the store knows; null while it does not.</param>
    private sealed record Latch(string Reason, long? PublishedAs);
}
