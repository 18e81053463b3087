using System.Diagnostics;
using System.Diagnostics.Metrics;
using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>What became of requests and of comparisons, operation by operation.</summary>
internal sealed class OperationMetrics
{
    internal const string Accepted = "accepted";

    private static readonly double[] Seconds =
        [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

    private readonly Counter<long> _comparisons;
    private readonly Counter<long> _mismatches;
    private readonly Counter<long> _confirmations;
    private readonly Counter<long> _selfTests;
    private readonly Counter<long> _sweeps;
    private readonly Counter<long> _overlaps;
    private readonly Histogram<double> _duration;
    private readonly Histogram<int> _statements;
    private readonly Histogram<double> _databaseTime;
    private readonly Histogram<double> _overhead;
    private readonly Gauge<double> _lastComparison;

    public OperationMetrics(IMeterFactory factory)
    {
        Meter = ShadowingMeter.In(factory);
        _comparisons = Meter.CreateCounter<long>("shadow.comparisons", "{comparison}", "Comparisons, by how they ended.");
        _mismatches = Meter.CreateCounter<long>("shadow.mismatches", "{mismatch}", "Confirmed differences, by path and kind.");
        _confirmations = Meter.CreateCounter<long>(
            "shadow.confirmations", "{confirmation}", "Differences asked again on one snapshot, or of a write in the sandbox.");
        _selfTests =
            Meter.CreateCounter<long>("shadow.selftest.comparisons", "{comparison}", "The control held against itself, by how it ended.");
        _sweeps = Meter.CreateCounter<long>("shadow.sweep.comparisons", "{comparison}", "Comparisons of sweeps, by how they ended.");
        _overlaps = Meter.CreateCounter<long>(
            "shadow.overlap.comparisons", "{comparison}", "Runs of the candidate beside others of itself, by how they ended.");
        _duration = Histogram("shadow.operation.duration", "Duration of one side's work.", Seconds);
        _statements = Meter.CreateHistogram("shadow.operation.statements", "{statement}", "SQL commands of one side.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [0, 1, 2, 3, 4, 5, 8, 12, 20, 50, 100, 500] });
        _databaseTime = Histogram("shadow.database.time", "Time in the database by one side's commands.", Seconds);
        _overhead = Histogram("shadow.caller.overhead", "What shadowing added to the caller's own flow.",
            [0.0000005, 0.000001, 0.0000025, 0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1]);
        _lastComparison = Meter.CreateGauge<double>("shadow.comparison.last.timestamp", "s", "When the latest comparison ended.");
    }

    public Meter Meter { get; }

    private Histogram<double> Histogram(string name, string description, double[] boundaries) =>
        Meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });

    /// <summary>
    /// Publishes the known series of an operation as zero: the first increment of a series that did not exist is invisible to
    /// <c>increase()</c>.
    /// </summary>
    public void Publish(Experiment experiment)
    {
        var operation = Operation(experiment);
        foreach (var outcome in Enum.GetValues<Outcome>().Where(outcome => outcome != Model.Outcome.Incomparable))
            _comparisons.Add(0, operation, Outcome(outcome));
        foreach (var reason in Enum.GetValues<IncomparableReason>())
            _comparisons.Add(0, operation, Outcome(Model.Outcome.Incomparable), ShadowingMeter.Reason(reason.Wire()));
        _comparisons.Add(0, operation, Outcome(Model.Outcome.Tolerated), ShadowingMeter.Reason(Accepted));
        foreach (var outcome in Enum.GetValues<Outcome>())
        {
            _selfTests.Add(0, operation, Outcome(outcome));
            _sweeps.Add(0, operation, Outcome(outcome));
            _overlaps.Add(0, operation, Outcome(outcome));
        }

        foreach (
            var verdict in Enum.GetValues<ConfirmationVerdict>()) _confirmations.Add(0, operation, new("shadow.verdict", verdict.Wire()));
    }

    /// <summary>
    /// What every request counts is kept in plain counters and observed by the exporter: recording would cost each caller more than the
    /// rest of shadowing does.
    /// </summary>
    public void ObserveRequests(Func<IEnumerable<(Experiment Experiment, OperationCounts Counts)>> counts)
    {
        Meter.CreateObservableCounter(
            "shadow.requests",
            () => counts().Select(one => new Measurement<long>(one.Counts.Requests, Operation(one.Experiment))),
            "{request}", "Eligible requests.");
        Meter.CreateObservableCounter(
            "shadow.skips",
            () => from one in counts()
                  from reason in Enum.GetValues<SkipReason>()
                  select new Measurement<long>(
                      one.Counts.Skips[(int)reason], Operation(one.Experiment), ShadowingMeter.Reason(reason.Wire())),
            "{request}", "Eligible requests that were not compared, by reason.");
        Meter.CreateObservableCounter(
            "shadow.served",
            () => counts().SelectMany(one => Answers(one.Experiment, one.Counts.Served)),
            "{request}", "Requests answered, by the side that answered.");
    }

