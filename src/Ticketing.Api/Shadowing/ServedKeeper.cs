using Shadowing;
using Shadowing.Hosting;
using Shadowing.Journal;
using Shadowing.Postgres;
using Shadowing.Rollout;

namespace Ticketing.Api.Shadowing;

/// <summary>
/// Stores what the candidate answered users. A keeper of its own: a long list of answers to store must not keep a rollback waiting.
/// </summary>
internal sealed class ServedKeeper(
    ServedStore served, ServedJournal journal, MismatchJournal mismatches, IncarnationRecord incarnation, ShadowingMetrics metrics,
    Keepers keepers, TimeProvider clock) : Keeper(
        new("served", TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2)) { HoldsGate = true, LongestPause = TimeSpan.FromSeconds(2) }, keepers, clock)
{
    private static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(10);
    private long _pruned = clock.GetTimestamp();

    protected override Task PartAsync(CancellationToken cancellationToken) => StepAsync(cancellationToken);

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!incarnation.HasBegun) return;
        var (answers, verdicts) = journal.Take();
        try
        {
            await served.AddAsync(incarnation.Id, answers, verdicts, mismatches.HashOf, cancellationToken);
        }
        catch
        {
            journal.Return(answers, verdicts);
            throw;
        }

        if (journal.TakeLost() is > 0 and var lost) metrics.EvidenceRecords(lost, "lost");
        if (Clock.GetElapsedTime(_pruned) < PruneInterval) return;
        _pruned = Clock.GetTimestamp();
        await served.PruneAsync(cancellationToken);
    }
}
