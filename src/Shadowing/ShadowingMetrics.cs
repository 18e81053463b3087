using System.Diagnostics;
using System.Diagnostics.Metrics;
using Shadowing.Comparison;
using Shadowing.Evidence;
using Shadowing.Rollout;

namespace Shadowing;

/// <summary>Every instrument of the meter <c>Shadowing</c>: names, units and attributes are here and nowhere else.</summary>
/// <remarks>Attributes come from closed sets: never ids, values or messages.</remarks>
public sealed class ShadowingMetrics
{
    /// <summary>The meter's name; also that of the activity source.</summary>
    public const string Name = "Shadowing";

    /// <summary>The path that stands for all that no experiment names.</summary>
    public const string OtherPath = "_other";

    internal const string Accepted = "accepted";

    private static readonly double[] Seconds =
        [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

    private readonly Counter<long> _requests;
    private readonly Counter<long> _served;
    private readonly Counter<long> _comparisons;
    private readonly Counter<long> _mismatches;
    private readonly Counter<long> _skips;
    private readonly Counter<long> _confirmations;
    private readonly Counter<long> _selfTests;
    private readonly Counter<long> _sweeps;
    private readonly Counter<long> _resets;
    private readonly Counter<long> _records;
    private readonly Counter<long> _decisions;
    private readonly Counter<long> _keeperFailures;
    private readonly Histogram<double> _duration;
    private readonly Histogram<int> _statements;
    private readonly Histogram<double> _databaseTime;
    private readonly Histogram<double> _overhead;
    private readonly Gauge<double> _lastComparison;

    /// <summary>Creates the instruments.</summary>
    public ShadowingMetrics(IMeterFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        Meter = factory.Create(Name);
        _requests = Meter.CreateCounter<long>("shadow.requests", "{request}", "Eligible requests.");
        _served = Meter.CreateCounter<long>("shadow.served", "{request}", "Requests answered, by the side that answered.");
        _comparisons = Meter.CreateCounter<long>("shadow.comparisons", "{comparison}", "Comparisons, by how they ended.");
        _mismatches = Meter.CreateCounter<long>("shadow.mismatches", "{mismatch}", "Confirmed differences, by path and kind.");
        _skips = Meter.CreateCounter<long>("shadow.skips", "{request}", "Eligible requests that were not compared, by reason.");
        _confirmations = Meter.CreateCounter<long>(
            "shadow.confirmations", "{confirmation}", "Differences asked again on one snapshot, or of a write in the sandbox.");
        _selfTests =
            Meter.CreateCounter<long>("shadow.selftest.comparisons", "{comparison}", "The control held against itself, by how it ended.");
        _sweeps = Meter.CreateCounter<long>("shadow.sweep.comparisons", "{comparison}", "Comparisons of sweeps, by how they ended.");
        _resets = Meter.CreateCounter<long>("shadow.evidence.resets", "{reset}", "Times that evidence began anew.");
        _records = Meter.CreateCounter<long>("shadow.evidence.records", "{record}",
            "Records of evidence sent to the store, by what became of them.");
        _decisions = Meter.CreateCounter<long>("shadow.gate.decisions", "{decision}",
            "Decisions of the gate that differ from the one before.");
        _keeperFailures = Meter.CreateCounter<long>("shadow.keeper.failures", "{failure}", "Failed steps of loops in the background.");
        _duration = Histogram("shadow.operation.duration", "Duration of one side's work.", Seconds);
        _statements = Meter.CreateHistogram("shadow.operation.statements", "{statement}", "SQL commands of one side.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [0, 1, 2, 3, 4, 5, 8, 12, 20, 50, 100, 500] });
        _databaseTime = Histogram("shadow.database.time", "Time in the database by one side's commands.", Seconds);
        _overhead = Histogram("shadow.caller.overhead", "What shadowing added to the caller's own flow.",
            [0.0000005, 0.000001, 0.0000025, 0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1]);
        _lastComparison = Meter.CreateGauge<double>("shadow.comparison.last.timestamp", "s", "When the latest comparison ended.");
    }

    internal Meter Meter { get; }

    private Histogram<double> Histogram(string name, string description, double[] boundaries) =>
        Meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });

