using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.SelfTesting;

namespace Shadowing.Serving;

/// <summary>
/// The counts of one operation. Every change of a request's state is one step under one lock, so that at any moment, and not only at rest,
/// requests = comparisons + skips + queued + in flight.
/// </summary>
internal sealed class OperationTally(TimeProvider clock)
{
    private const int MostMismatches = 100;

    private readonly Lock _step = new();
    private readonly long[] _outcomes = new long[Enum.GetValues<Outcome>().Length];
    private readonly long[] _skips = new long[Enum.GetValues<SkipReason>().Length];
    private readonly long[] _served = new long[ServedCounts.Kinds];
    private readonly Dictionary<(string Path, DifferenceKind Kind), long> _mismatches = [];
    private readonly (LatencySketch Seconds, long[] Statements) _control = (new(), new long[1]);
    private readonly (LatencySketch Seconds, long[] Statements) _candidate = (new(), new long[1]);
    private readonly RecentLatency _recent = new(clock);
    private long _requests;
    private long _queued;
    private long _inFlight;
    private long _paired;

    /// <summary>The control's, of the last minutes; zero where too few runs were measured.</summary>
    public TimeSpan ControlP99 => _recent.P99;

    public long Queued
    {
        get { lock (_step) return _queued; }
    }

    /// <summary>The counts that metrics show: of requests, of those that were not compared, and of answers.</summary>
    public OperationCounts Counts()
    {
        lock (_step) return new(_requests, [.. _skips], ServedCounts.Read(_served));
    }

    /// <summary>A side has answered a user, or failed to.</summary>
    /// <param name="isFallback">Whether the candidate was asked first, and failed or took too long.</param>
    public void Served(Side side, bool isFallback) => Interlocked.Increment(ref _served[ServedCounts.KindOf(side, isFallback)]);

    public void Skipped(SkipReason reason)
    {
        lock (_step)
        {
            _requests++;
            _skips[(int)reason]++;
        }
    }

    /// <summary>A request whose user has been answered, while the side that is to be compared is still running.</summary>
    public void IsLate()
    {
        lock (_step)
        {
            _requests++;
            _inFlight++;
        }
    }

    /// <summary>Counts the request as queued if the lane takes it, else as skipped.</summary>
    /// <param name="wasLate">Whether <see cref="IsLate"/> has counted it.</param>
    /// <returns>Why it is skipped; null where it is queued.</returns>
    public SkipReason? Enqueue(ShadowLane lane, ShadowRun run, bool wasLate)
    {
        lock (_step)
        {
            if (wasLate) _inFlight--;
            else _requests++;
            if (lane.Queue.TryWrite(run))
            {
                _queued++;
                return null;
            }

            var reason = lane.IsStopping ? SkipReason.Shutdown : SkipReason.QueueFull;
            _skips[(int)reason]++;
            return reason;
        }
    }

    public void Started()
    {
        lock (_step)
        {
            _queued--;
            _inFlight++;
        }
    }

    /// <summary>A request that had started ends uncompared.</summary>
    public void Abandoned(SkipReason reason)
    {
        lock (_step)
        {
            _inFlight--;
            _skips[(int)reason]++;
        }
    }

    /// <summary>A comparison that the shadow's own machinery failed in.</summary>
    public void Failed(Verdict verdict)
    {
        lock (_step)
        {
            _inFlight--;
            _outcomes[(int)verdict.Outcome]++;
        }
    }

    /// <param name="mismatches">The paths and kinds that differ, each once.</param>
    /// <returns>Those that have not been counted before.</returns>
    public IReadOnlyList<(string Path, DifferenceKind Kind)> Compared<T>(
        Verdict verdict, IReadOnlyList<(string Path, DifferenceKind Kind)> mismatches, Observation<T> control, Observation<T> candidate)
    {
        lock (_step)
        {
            _inFlight--;
            _outcomes[(int)verdict.Outcome]++;
            _paired++;
            Observe(_control, control);
            _recent.Add(control.Duration);
            Observe(_candidate, candidate);
            return [.. mismatches.Where(IsNew)];
        }
    }

    public BySide<DurationCounts> Durations()
    {
        lock (_step) return new(_control.Seconds.Counts(), _candidate.Seconds.Counts());
    }

    public OperationStatus Read(
        Experiment experiment, RolloutStanding standing, double samplePercent, IReadOnlyDictionary<string, long> transients,
        SelfTestStatus selfTest)
    {
        lock (_step)
        {
            return new(
                experiment.Operation, standing.ShadowPercent > 0 || standing.State is { Stage.Serves: true } ? standing.State!.Stage.Name
                    : "off", samplePercent,
                standing.State?.Stage.ServePercent ?? 0, standing.ServePercent, _requests,
                Enum.GetValues<Outcome>().ToDictionary(outcome => outcome.Wire(), outcome => _outcomes[(int)outcome]),
                Enum.GetValues<SkipReason>().ToDictionary(reason => reason.Wire(), reason => _skips[(int)reason]),
                _queued, _inFlight,
                [.. _mismatches.OrderByDescending(entry => entry.Value)
                    .Select(entry => new MismatchCount(entry.Key.Path, entry.Key.Kind.Wire(), entry.Value))],
                new(_control.Seconds.Read(), _candidate.Seconds.Read()),
                new(Mean(_control), Mean(_candidate)),
                transients,
                selfTest);
        }
    }

    private static void Observe<T>((LatencySketch Seconds, long[] Statements) side, Observation<T> observation)
    {
        side.Seconds.Add(observation.Duration.TotalSeconds);
        side.Statements[0] += observation.Ledger.Statements;
    }

    private double Mean((LatencySketch Seconds, long[] Statements) side) =>
        _paired == 0 ? 0 : Math.Round((double)side.Statements[0] / _paired, 2);

    private bool IsNew((string Path, DifferenceKind Kind) key)
    {
        if (!_mismatches.ContainsKey(key) && _mismatches.Count >= MostMismatches) key = (ShadowingMeter.OtherPath, key.Kind);
        return (_mismatches[key] = _mismatches.GetValueOrDefault(key) + 1) == 1;
    }
}

/// <summary>What the status says of an operation. Counts are of this replica since it started.</summary>
/// <param name="Comparisons">By outcome; every outcome is there.</param>
/// <param name="Skips">By reason; every reason is there.</param>
/// <param name="Mismatches">
/// Confirmed mismatches by path without indexes and kind, most first; a bounded number, the rest under <c>_other</c>.
/// </param>
/// <param name="Seconds">Quantiles over all comparisons in which both sides ran.</param>
/// <param name="Statements">SQL commands a comparison, on average.</param>
/// <param name="Transients">By what explains them; together they are the comparisons of that outcome.</param>
public sealed record OperationStatus(
    string Operation,
    string Stage,
    double SamplePercent,
    double ServePercent,
    double EffectiveServePercent,
    long Requests,
    IReadOnlyDictionary<string, long> Comparisons,
    IReadOnlyDictionary<string, long> Skips,
    long Queued,
    long InFlight,
    IReadOnlyList<MismatchCount> Mismatches,
    BySide<LatencyQuantiles> Seconds,
    BySide<double> Statements,
    IReadOnlyDictionary<string, long> Transients,
    SelfTestStatus SelfTest);

/// <summary>How often a path differed in a way.</summary>
public sealed record MismatchCount(string Path, string Kind, long Count);

/// <summary>A figure for each side.</summary>
public sealed record BySide<T>(T Control, T Candidate);