    private static Measurement<long>[] Answers(Experiment experiment, ServedCounts served) =>
    [
        new(served.Control, Operation(experiment), SideOf(Side.Control), Fallback(false)),
        new(served.Candidate, Operation(experiment), SideOf(Side.Candidate), Fallback(false)),
        new(served.Fallback, Operation(experiment), SideOf(Side.Control), Fallback(true)),
    ];

    public void ObserveLane(Func<IEnumerable<Measurement<int>>> queued, Func<IEnumerable<Measurement<int>>> breakers)
    {
        Meter.CreateObservableGauge("shadow.queue.depth", queued, "{item}", "Requests that wait for the lane.");
        Meter.CreateObservableGauge("shadow.breaker.status", breakers, "1", "1 for the state that the breaker is in, 0 for the others.");
    }

    public void ObserveDetector(Func<IEnumerable<Measurement<int>>> alive) =>
        Meter.CreateObservableGauge(
            "shadow.detector.alive", alive, "1", "1 while a difference planted in memory is found, 0 when it was not.");

    private static KeyValuePair<string, object?> Operation(Experiment experiment) => ShadowingMeter.Operation(experiment.Operation);

    /// <param name="side">Who answered.</param>
    public void Served(Experiment experiment, Side side, TimeSpan duration, Exception? error) =>
        Duration(experiment, side, Position.Served, duration, error);

    public void Overhead(Experiment experiment, TimeSpan elapsed) => _overhead.Record(elapsed.TotalSeconds, Operation(experiment));

    public void Confirmation(Experiment experiment, ConfirmationVerdict verdict) =>
        _confirmations.Add(1, Operation(experiment), new("shadow.verdict", verdict.Wire()));

    public void SelfTested(Experiment experiment, Outcome outcome) => _selfTests.Add(1, Operation(experiment), Outcome(outcome));

    public void Swept(Experiment experiment, Outcome outcome) => _sweeps.Add(1, Operation(experiment), Outcome(outcome));

    public void Overlapped(Experiment experiment, Outcome outcome) => _overlaps.Add(1, Operation(experiment), Outcome(outcome));

    private static KeyValuePair<string, object?> Fallback(bool isFallback) => new("shadow.fallback", isFallback);

    public void Observed<T>(Experiment experiment, Side side, Position position, Observation<T> observation)
    {
        _statements.Record(observation.Ledger.Statements, Operation(experiment), SideOf(side));
        _databaseTime.Record(observation.Ledger.DatabaseTime.TotalSeconds, Operation(experiment), new("shadow.position", position.Wire()));
        if (position == Position.Shadow) Duration(experiment, side, position, observation.Duration, observation.Error);
    }

    public void Compared(Experiment experiment, Verdict verdict, DateTimeOffset at)
    {
        var tags = new TagList { Operation(experiment), Outcome(verdict.Outcome) };
        if ((verdict.Reason?.Wire() ?? verdict.Tolerated) is { } reason) tags.Add(ShadowingMeter.Reason(reason));
        if (verdict.ErrorType is { } error) tags.Add("error.type", error);
        _comparisons.Add(1, tags);
        _lastComparison.Record(at.ToUnixTimeMilliseconds() / 1000d, Operation(experiment));
    }

    public void Mismatch(Experiment experiment, Difference difference, bool isCritical) => _mismatches.Add(1, new TagList
    {
        Operation(experiment),
        { "diff.kind", difference.Kind.Wire() },
        { "diff.path", experiment.MetricPaths.Contains(difference.Pattern) ? difference.Pattern : ShadowingMeter.OtherPath },
        { "shadow.severity", isCritical ? "critical" : "normal" },
    });

    private void Duration(Experiment experiment, Side side, Position position, TimeSpan duration, Exception? error)
    {
        var tags = new TagList { Operation(experiment), SideOf(side), { "shadow.position", position.Wire() } };
        if (error is not null) tags.Add("error.type", error.GetType().Name);
        _duration.Record(duration.TotalSeconds, tags);
    }

    private static KeyValuePair<string, object?> Outcome(Outcome outcome) => new("shadow.outcome", outcome.Wire());

    private static KeyValuePair<string, object?> SideOf(Side side) => new("shadow.side", side.Wire());
}