    /// <summary>
    /// Publishes the known series of an operation as zero: the first increment of a series that did not exist is invisible to
    /// <c>increase()</c>.
    /// </summary>
    internal void Publish(Experiment experiment)
    {
        var operation = Operation(experiment);
        _requests.Add(0, operation);
        foreach (var outcome in Enum.GetValues<Outcome>().Where(outcome => outcome != Shadowing.Outcome.Incomparable))
            _comparisons.Add(0, operation, Outcome(outcome));
        foreach (var reason in Enum.GetValues<IncomparableReason>())
            _comparisons.Add(0, operation, Outcome(Shadowing.Outcome.Incomparable), Reason(reason.Wire()));
        _comparisons.Add(0, operation, Outcome(Shadowing.Outcome.Tolerated), Reason(Accepted));
        foreach (var outcome in Enum.GetValues<Outcome>())
        {
            _selfTests.Add(0, operation, Outcome(outcome));
            _sweeps.Add(0, operation, Outcome(outcome));
        }

        foreach (var reason in Enum.GetValues<SkipReason>()) _skips.Add(0, operation, Reason(reason.Wire()));
        foreach (
            var verdict in Enum.GetValues<ConfirmationVerdict>()) _confirmations.Add(0, operation, new("shadow.verdict", verdict.Wire()));
        foreach (var side in Enum.GetValues<Side>()) _served.Add(0, operation, SideOf(side), Fallback(false));
        _served.Add(0, operation, SideOf(Side.Control), Fallback(true));
    }

    internal void ObserveLane(Func<IEnumerable<Measurement<int>>> queued, Func<IEnumerable<Measurement<int>>> breakers)
    {
        Meter.CreateObservableGauge("shadow.queue.depth", queued, "{item}", "Requests that wait for the lane.");
        Meter.CreateObservableGauge("shadow.breaker.status", breakers, "1", "1 for the state that the breaker is in, 0 for the others.");
    }

    internal void ObserveDetector(Func<IEnumerable<Measurement<int>>> alive) =>
        Meter.CreateObservableGauge(
            "shadow.detector.alive", alive, "1", "1 while a difference planted in memory is found, 0 when it was not.");

    /// <summary>The figures that an SRE decides by, operation by operation; none before the evidence has been read.</summary>
    internal void ObserveEvidence(Func<IReadOnlyList<JudgedOperation>> latest)
    {
        Meter.CreateObservableGauge("shadow.evidence.cases", () =>
            latest().Select(one => Of(one, one.Evidence.Cases)), "{case}", "Distinct cases compared.");
        Meter.CreateObservableGauge(
            "shadow.evidence.required", () =>
                latest().Where(HasFigures).Select(one => Of(one, one.Decision.Figures!.CasesNeeded)), "{case}",
            "Distinct cases that would prove the next stage, with so many mismatches.");
        Meter.CreateObservableGauge(
            "shadow.gate.status", () => latest().SelectMany(one => Enum.GetValues<GateVerdict>().Select(verdict => new Measurement<int>(
                one.Decision.Decision == verdict ? 1 : 0, OperationOf(one), new("shadow.decision", verdict.Wire())))),
            "1", "1 for what the gate says of the operation, 0 for what it does not.");
        Meter.CreateObservableGauge(
            "shadow.gate.reasons", () => latest().SelectMany(one => Enum.GetValues<GateReasonCode>().Select(code => new Measurement<int>(
                one.Decision.Reasons.Count(reason => reason.Code == code), OperationOf(one), Reason(code.Wire())))),
            "{reason}", "Why the gate says so: how many reasons of the kind there are, one for each shape where it is about shapes.");
        Gauge("shadow.mismatch.bound.ratio", "The largest rate of mismatches that fits the evidence.", static figures => figures.Bound);
        Gauge("shadow.mismatch.threshold.ratio", "The rate to be below of for the next stage.", static figures => figures.Epsilon);
        Gauge("shadow.unproven.ratio", "The share of traffic that may be in unproven shapes.", static figures => figures.Unproven);

        void Gauge(string name, string description, Func<GateFigures, double> of) => Meter.CreateObservableGauge(
            name, () => latest().Where(HasFigures).Select(one => Of(one, of(one.Decision.Figures!))), "1", description);

        static bool HasFigures(JudgedOperation judged) => judged.Decision.Figures is not null;
        static KeyValuePair<string, object?> OperationOf(JudgedOperation judged) => new("shadow.operation", judged.Evidence.Operation);
        static Measurement<T> Of<T>(JudgedOperation judged, T value) where T : struct => new(value, OperationOf(judged));
    }

