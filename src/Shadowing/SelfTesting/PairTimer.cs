using Shadowing.Hosting;

namespace Shadowing.SelfTesting;

/// <summary>
/// Makes pairs for the latency test: both sides in the lane, on one pool, the one first as often as the other, because whoever comes second
/// finds a warm cache. A served control under load against a shadow that waits for idle moments would be no pair.
/// </summary>
internal sealed class PairTimer(SettingsInForce settings)
{
    private int _turn;

    /// <summary>Times a share of the requests that have been compared.</summary>
    public async Task RunAsync<TResult>(OperationState operation, Func<Side, Task<Observation<TResult>>> ask, CancellationToken stopping)
    {
#pragma warning disable CA5394 // Sampling needs no secret.
        if (Random.Shared.NextDouble() * 100 >= settings.Current.LatencyPairPercent) return;
#pragma warning restore CA5394
        var controlFirst = Interlocked.Increment(ref _turn) % 2 == 0;
        var first = await ask(controlFirst ? Side.Control : Side.Candidate);
        var second = await ask(controlFirst ? Side.Candidate : Side.Control);
        if (first.Error is not null || second.Error is not null || stopping.IsCancellationRequested) return;
        var (control, candidate) = controlFirst ? (first, second) : (second, first);
        operation.Evidence.Latency.Add(new(control.Duration.TotalSeconds, candidate.Duration.TotalSeconds));
    }
}
