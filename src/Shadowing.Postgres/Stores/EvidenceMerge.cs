using Shadowing.Evidence;
using Shadowing.Sweeping;

namespace Shadowing.Postgres.Stores;

/// <summary>What was read of the shapes of some operations.</summary>
internal sealed class StoredRows(
    IEnumerable<ShapeRow> counts, IEnumerable<KeyValuePair<(string Operation, string Shape, string Kind), long>> cases,
    ILookup<(string Operation, string Shape), double> doubts, IReadOnlyDictionary<(string Operation, string Shape), SweptShape> swept)
{
    private readonly ILookup<string, ShapeRow> _counts = counts.ToLookup(row => row.Operation);
    private readonly ILookup<string, KeyValuePair<(string Operation, string Shape, string Kind), long>> _cases =
        cases.ToLookup(entry => entry.Key.Operation);

    public IEnumerable<ShapeRow> CountsOf(string operation) => _counts[operation];

    /// <summary>The numbers of cases by shape and kind; the shape is empty for the operation as a whole.</summary>
    public IReadOnlyDictionary<(string Shape, string Kind), long> CasesOf(string operation) =>
        _cases[operation].ToDictionary(entry => (entry.Key.Shape, entry.Key.Kind), entry => entry.Value);

    public IEnumerable<double> DoubtsOf(string operation, string shape) => doubts[(operation, shape)];

    public SweptShape? SweptOf(string operation, string shape) => swept.GetValueOrDefault((operation, shape));
}

/// <summary>Makes evidence of what one reading has found.</summary>
/// <param name="operations">How many operations there are.</param>
internal sealed class EvidenceMerge(string candidate, int operations, GatePolicy policy, DateTimeOffset now)
{
    public required StoredRows Rows { get; init; }

    public required IReadOnlyDictionary<string, StoredSample> Samples { get; init; }

    public required IReadOnlyDictionary<string, UnprovenShare> Unproven { get; init; }

    public required IReadOnlyDictionary<string, PairedLatency> Latency { get; init; }

    public required IReadOnlyDictionary<string, PairCounts> Pairs { get; init; }

    public required ILookup<string, OpenMismatch> Open { get; init; }

    public required IReadOnlyDictionary<string, RollbackTrip> Excess { get; init; }

    public required IReadOnlyDictionary<string, int> Attempts { get; init; }

    public required TrafficDays Days { get; init; }

    public required TimeSpan? SinceUnclean { get; init; }

    /// <summary>The evidence on an operation whose shapes have been read.</summary>
    public KnownEvidence Read(string operation, string version, long at, CaseRates rates)
    {
        var (shapes, cases) = (Rows.CountsOf(operation).ToArray(), Rows.CasesOf(operation));
        DateTimeOffset? began = shapes.Length == 0 ? null : shapes.Min(shape => shape.FirstAt);
        var hours = began is { } start ? Math.Max((now - start).TotalHours, 1 / 60d) : 0;
        var requests = Math.Max(Sum(shape => shape.Requests), 1);
        var sample = Samples.GetValueOrDefault(operation);
        var ofUsers = sample?.ToSample().Users ?? default;
        var evidence = new OperationEvidence
        {
            Operation = operation,
            Candidate = candidate,
            Operations = operations,
            Sample = (sample?.ToSample() ?? RequestSample.None) with
            {
                Due = Sum(shape => shape.Due),
                Decided = Sum(shape => shape.Decided),
                Wrong = Sum(shape => shape.Wrong),
            },
            CaseUsers = sample?.CaseUsers ?? default,
            Cases = Whole(CaseSet.All),
            LiveCases = Whole(CaseSet.Live),
            BusyHourCases = Cases("", CaseSet.Busy),
            CasesPerHour = Rate("", Whole(CaseSet.Live)),
            Mismatches = Whole(CaseSet.Mismatch),
            Comparisons = Sum(shape => shape.Comparisons),
            Differing = Sum(shape => shape.Differing),
            Incomparable = Sum(shape => shape.Incomparable),
            Transients = Sum(shape => shape.Transients),
            Shed = Sum(shape => shape.Shed),
            Statements = new(Sum(shape => shape.StatementsMore), Sum(shape => shape.StatementTrials)),
            UnprovenBound = UnprovenOf(operation).Looked().Bound,
            Shapes =
            [
                .. shapes.OrderByDescending(shape => shape.Counts.Requests).Select(shape => Shape(shape.Shape, shape)),
                // Those that only a sweep has found.
                .. cases.Keys.Select(entry => entry.Shape).Where(shape => shape.Length > 0).Distinct()
                    .Except(shapes.Select(shape => shape.Shape)).Order(StringComparer.Ordinal).Select(shape => Shape(shape, null)),
            ],
        };
        return new(version, at, began, sample, UnprovenOf(operation), Beside(evidence, began, SinceUnclean));

        long Sum(Func<EvidenceCounts, long> of) => shapes.Sum(shape => of(shape.Counts));

        long Cases(string shape, CaseSet set) => cases.GetValueOrDefault((shape, EvidenceStore.Name(set)));

        // Cases of different shapes are different cases: where the operation began anew, those of shapes that did not still count.
        long Whole(CaseSet set) => Math.Max(Cases("", set), cases
            .Where(entry => entry.Key.Shape.Length > 0 && entry.Key.Kind == EvidenceStore.Name(set)).Sum(entry => entry.Value));

        double Rate(string shape, long live) => rates.Read(operation, shape, now, live, hours == 0 ? 0 : live / hours);

        ShapeEvidence Shape(string shape, ShapeRow? row)
        {
            var found = Rows.SweptOf(operation, shape);
            return new(shape)
            {
                Cases = Cases(shape, CaseSet.All),
                LiveCases = Cases(shape, CaseSet.Live),
                Mismatches = Cases(shape, CaseSet.Mismatch),
                Existing = found?.Existing,
                Swept = found?.Swept ?? 0,
                Requests = row?.Counts.Requests ?? 0,
                Comparisons = row?.Counts.Comparisons ?? 0,
                TrafficShare = Math.Min(1, (row?.Counts.Requests ?? 0) / (double)requests),
                Due = row?.Counts.Due ?? 0,
                Decided = row?.Counts.Decided ?? 0,
                Wrong = row?.Counts.Wrong ?? 0,
                WithRows = row?.Counts.WithRows,
                RecentComparisons = row?.RecentComparisons ?? 0,
                RecentDoubtful = row is null ? 0 : row.DoubtFor(Rows.DoubtsOf(operation, shape), ofUsers, policy),
                CasesPerHour = Rate(shape, Cases(shape, CaseSet.Live)),
            };
        }
    }

