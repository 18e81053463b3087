using Microsoft.Extensions.Options;

namespace ShadowTicketing.Shadowing.SelfTesting;

/// <summary>
/// Makes pairs for the latency test: both sides in the lane, on one pool, the one first as often as the other, because whoever comes second
/// finds a warm cache. A served control under load against a shadow that waits for idle moments would be no pair.
/// </summary>
internal sealed class PairTimer<TStore>(OpenStore<TStore> open, BoundedObserver observer, IOptions<ShadowingOptions> options)
{
    private int _turn;

    /// <summary>Times a share of the requests that have been compared.</summary>
    public async Task RunAsync<TRequest, TResult>(
        Experiment<TStore, TRequest, TResult> experiment, OperationState operation, TRequest request, CancellationToken stopping)
    {
#pragma warning disable CA5394 // Sampling needs no secret.
        if (Random.Shared.NextDouble() * 100 >= options.Value.LatencyPairPercent) return;
#pragma warning restore CA5394
        var controlFirst = Interlocked.Increment(ref _turn) % 2 == 0;
        var first = await ObserveAsync(controlFirst ? Side.Control : Side.Candidate);
        var second = await ObserveAsync(controlFirst ? Side.Candidate : Side.Control);
        if (first.Error is not null || second.Error is not null || stopping.IsCancellationRequested) return;
        var (control, candidate) = controlFirst ? (first, second) : (second, first);
        operation.Evidence.Latency.Add(new(control.Duration.TotalSeconds, candidate.Duration.TotalSeconds));

        Task<Observation<TResult>> ObserveAsync(Side side) => observer.ObserveAsync(
            token => open(side, Position.Shadow, token), (store, token) => experiment.RunAsync(store, request, token), stopping);
    }
}
