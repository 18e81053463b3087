using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.SelfTesting;

/// <summary>
/// Runs pairs for the latency test: both sides in the lane, on one pool, each first in half of the operation's pairs, because the second
/// run finds a warm cache. A control that serves under load cannot be paired with a shadow that waits for idle moments.
/// </summary>
internal sealed class PairTimer(SettingsInForce settings, EvidenceLedger evidence, TimeProvider clock)
{
    /// <summary>Times a share of the requests that have been compared.</summary>
    public async Task RunAsync<TStore, TRequest, TResult>(ComparedRequest<TStore, TRequest, TResult> compared)
    {
        var latency = evidence.OperationOf(compared.Experiment.Operation).Latency;
        var (share, blockTime) = (settings.Current.LatencyPairPercent / 100, settings.Current.LatencyBlockTime);
#pragma warning disable CA5394 // Sampling needs no secret.
        if (!latency.IsDue(share, blockTime, Random.Shared.NextDouble(), clock)) return;
#pragma warning restore CA5394
        var controlFirst = latency.IsControlFirst();
        var first = await compared.Ask(controlFirst ? Side.Control : Side.Candidate);
        var second = await compared.Ask(controlFirst ? Side.Candidate : Side.Control);
        if (first.Error is not null || second.Error is not null || compared.Stopping.IsCancellationRequested) return;
        var (control, candidate) = controlFirst ? (first, second) : (second, first);
        latency.Add(new(control.Duration.TotalSeconds, candidate.Duration.TotalSeconds));
    }
}