    /// <summary>The evidence on an operation whose shapes have not changed: the same object where all else is equal too.</summary>
    public KnownEvidence Renew(KnownEvidence before)
    {
        var old = before.Evidence;
        var (sample, unproven) = (Samples.GetValueOrDefault(old.Operation), UnprovenOf(old.Operation));
        var fresh = Beside(old, before.Began, Since(old.SinceUncleanExit));
        if (!StoredSample.AreSame(sample, before.Sample))
        {
            var read = sample?.ToSample() ?? RequestSample.None;
            fresh = fresh with
            {
                Sample = read with { Due = old.Sample.Due, Decided = old.Sample.Decided, Wrong = old.Sample.Wrong },
                CaseUsers = sample?.CaseUsers ?? default,
            };
        }

        if (!unproven.HasSameCounts(before.Unproven))
            fresh = fresh with { UnprovenBound = unproven.Looked().Bound };
        return before with { Sample = sample, Unproven = unproven, Evidence = fresh == old ? old : fresh };
    }

    /// <summary>What is read of every operation each time, because it is little.</summary>
    private OperationEvidence Beside(OperationEvidence evidence, DateTimeOffset? began, TimeSpan? sinceUnclean)
    {
        var operation = evidence.Operation;
        var (soak, businessDays) = Days.SoakOf(operation, began);
        return evidence with
        {
            Attempt = Attempts.GetValueOrDefault(operation, 1),
            OpenMismatches = Open[operation].Count(row => !row.IsAccepted && (!row.IsTriaged || row.IsCritical)),
            Triaged = Open[operation].Count(row => row is { IsTriaged: true, IsAccepted: false, IsCritical: false }),
            CriticalMismatches = Open[operation].Count(row => row.IsCritical),
            Acceptances = Open[operation].Count(row => row.IsAccepted),
            Latency = Latency.GetValueOrDefault(operation, new(default, default, default)),
            Pairs = new(Pairs.GetValueOrDefault(operation), HoursSince(began), Days.BusiestOf(operation)),
            Soak = soak,
            BusinessDays = businessDays,
            SinceUncleanExit = sinceUnclean,
            ExcessFailures = Excess.GetValueOrDefault(operation),
        };
    }

    /// <summary>How long ago the last unclean exit was; renewed each minute while it holds the gate, and when it no longer does.</summary>
    private TimeSpan? Since(TimeSpan? before)
    {
        if (before is not { } old || SinceUnclean is not { } since || since < old) return SinceUnclean;
        var (held, holds) = (old < policy.UncleanExitHold, since < policy.UncleanExitHold);
        return held != holds || since - old > TimeSpan.FromMinutes(holds ? 1 : 60) ? since : old;
    }

    /// <summary>In whole hours: what changes each second would be new evidence each second.</summary>
    private TimeSpan HoursSince(DateTimeOffset? began) =>
        began is { } start && now > start ? TimeSpan.FromHours(Math.Floor((now - start).TotalHours)) : TimeSpan.Zero;

    private UnprovenShare UnprovenOf(string operation) => Unproven.GetValueOrDefault(operation, UnprovenShare.None);
}
