using Shadowing.Postgres.Stores;
using Shadowing.Rollout;

namespace Shadowing.Postgres.Keepers;

/// <summary>The one question that a replica asks of the store again and again.</summary>
internal sealed class RolloutPoll(
    RolloutStore store, RolloutLease lease, StoreMark marks, RolloutAnnouncer announcer, TimeProvider clock)
{
    /// <summary>Sends the report, and takes over the states and the mark that come back.</summary>
    public async Task AskAsync(IReadOnlyCollection<string> operations, ReplicaReport report, CancellationToken cancellationToken)
    {
        var asked = clock.GetTimestamp();
        RolloutReading reading;
        try
        {
            reading = await store.PollAsync(operations, report, cancellationToken);
        }
        catch
        {
            // Those that wait for a new mark ask for themselves, and learn at once that the store is away.
            marks.Clear();
            throw;
        }

        lease.Confirm(asked, reading.States, reading.Unreadable);
        if (reading.Mark is { } mark) marks.Set(mark, asked);
        foreach (var state in reading.States) announcer.Tell(state);
    }
}
