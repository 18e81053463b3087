using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Evidence;
using Shadowing.Hosting;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Console.Data;

/// <summary>
/// What came out of the comparisons of the last hour, stretch by stretch: the figures of all replicas as this one has read them since it
/// started. Longer than that is Prometheus's work.
/// </summary>
internal sealed class OutcomeHistory(GateBoard board, ShadowingReport report, KeeperRegister keepers)
    : Keeper(new("console", Step, TimeSpan.FromSeconds(5)), keepers)
{
    private const int Bars = 60;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(10);
    private readonly Lock _change = new();
    private readonly List<Sample> _samples = [];

    protected override bool StartsAtOnce => true;

    /// <summary>The stretches of an operation, the latest last, and how long each is.</summary>
    public (IReadOnlyList<Spark> Bars, TimeSpan Each) Read(string operation)
    {
        Sample[] samples;
        lock (_change) samples = [.. _samples];
        // While there are only minutes to show, they are shown in more detail.
        var each = samples.Length <= Bars + 1 ? 1 : 6;
        samples = [.. samples.Where((_, index) => (samples.Length - 1 - index) % each == 0)];
        return ([.. samples.Zip(samples.Skip(1), (from, to) => Between(from, to, operation)).TakeLast(Bars)], Step * each);
    }

    protected override Task StepAsync(CancellationToken cancellationToken)
    {
        var sample = new Sample(Counts());
        lock (_change)
        {
            _samples.Add(sample);
            if (_samples.Count > (Bars * 6) + 1) _samples.RemoveAt(0);
        }

        return Task.CompletedTask;
    }

    private Dictionary<string, Spark> Counts() => board.Latest is { At: not null } reading
        ? reading.Operations.Select(judged => judged.Evidence).ToDictionary(evidence => evidence.Operation, evidence => new Spark(
            evidence.Comparisons - evidence.Differing - evidence.Incomparable - evidence.Transients,
            evidence.Incomparable + evidence.Transients, evidence.Differing))
        : report.Operations().ToDictionary(status => status.Operation, FromStatus);

    private static Spark FromStatus(Serving.OperationStatus status)
    {
        Outcome[] differing = [Outcome.Mismatch, Outcome.CandidateError, Outcome.CandidateTimeout];
        Outcome[] same = [Outcome.Match, Outcome.Tolerated];
        return new(Sum(same), status.Comparisons.Values.Sum() - Sum(same) - Sum(differing), Sum(differing));

        long Sum(Outcome[] outcomes) => outcomes.Sum(outcome => status.Comparisons.GetValueOrDefault(outcome.Wire()));
    }

    /// <summary>Evidence that began anew counts from zero.</summary>
    private static Spark Between(Sample from, Sample to, string operation) =>
        to.Counts.TryGetValue(operation, out var now) && from.Counts.TryGetValue(operation, out var then)
            ? new(More(then.Same, now.Same), More(then.Unclear, now.Unclear), More(then.Differing, now.Differing)) : new(0, 0, 0);

    private static long More(long then, long now) => now >= then ? now - then : Math.Max(0, now);

    private sealed record Sample(IReadOnlyDictionary<string, Spark> Counts);
}
