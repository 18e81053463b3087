using Shadowing.Model;
using Shadowing.Postgres.Connections;
using Shadowing.Supervision;
using Shadowing.Writing;

namespace Shadowing.AspNetCore.Starting;

/// <summary>Makes the requests of the warm-up plan.</summary>
internal sealed partial class WarmUpRuns<TStore>(
    OpenStore<TStore> open, [FromKeyedServices(ServedDatabase.Key)] ConnectionPools served, CategorizeError categorize, Findings findings,
    ILogger<WarmUpRuns<TStore>> logger, WarmUpPlan<TStore>? plan = null, IWriteStage<TStore>? writes = null)
{
    private const int Rounds = 3;

    private readonly SortedSet<string> _refused = new(StringComparer.Ordinal);

    /// <summary>Makes each read a few times, each time on a connection of its own.</summary>
    public async Task ReadAsync(Side side, Position position, CancellationToken cancellationToken)
    {
        // Probed before the first statement, so that the statements prepared after it stay warm. The watch has probed the shadow's pool.
        if (position is Position.Served) await served.ProbeAsync(cancellationToken);
        for (var round = 0; plan is not null && round < Rounds; round++)
        {
            await using var lease = await open(new(side, position, Writes: false), cancellationToken);
            await plan.ReadAsync(lease.Store, cancellationToken);
        }
    }

    /// <summary>
    /// Makes what runs in the shadow. A request that fails starts cold, and later ones of its kind show what is wrong with it. One that is
    /// refused because of where it runs is a finding, before any user's request is.
    /// </summary>
    public async Task WarmShadowAsync(bool withWrites, CancellationToken cancellationToken)
    {
        await TryReadsAsync(cancellationToken);
        if (!withWrites || plan is null || writes is null) return;
        for (var round = 0; round < Rounds; round++)
            foreach (var side in Enum.GetValues<Side>()) await TryWritesAsync(side, plan, writes, cancellationToken);
    }

    /// <summary>In the sandbox. That warms up the code, and the statements of the sandbox's connections.</summary>
    private async Task TryWritesAsync(
        Side side, WarmUpPlan<TStore> plan, IWriteStage<TStore> writes, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = await writes.OpenSandboxAsync(side, WrittenRows.Untouched(plan.Image), cancellationToken);
            await plan.WriteAsync(scope.Store, cancellationToken);
            await scope.ReadAsync(new(), cancellationToken);
        }
#pragma warning disable CA1031 // For any failure: the candidate starts cold, and its writes then show the fault.
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Failed(failure, side);
        }
#pragma warning restore CA1031
    }

    private async Task TryReadsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReadAsync(Side.Candidate, Position.Shadow, cancellationToken);
        }
#pragma warning disable CA1031 // As for the writes.
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Failed(failure, Side.Candidate);
        }
#pragma warning restore CA1031
    }

    private void Failed(Exception failure, Side side)
    {
        LogFailed(failure, side, Position.Shadow);
        if (categorize(failure).OnlyHere is not { } why || !_refused.Add(why)) return;
        findings.Replace("warm-up", [.. _refused.Select(one => new Finding(
            Finding.Warning, "warm-up",
            $"Refused in the shadow position, before any request of a user. {one} Tried again at the next start."))]);
    }

    [LoggerMessage(50, LogLevel.Warning, "Warming up the {Side} in the {Position} position failed.")]
    private partial void LogFailed(Exception failure, Side side, Position position);
}
