using System.Runtime.CompilerServices;

namespace Ticketing.Demo.Faults;

/// <summary>A fault, and the share of the matching answers that it changes.</summary>
internal sealed record FaultChoice(CandidateFault Fault, double Rate);

/// <summary>The faults of one run: decides which requests they change, remembers the decision, and counts.</summary>
/// <remarks>
/// A request has at most one fault, and keeps it: the candidate is asked again with the same request object when a difference is
/// confirmed, and must be wrong again. Requests are distinguished by reference, because two equal records are different requests.
/// </remarks>
internal sealed class PlantedFaults(IReadOnlyList<FaultChoice> choices)
{
    private readonly Planted[] _planted = [.. choices.Select(choice => new Planted(choice.Fault, new(choice.Rate)))];
    private readonly ConditionalWeakTable<object, Decision> _decisions = [];
    private volatile bool _armed;

    /// <summary>Requests whose first shadow answer was changed, by the fault's name.</summary>
    public IReadOnlyDictionary<string, long> ByFault => _planted.ToDictionary(planted => planted.Fault.Name, planted => planted.Count);

    /// <summary>
    /// Of these, requests whose difference was found, and could not be confirmed. The control was asked again and the candidate was not,
    /// which is known only where the control is watched; or the rows had changed so that the fault no longer changes the answer.
    /// </summary>
    public IReadOnlyDictionary<string, long> UndecidedByFault =>
        _planted.ToDictionary(planted => planted.Fault.Name, planted => planted.Undecided);

    public bool IsEmpty => _planted.Length == 0;

    public long Total => _planted.Sum(planted => planted.Count);

    /// <summary>Starts changing answers. Before that the service can warm up without faults.</summary>
    public void Arm() => _armed = true;

    /// <summary>The answer, unchanged or changed by a fault.</summary>
    public async Task<TAnswer> PassAsync<TRequest, TAnswer>(CandidateCall<TRequest, TAnswer> call, CancellationToken cancellationToken)
        where TRequest : class
        where TAnswer : class
    {
        if (!_armed) return call.Answer;
        var decision = _decisions.GetValue(call.Request, static _ => new());
        if (!decision.Begin())
        {
            if (decision.By?.Fault is not CandidateFault<TRequest, TAnswer> again) return call.Answer;
            if (again.Fits(call.Request, call.Answer) && await again.Apply(call, cancellationToken) is { } wrong) return wrong;
            decision.Fade();
            return call.Answer;
        }

        foreach (var planted in _planted)
        {
            if (planted.Fault is not CandidateFault<TRequest, TAnswer> fault || !fault.Fits(call.Request, call.Answer)) continue;
            if (!planted.Share.Take()) continue;

            // Noted before the fault acts, because the fault may throw or never return.
            decision.By = planted;
            planted.Add(1);
            if (await fault.Apply(call, cancellationToken) is { } changed) return changed;
            planted.Add(-1);
            planted.Share.GiveBack();
            decision.By = null;
        }

        return call.Answer;
    }

    /// <summary>Notes that the control was asked, for a user or in the shadow.</summary>
    public void AskedControl(object request)
    {
        if (_armed) _decisions.GetValue(request, static _ => new()).AskControl();
    }

    private sealed class Decision
    {
        private int _candidate;
        private int _control;
        private bool _isUndecided;

        public Planted? By { get; set; }

        /// <summary>Notes that the candidate is asked. True the first time.</summary>
        public bool Begin()
        {
            if (Interlocked.Increment(ref _candidate) == 1) return true;
            if (_isUndecided) By?.AddUndecided(-1);
            _isUndecided = false;
            return false;
        }

        /// <summary>Notes that the fault changed nothing when the candidate was asked again.</summary>
        public void Fade()
        {
            _isUndecided = true;
            By?.AddUndecided(1);
        }

        // The second time comes after both sides have answered, so the decision on the candidate's answer is made by then.
        public void AskControl()
        {
            if (Interlocked.Increment(ref _control) != 2 || By is null || Volatile.Read(ref _candidate) != 1) return;
            _isUndecided = true;
            By.AddUndecided(1);
        }
    }

    private sealed class Planted(CandidateFault fault, FaultShare share)
    {
        private long _count;
        private long _undecided;

        public CandidateFault Fault { get; } = fault;

        public FaultShare Share { get; } = share;

        public long Count => Interlocked.Read(ref _count);

        public long Undecided => Interlocked.Read(ref _undecided);

        public void Add(long requests) => Interlocked.Add(ref _count, requests);

        public void AddUndecided(long requests) => Interlocked.Add(ref _undecided, requests);
    }
}
