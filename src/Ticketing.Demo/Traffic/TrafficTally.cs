using System.Collections.Concurrent;

namespace Ticketing.Demo.Traffic;

/// <summary>What the driver sent, and what it got that it should not have.</summary>
internal sealed class TrafficTally
{
    private readonly ConcurrentDictionary<string, long> _driven = [];
    private readonly ConcurrentDictionary<string, long> _unexpected = [];

    /// <summary>Requests sent, by operation.</summary>
    public IReadOnlyDictionary<string, long> Driven => new SortedDictionary<string, long>(_driven, StringComparer.Ordinal);

    /// <summary>Answers of a wrong status, and requests without an answer, as <c>tickets.get 500</c>.</summary>
    public IReadOnlyDictionary<string, long> Unexpected => new SortedDictionary<string, long>(_unexpected, StringComparer.Ordinal);

    public long Total => _driven.Values.Sum();

    public void Sent(PlannedRequest request) => _driven.AddOrUpdate(request.Operation, 1, static (_, count) => count + 1);

    public void Wrong(PlannedRequest request, string what) =>
        _unexpected.AddOrUpdate($"{request.Operation} {what}", 1, static (_, count) => count + 1);
}