    /// <summary>Evidence began anew.</summary>
    /// <param name="reason">From a closed set: <c>fingerprint</c>, <c>acceptance</c>.</param>
    public void EvidenceReset(string reason) => _resets.Add(1, Reason(reason));

    /// <summary>Records went to the store.</summary>
    /// <param name="result"><c>written</c>, <c>retried</c> or <c>lost</c>.</param>
    public void EvidenceRecords(long records, string result) =>
        _records.Add(records, new KeyValuePair<string, object?>("shadow.result", result));

    /// <summary>The gate says something else of an operation than before.</summary>
    public void Decided(GateDecision decision)
    {
        ArgumentNullException.ThrowIfNull(decision);
        _decisions.Add(1, new TagList
        {
            { "shadow.operation", decision.Operation },
            { "shadow.decision", decision.Decision.Wire() },
            Reason(decision.Reasons[0].Code.Wire()),
        });
    }

    internal void KeeperFailures(string keeper, long failures) => _keeperFailures.Add(failures, new KeyValuePair<string,
        object?>("shadow.keeper", keeper));

    internal void ObserveKeepers(Func<IEnumerable<(string Keeper, bool IsDown)>> all) => Meter.CreateObservableGauge(
        "shadow.keeper.alive", () => all().Select(one => new Measurement<int>(one.IsDown ? 0 : 1, new KeyValuePair<string,
            object?>("shadow.keeper", one.Keeper))),
        "1", "1 while the loop's last step succeeded, 0 since one failed.");

    internal void ObserveConfig(Func<long> hash) =>
        Meter.CreateObservableGauge(
            "shadow.config.hash", hash, "1", "The settings in force as a number: replicas that differ are configured differently.");

    internal static KeyValuePair<string, object?> Operation(Experiment experiment) => new("shadow.operation", experiment.Operation);

    internal void Request(Experiment experiment) => _requests.Add(1, Operation(experiment));

    /// <param name="side">Who answered.</param>
    /// <param name="isFallback">Whether the candidate was asked first, and failed or took too long.</param>
    internal void Served(Experiment experiment, Side side, bool isFallback, TimeSpan duration, Exception? error)
    {
        _served.Add(1, Operation(experiment), SideOf(side), Fallback(isFallback));
        Duration(experiment, side, Position.Served, duration, error);
    }

    /// <summary>Where each operation stands on this replica.</summary>
    internal void ObserveRollout(Func<IEnumerable<RolloutStanding>> standing)
    {
        Meter.CreateObservableGauge(
            "shadow.rollout.ratio", () => standing().Select(one => Of(one, one.ServePercent / 100)), "1",
            "The share of users whom the candidate answers on this replica, within the shapes that it may serve.");
        Meter.CreateObservableGauge(
            "shadow.rollout.status", () => standing().SelectMany(one => Enum.GetValues<StageKind>().Select(kind => new Measurement<int>(
                (one.State?.Stage.Kind ?? StageKind.Off) == kind ? 1 : 0,
                new("shadow.operation", one.Operation), new("shadow.stage", kind.Wire())))),
            "1", "1 for the stage that the operation is at, 0 for the others.");
        Meter.CreateObservableGauge(
            "shadow.rollout.generation", () => standing().Select(one => Of(one, one.State?.Generation ?? 0)), "1",
            "Counts the changes of the operation's rollout; replicas that differ for longer than a second do not agree.");

        static Measurement<T> Of<T>(RolloutStanding one, T value) where T : struct =>
            new(value, new KeyValuePair<string, object?>("shadow.operation", one.Operation));
    }

