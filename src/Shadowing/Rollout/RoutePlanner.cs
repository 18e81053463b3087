using System.Collections.Frozen;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Settings;

namespace Shadowing.Rollout;

/// <summary>Makes the routing table of what the settings, the store and the gate say.</summary>
internal sealed class RoutePlanner(
    SettingsInForce settings, IEnumerable<Experiment> experiments, RolloutLease lease, GateBoard board, EvidenceLedger evidence,
    Escapes escapes, TimeProvider clock)
{
    /// <summary>For so long a reading of the evidence holds: what could not be read again proves nothing any more.</summary>
    private static readonly TimeSpan ReadingHolds = TimeSpan.FromSeconds(10);

    private readonly Lock _planning = new();
    private GateReading _reading = GateReading.None;
    private long _readAt;

    /// <summary>The table of this moment.</summary>
    public RoutingTable Plan()
    {
        lock (_planning)
        {
            var reading = board.Read;
            if (!ReferenceEquals(reading, _reading)) (_reading, _readAt) = (reading, clock.GetTimestamp());
            var isFresh = clock.GetElapsedTime(_readAt) < ReadingHolds;
            return RoutingTable.From(
                settings.Current, experiments.Where(experiment => !escapes.Rests(experiment.Operation)), lease,
                operation => isFresh && reading.JudgedOf(operation) is { } judged ? judged.Servable : FrozenSet<string>.Empty,
                evidence.Fingerprint);
        }
    }
}
