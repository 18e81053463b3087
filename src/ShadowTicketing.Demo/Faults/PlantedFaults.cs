using System.Runtime.CompilerServices;

namespace ShadowTicketing.Demo.Faults;

/// <summary>A fault and the share of the answers it fits that it changes.</summary>
internal sealed record FaultChoice(CandidateFault Fault, double Rate);

/// <summary>The faults of one run: decides which requests they hit, remembers it, and counts.</summary>
/// <remarks>
/// A request is hit by at most one fault, and for good: the candidate is asked again with the very same request when a difference is
/// confirmed, and must be wrong again. Requests are told apart by reference, because as records equal ones are equal.
/// </remarks>
internal sealed class PlantedFaults(IReadOnlyList<FaultChoice> choices)
{
    private readonly Planted[] _planted = [.. choices.Select(choice => new Planted(choice.Fault, new(choice.Rate)))];
    private readonly ConditionalWeakTable<object, Decision> _decisions = [];
    private volatile bool _armed;

    /// <summary>Requests whose first shadow answer was changed, by the fault's name.</summary>
    public IReadOnlyDictionary<string, long> ByFault => _planted.ToDictionary(planted => planted.Fault.Name, planted => planted.Count);

    public bool IsEmpty => _planted.Length == 0;

    public long Total => _planted.Sum(planted => planted.Count);

    /// <summary>From now on answers are changed. Before that the service may warm up in peace.</summary>
    public void Arm() => _armed = true;

    /// <summary>The answer as it was, or as a fault leaves it.</summary>
    public async Task<TAnswer> PassAsync<TRequest, TAnswer>(CandidateCall<TRequest, TAnswer> call, CancellationToken cancellationToken)
        where TRequest : class
        where TAnswer : class
    {
        if (!_armed) return call.Answer;
        if (_decisions.TryGetValue(call.Request, out var earlier))
        {
            return earlier.By?.Fault is CandidateFault<TRequest, TAnswer> again && again.Fits(call.Request, call.Answer)
                ? await again.Apply(call, cancellationToken) ?? call.Answer
                : call.Answer;
        }

        var decision = new Decision();
        _decisions.Add(call.Request, decision);
        foreach (var planted in _planted)
        {
            if (planted.Fault is not CandidateFault<TRequest, TAnswer> fault || !fault.Fits(call.Request, call.Answer)) continue;
            if (!planted.Share.Take()) continue;

            // Before the fault acts: it may throw, or never return.
            decision.By = planted;
            planted.Add(1);
            if (await fault.Apply(call, cancellationToken) is { } changed) return changed;
            planted.Add(-1);
            planted.Share.GiveBack();
            decision.By = null;
        }

        return call.Answer;
    }

    private sealed class Decision
    {
        public Planted? By { get; set; }
    }

    private sealed class Planted(CandidateFault fault, FaultShare share)
    {
        private long _count;

        public CandidateFault Fault { get; } = fault;

        public FaultShare Share { get; } = share;

        public long Count => Interlocked.Read(ref _count);

        public void Add(long requests) => Interlocked.Add(ref _count, requests);
    }
}
