using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Console.Data;

/// <summary>
/// What came out of the comparisons of the last hour on this replica, stretch by stretch, since it started: where no evidence is kept.
/// </summary>
internal sealed class OutcomeHistory(ShadowingReport report, KeeperRegister keepers)
    : Keeper(new("console", Step, TimeSpan.FromSeconds(5)), keepers), IOutcomes
{
    private const int Bars = 60;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(10);
    private readonly Lock _change = new();
    private readonly List<IReadOnlyDictionary<string, Spark>> _samples = [];

    protected override bool StartsAtOnce => true;

    public Task<OutcomeSeries> ReadAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, Spark>[] samples;
        lock (_change) samples = [.. _samples];
        // While there are only minutes to show, they are shown in more detail.
        var every = samples.Length <= Bars + 1 ? 1 : 6;
        samples = [.. samples.Where((_, index) => (samples.Length - 1 - index) % every == 0)];
        var pairs = samples.Zip(samples.Skip(1)).TakeLast(Bars).ToArray();
        return Task.FromResult(new OutcomeSeries(
            pairs.Length == 0 ? "this replica, from now on"
                : $"the last {Show.Span(Step * every * pairs.Length)} on this replica, in stretches of {Show.Span(Step * every)}",
            samples.Length == 0 ? new Dictionary<string, IReadOnlyList<Spark>>() : samples[^1].Keys.ToDictionary(
                operation => operation,
                IReadOnlyList<Spark> (operation) => [.. pairs.Select(pair => Between(pair.First, pair.Second, operation))])));
    }

    protected override Task StepAsync(CancellationToken cancellationToken)
    {
        var sample = report.Operations().ToDictionary(status => status.Operation, FromStatus);
        lock (_change)
        {
            _samples.Add(sample);
            if (_samples.Count > (Bars * 6) + 1) _samples.RemoveAt(0);
        }

        return Task.CompletedTask;
    }

    private static Spark FromStatus(Serving.OperationStatus status)
    {
        Outcome[] differing = [Outcome.Mismatch, Outcome.CandidateError, Outcome.CandidateTimeout];
        Outcome[] same = [Outcome.Match, Outcome.Tolerated];
        return new(Sum(same), status.Comparisons.Values.Sum() - Sum(same) - Sum(differing), Sum(differing));

        long Sum(Outcome[] outcomes) => outcomes.Sum(outcome => status.Comparisons.GetValueOrDefault(outcome.Wire()));
    }

    private static Spark Between(IReadOnlyDictionary<string, Spark> from, IReadOnlyDictionary<string, Spark> to, string operation) =>
        to.TryGetValue(operation, out var now) && from.TryGetValue(operation, out var then)
            ? new(now.Same - then.Same, now.Unclear - then.Unclear, now.Differing - then.Differing) : new(0, 0, 0);
}
