using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>What the gate says to do.</summary>
public enum GateVerdict
{
    /// <summary>The next stage is earned.</summary>
    Advance,

    /// <summary>Stay: something is missing.</summary>
    Hold,

    /// <summary>Take the candidate from the users, now.</summary>
    Rollback,

    /// <summary>Stay: nothing is known.</summary>
    NoEvidence,
}

/// <summary>Why the gate decided so. A closed list.</summary>
public enum GateReasonCode
{
    /// <summary>All that the next stage asks for is proven.</summary>
    Proven,

    /// <summary>Nothing has been compared with a result.</summary>
    NothingCompared,

    /// <summary>The evidence contradicts itself and is not believed.</summary>
    EvidenceInvalid,

    /// <summary>A rollback has not been acknowledged.</summary>
    Held,

    /// <summary>The stage has served users for too short a time to show what it does to them.</summary>
    StageDwell,

    /// <summary>The last stage is reached.</summary>
    LastStage,

    /// <summary>The fingerprint is not nominated for promotion.</summary>
    NotNominated,

    /// <summary>The operation's rate of mismatches is not proven to be low enough.</summary>
    OperationUnproven,

    /// <summary>Only with the cases of sweeps would it be, and those do not count so far up.</summary>
    CappedBySweeps,

    /// <summary>A mismatch is not triaged.</summary>
    OpenMismatch,

    /// <summary>Too much was incomparable.</summary>
    Doubt,

    /// <summary>The rate of wrong answers among the requests that stand for the traffic is not proven to be low enough.</summary>
    RequestsUnproven,

    /// <summary>Requests of one kind are compared far more rarely than the rest.</summary>
    SamplingUneven,

    /// <summary>Too many recent comparisons of a shape had no result.</summary>
    ShapeDoubtful,

    /// <summary>Too much traffic is in unproven shapes.</summary>
    UnprovenTraffic,

    /// <summary>A shape has too few cases.</summary>
    ShapeUnproven,

    /// <summary>A shape is proven by sweeps alone, and no live request has exercised it.</summary>
    ShapeUnexercised,

    /// <summary>Too few traffic-hours.</summary>
    SoakHours,

    /// <summary>Too few business days.</summary>
    SoakBusinessDays,

    /// <summary>Too few cases from busy hours.</summary>
    SoakBusyHours,

    /// <summary>The candidate is shown to be slower than may be.</summary>
    LatencySlow,

    /// <summary>The candidate is not yet shown to be fast enough.</summary>
    LatencyUnproven,

    /// <summary>The candidate is not yet shown to send no more SQL commands.</summary>
    StatementsUnproven,

    /// <summary>A difference is accepted for the time being; nothing is complete with one.</summary>
    AcceptanceLive,

    /// <summary>A replica has ended uncleanly not long ago.</summary>
    UncleanExit,

    /// <summary>A mismatch of the critical class while the candidate serves.</summary>
    CriticalMismatch,

    /// <summary>A confirmed mismatch while the candidate serves.</summary>
    ServedMismatch,

    /// <summary>The served candidate fails or times out more often than may be.</summary>
    ExcessFailures,

    /// <summary>A keeper that the gate needs is down: what was read may be out of date.</summary>
    KeeperDown,

    /// <summary>The evidence cannot be read: what was read before says nothing of now.</summary>
    EvidenceUnreadable,
}

/// <summary>A reason in words.</summary>
/// <param name="Text">
/// What is missing and, where it can be said, for how long: <c>list / any / page 3+: 212 of 392 cases, about 3 h at this rate</c>.
/// </param>
/// <param name="Shape">The shape it is about, or null.</param>
public sealed record GateReason(GateReasonCode Code, string Text, string? Shape = null);

