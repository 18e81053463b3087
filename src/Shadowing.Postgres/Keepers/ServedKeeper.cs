using Microsoft.Extensions.Logging;
using Shadowing.Evidence;
using Shadowing.Journal;
using Shadowing.Postgres.Statements;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Stores what the candidate answered users. A keeper of its own: a long list of answers to store must not keep a rollback waiting.
/// </summary>
internal sealed partial class ServedKeeper(
    ServedStore served, ServedJournal journal, MismatchJournal mismatches, InstanceRecord instance, EvidenceMetrics metrics,
    KeeperRegister keepers, ILogger<ServedKeeper> logger) : Keeper(
        new("served", TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2))
        {
            HoldsGate = true,
            NeedsStore = true,
            LongestPause = TimeSpan.FromSeconds(2),
        },
        keepers)
{
    protected override Task PartAsync(CancellationToken cancellationToken) => StepAsync(cancellationToken);

    protected override async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!instance.HasBegun) return;
        var (answers, verdicts) = journal.Take();
        try
        {
            await AddAsync(answers, verdicts, cancellationToken);
        }
        catch
        {
            journal.Return(answers, verdicts);
            throw;
        }

        if (journal.TakeLost() is > 0 and var lost) metrics.EvidenceRecords(lost, "lost");
    }

    /// <summary>What the store refuses as it is would be refused each time: halved until it is one, and that one counted as lost.</summary>
    private async Task AddAsync(
        IReadOnlyList<ServedAnswer> answers, IReadOnlyList<ServedVerdict> verdicts, CancellationToken cancellationToken)
    {
        try
        {
            await served.AddAsync(instance.Id, answers, verdicts, mismatches.HashOf, cancellationToken);
        }
        catch (Exception failure) when (PostgresErrors.IsAboutData(failure))
        {
            if (answers.Count + verdicts.Count == 1)
            {
                metrics.EvidenceRecords(1, "lost");
                LogLost(failure.GetType().Name);
                return;
            }

            var (half, judged) = ((answers.Count + 1) / 2, (verdicts.Count + 1) / 2);
            // A verdict goes after its answer.
            if (answers.Count > 0 && verdicts.Count > 0) (half, judged) = (answers.Count, 0);
            await AddAsync([.. answers.Take(half)], [.. verdicts.Take(judged)], cancellationToken);
            await AddAsync([.. answers.Skip(half)], [.. verdicts.Skip(judged)], cancellationToken);
        }
    }

    [LoggerMessage(44, LogLevel.Error, "The store refuses an answer of the candidate, or its verdict, as it is ({Fault}): it is lost.")]
    private partial void LogLost(string fault);
}