    /// <summary>What holds an operation's shadow off on this replica: a stop that is meant must be told from one that is not.</summary>
    internal void ObserveSwitch(Func<IEnumerable<(Experiment Experiment, IReadOnlyList<string> Reasons)>> held) =>
        Meter.CreateObservableGauge(
            "shadow.switch.status", () => held().SelectMany(one => ShadowSwitch.All.Select(reason => new Measurement<int>(
                one.Reasons.Contains(reason) ? 1 : 0, Operation(one.Experiment), Reason(reason)))),
            "1", "1 for each reason that holds the operation's shadow off, 0 for the others.");

    internal void Skip(Experiment experiment, SkipReason reason) => _skips.Add(1, Operation(experiment), Reason(reason.Wire()));

    internal void Overhead(Experiment experiment, TimeSpan elapsed) => _overhead.Record(elapsed.TotalSeconds, Operation(experiment));

    internal void Confirmation(Experiment experiment, ConfirmationVerdict verdict) =>
        _confirmations.Add(1, Operation(experiment), new("shadow.verdict", verdict.Wire()));

    internal void SelfTested(Experiment experiment, Outcome outcome) => _selfTests.Add(1, Operation(experiment), Outcome(outcome));

    internal void Swept(Experiment experiment, Outcome outcome) => _sweeps.Add(1, Operation(experiment), Outcome(outcome));

    private static KeyValuePair<string, object?> Fallback(bool isFallback) => new("shadow.fallback", isFallback);

    internal void Observed<T>(Experiment experiment, Side side, Position position, Observation<T> observation)
    {
        _statements.Record(observation.Ledger.Statements, Operation(experiment), SideOf(side));
        _databaseTime.Record(observation.Ledger.DatabaseTime.TotalSeconds, Operation(experiment), new("shadow.position", position.Wire()));
        if (position == Position.Shadow) Duration(experiment, side, position, observation.Duration, observation.Error);
    }

    internal void Compared(Experiment experiment, Verdict verdict, DateTimeOffset at)
    {
        var tags = new TagList { Operation(experiment), Outcome(verdict.Outcome) };
        if ((verdict.Reason?.Wire() ?? verdict.Tolerated) is { } reason) tags.Add(Reason(reason));
        if (verdict.ErrorType is { } error) tags.Add("error.type", error);
        _comparisons.Add(1, tags);
        _lastComparison.Record(at.ToUnixTimeMilliseconds() / 1000d, Operation(experiment));
    }

    internal void Mismatch(Experiment experiment, Difference difference, bool isCritical) => _mismatches.Add(1, new TagList
    {
        Operation(experiment),
        { "diff.kind", difference.Kind.Wire() },
        { "diff.path", experiment.MetricPaths.Contains(difference.Pattern) ? difference.Pattern : OtherPath },
        { "shadow.severity", isCritical ? "critical" : "normal" },
    });

    private void Duration(Experiment experiment, Side side, Position position, TimeSpan duration, Exception? error)
    {
        var tags = new TagList { Operation(experiment), SideOf(side), { "shadow.position", position.Wire() } };
        if (error is not null) tags.Add("error.type", error.GetType().Name);
        _duration.Record(duration.TotalSeconds, tags);
    }

    private static KeyValuePair<string, object?> Outcome(Outcome outcome) => new("shadow.outcome", outcome.Wire());

    private static KeyValuePair<string, object?> Reason(string reason) => new("shadow.reason", reason);

    private static KeyValuePair<string, object?> SideOf(Side side) => new("shadow.side", side.Wire());
}
