using System.Diagnostics;
using System.Diagnostics.Metrics;
using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>What is proven, what the gate says of it, and what became of the records that were to be stored.</summary>
public sealed class EvidenceMetrics
{
    private readonly Meter _meter;
    private readonly Counter<long> _resets;
    private readonly Counter<long> _records;
    private readonly Counter<long> _decisions;

    /// <summary>Creates the instruments.</summary>
    public EvidenceMetrics(IMeterFactory factory)
    {
        _meter = ShadowingMeter.In(factory);
        _resets = _meter.CreateCounter<long>("shadow.evidence.resets", "{reset}", "Times that evidence began anew.");
        _records = _meter.CreateCounter<long>("shadow.evidence.records", "{record}",
            "Records of evidence sent to the store, by what became of them.");
        _decisions = _meter.CreateCounter<long>("shadow.gate.decisions", "{decision}",
            "Decisions of the gate that differ from the one before.");
    }

    /// <summary>The figures that an SRE decides by, operation by operation; none before the evidence has been read.</summary>
    internal void ObserveEvidence(Func<IReadOnlyList<JudgedOperation>> latest)
    {
        _meter.CreateObservableGauge("shadow.evidence.cases", () =>
            latest().Select(one => Measure(one, one.Evidence.Cases)), "{case}", "Distinct cases compared.");
        _meter.CreateObservableGauge(
            "shadow.evidence.required", () =>
                latest().Where(HasFigures).Select(one => Measure(one, one.Decision.Figures!.CasesNeeded)), "{case}",
            "Distinct cases that would prove the next stage, with so many mismatches.");
        _meter.CreateObservableGauge(
            "shadow.gate.status", () => latest().SelectMany(one => Enum.GetValues<GateVerdict>().Select(verdict => new Measurement<int>(
                one.Decision.Decision == verdict ? 1 : 0, OperationOf(one), new("shadow.decision", verdict.Wire())))),
            "1", "1 for what the gate says of the operation, 0 for what it does not.");
        _meter.CreateObservableGauge(
            "shadow.gate.reasons", () => latest().SelectMany(one => Enum.GetValues<GateReasonCode>().Select(code => new Measurement<int>(
                one.Decision.Reasons.Count(reason => reason.Code == code), OperationOf(one), ShadowingMeter.Reason(code.Wire())))),
            "{reason}", "Why the gate says so: how many reasons of the kind there are, one for each shape where it is about shapes.");
        Gauge("shadow.mismatch.bound.ratio", "The largest rate of mismatches that fits the evidence.", static figures => figures.Bound);
        Gauge("shadow.mismatch.threshold.ratio", "The rate of mismatches that must be ruled out for the next stage.",
            static figures => figures.Epsilon);
        Gauge("shadow.unproven.ratio", "The share of traffic that may be in unproven shapes.", static figures => figures.Unproven);

        void Gauge(string name, string description, Func<GateFigures, double> of) => _meter.CreateObservableGauge(
            name, () => latest().Where(HasFigures).Select(one => Measure(one, of(one.Decision.Figures!))), "1", description);

        static bool HasFigures(JudgedOperation judged) => judged.Decision.Figures is not null;
        static KeyValuePair<string, object?> OperationOf(JudgedOperation judged) => ShadowingMeter.Operation(judged.Evidence.Operation);
        static Measurement<T> Measure<T>(JudgedOperation judged, T value) where T : struct => new(value, OperationOf(judged));
    }

    /// <summary>Evidence began anew.</summary>
    /// <param name="reason">From a closed set: <c>fingerprint</c>, <c>acceptance</c>.</param>
    public void EvidenceReset(string reason) => _resets.Add(1, ShadowingMeter.Reason(reason));

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
            ShadowingMeter.Reason(decision.Reasons[0].Code.Wire()),
        });
    }
}
