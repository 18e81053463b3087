using System.Runtime.CompilerServices;
using Shadowing.Experiments;
using Shadowing.Recording;
using Shadowing.Serving;

namespace Shadowing.Sweeping;

/// <summary>
/// Runs recorded requests through both sides, as a sweep does: each pair on one snapshot, writes in the sandbox, differences confirmed and
/// in
/// the journal. It is no evidence for the gate: which requests are in a file is chosen by the operator who brings it.
/// </summary>
internal sealed class Replayer<TStore>(Sweeper<TStore> sweeper, ServingContext context)
{
    /// <summary>The budget of database time and served traffic set the pace.</summary>
    private const double Rate = 100_000;

    /// <summary>Operation by operation, in the order in which they first come.</summary>
    public async Task RunAsync(
        IReadOnlyCollection<Experiment> experiments, IReadOnlyList<RecordedRequest> requests, Replay replay,
        CancellationToken cancellationToken)
    {
        foreach (var operation in requests.GroupBy(request => request.Operation))
        {
            if (experiments.FirstOrDefault(one => one.Operation == operation.Key) is { } experiment)
                await experiment.AcceptAsync(new Visit(sweeper, context, [.. operation], replay, cancellationToken));
            else foreach (var _ in operation) replay.Unreadable();
        }
    }

    private sealed class Visit(
        Sweeper<TStore> sweeper, ServingContext context, IReadOnlyList<RecordedRequest> requests, Replay replay,
        CancellationToken cancellationToken) : IExperimentVisitor<TStore>
    {
        public async Task VisitAsync<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment)
        {
            var order = new SweepOrder(replay.Id, experiment.Operation, null, Rate, null, 0, new Dictionary<string, int>());
            using var run = new SweepRun(order, context.Evidence.Fingerprint, static (_, _) => Task.FromResult(true))
            {
                Compared = recorded => replay.Compared(experiment.Operation, recorded),
            };
            await sweeper.RunAsync(experiment, WalkAsync<TRequest>(cancellationToken), run, cancellationToken);
        }

        private async IAsyncEnumerable<SweepStep<TRequest>> WalkAsync<TRequest>([EnumeratorCancellation] CancellationToken token)
        {
            foreach (var recorded in requests)
            {
                token.ThrowIfCancellationRequested();
                if (recorded.Read<TRequest>() is { } request) yield return new(request, "");
                else replay.Unreadable();
            }

            await Task.CompletedTask;
        }
    }
}
