using Shadowing.Journal;
using Shadowing.Postgres.Statements;
using Shadowing.Postgres.Stores;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Each second: stores what is new in the journal, learns what has been accepted on any replica, and forgets raw values whose time is over.
/// </summary>
/// <remarks>What could not be stored stays in memory and is tried again.</remarks>
internal sealed class MismatchKeeper(
    MismatchStore store, MismatchJournal journal, AcceptedCounts counts, LearnAcceptances acceptances, InstanceRecord instance,
    Findings findings,
    RawSamplesAnnounced announced, KeeperRegister keepers) : Keeper(
        new("mismatches", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10))
        {
            HoldsGate = true,
            NeedsStore = true,
            LongestPause = TimeSpan.FromSeconds(5),
        },
        keepers)
{
    /// <summary>Stores what the lane still found while it drained: it has stopped by now.</summary>
    protected override Task PartAsync(CancellationToken cancellationToken) => instance.HasBegun ? SaveAsync(cancellationToken)
        : Task.CompletedTask;

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        journal.ForgetRaw(Clock.GetUtcNow());
        if (instance.HasBegun) await KeepAsync(cancellationToken);
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        await SaveAsync(cancellationToken);
        await acceptances.LearnAsync(cancellationToken);
        await announced.AnnounceAsync(Clock.GetUtcNow(), cancellationToken);
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        await SaveCountsAsync(cancellationToken);
        if (journal.TakeChanged() is not { Count: > 0 } changed) return;
        try
        {
            await SaveAsync(changed, cancellationToken);
        }
        catch
        {
            journal.GiveBack(changed);
            throw;
        }
    }

    private async Task SaveCountsAsync(CancellationToken cancellationToken)
    {
        if (counts.TakeChanged() is not { Count: > 0 } changed) return;
        try
        {
            await store.SaveAsync(instance.Id, changed, cancellationToken);
        }
        catch
        {
            counts.GiveBack(changed);
            throw;
        }
    }

    /// <summary>
    /// One that the store refuses as it is must not keep the others out: then each goes alone, and those refused are tried again each time.
    /// </summary>
    private async Task SaveAsync(IReadOnlyCollection<MismatchGroup> changed, CancellationToken cancellationToken)
    {
        List<MismatchGroup> refused = [];
        try
        {
            await store.SaveAsync(instance.Id, changed, cancellationToken);
        }
        catch (Exception failure) when (PostgresErrors.IsAboutData(failure))
        {
            foreach (var group in changed)
            {
                try
                {
                    await store.SaveAsync(instance.Id, [group], cancellationToken);
                }
                catch (Exception alone) when (PostgresErrors.IsAboutData(alone))
                {
                    refused.Add(group);
                }
            }
        }

        journal.GiveBack(refused);
        findings.Replace("mismatches", [.. refused.Select(group => new Finding(
            Finding.Critical, $"{group.Operation} {group.Signature}", "This mismatch cannot be stored; only this replica knows of it."))]);
    }
}