/// <summary>The numbers behind a decision.</summary>
/// <param name="Bound">The largest rate of mismatches that fits the evidence that counts for the target.</param>
/// <param name="Epsilon">The rate to be below of; what metrics call the threshold.</param>
/// <param name="Alpha">The chance of a false promotion that this attempt of the operation may spend.</param>
/// <param name="Attempt">j.</param>
/// <param name="LogEvidence">The log of the evidence that the rate is below <paramref name="Epsilon"/>.</param>
/// <param name="LogThreshold">What it must reach: ln(1/α).</param>
/// <param name="Cases">The distinct cases that count for the target.</param>
/// <param name="CasesNeeded">How many would do with so many mismatches.</param>
/// <param name="RawRate">The share of comparisons that differed, repeated cases included.</param>
/// <param name="Unproven">The share of traffic that may be in unproven shapes.</param>
/// <param name="Doubt">The share of comparisons that was incomparable.</param>
public sealed record GateFigures(
    double Bound, double Epsilon, double Alpha, int Attempt, double LogEvidence, double LogThreshold, long Cases, long CasesNeeded,
    double RawRate, double Unproven, double Doubt)
{
    /// <summary>How many requests the sample stands for; where sweeps count, a swept case counts as one.</summary>
    public long Requests { get; init; }

    /// <summary>How many would do with so many wrong answers.</summary>
    public long RequestsNeeded { get; init; }

    /// <summary>The largest rate of requests answered wrongly that fits the evidence.</summary>
    public double RequestBound { get; init; } = 1;

    /// <summary>The log of the evidence that the rate of requests is below <see cref="Epsilon"/>.</summary>
    public double RequestLogEvidence { get; init; }

    /// <summary>The share of <see cref="Cases"/> that only sweeps have brought.</summary>
    public double Swept { get; init; }

    /// <summary>The share of requests that were not compared because of load, of those that were to be.</summary>
    public double Shed { get; init; }
}

/// <summary>What the gate says of an operation.</summary>
/// <param name="Target">The stage to go to: the next one, the same one, or after a rollback shadow 100 %.</param>
/// <param name="Reasons">Every reason, never none.</param>
/// <param name="Sentence">All of it in plain words.</param>
/// <param name="Policy">The name of the policy.</param>
/// <param name="PolicyVersion">Its version.</param>
/// <param name="Figures">Null where the evidence is not believed.</param>
public sealed record GateDecision(
    string Operation, GateVerdict Decision, Stage Stage, Stage Target, IReadOnlyList<GateReason> Reasons, string Sentence,
    string Policy, int PolicyVersion, GateFigures? Figures)
{
    /// <summary>What is left of it while the evidence cannot be read: a rollback stands, anything else is no evidence.</summary>
    /// <param name="holds">Which keepers are down, in words; never empty.</param>
    /// <param name="readAt">When it was read last.</param>
    internal GateDecision Unreadable(IReadOnlyCollection<string> holds, DateTimeOffset? readAt)
    {
        if (Decision is GateVerdict.Rollback) return this;
        var since = readAt is { } at ? $"since {at.UtcDateTime:HH:mm:ss}Z" : "yet";
        var held = HeldBy(holds);
        return held with
        {
            Decision = GateVerdict.NoEvidence,
            Target = Stage,
            Reasons =
            [
                new(GateReasonCode.EvidenceUnreadable, $"{Plain.Label(Operation)}: the evidence has not been read {since}"),
                .. held.Reasons.Where(reason => reason.Code is GateReasonCode.KeeperDown),
            ],
            Sentence = $"No evidence: it has not been read {since}, so nothing advances.",
        };
    }

    /// <summary>The same, but that nothing advances.</summary>
    /// <param name="holds">Why, in words; never empty.</param>
    internal GateDecision HeldBy(IReadOnlyCollection<string> holds)
    {
        if (Decision is GateVerdict.Rollback or GateVerdict.NoEvidence) return this;
        var why = holds.Select(hold => new GateReason(GateReasonCode.KeeperDown, $"{Plain.Label(Operation)}: {hold}, so nothing advances"));
        return this with
        {
            Decision = GateVerdict.Hold,
            Target = Stage,
            Reasons = [.. why, .. Decision is GateVerdict.Hold ? Reasons : []],
            Sentence = $"Held: {string.Join("; ", holds)}. Apart from that: {Sentence}",
        };
    }
}
