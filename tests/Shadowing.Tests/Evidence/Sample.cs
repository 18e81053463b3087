using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.Tests.Evidence;

/// <summary>Evidence to start from.</summary>
internal static class Sample
{
    private static readonly LatencyBlocks Fast = new(40, -400, 4000);

    /// <summary>What each stage of the default policy can be left with.</summary>
    public static OperationEvidence Ready { get; } = new()
    {
        Operation = "tickets.list",
        Candidate = "abc123",
        Nominated = true,
        Cases = 48_208,
        LiveCases = 48_208,
        BusyHourCases = 4000,
        CasesPerHour = 60,
        Comparisons = 120_000,
        Statements = new(0, 120_000),
        Sample = new() { Due = 120_000, Decided = 119_000, Tries = 119_000 },
        Latency = new(Fast, Fast, Fast),
        UnprovenBound = 0.008,
        Soak = TimeSpan.FromHours(170),
        BusinessDays = 5,
        Shapes =
        [
            new("user / page 1") { Cases = 30_000, LiveCases = 30_000, TrafficShare = 0.9, CasesPerHour = 40, Due = 108_000, Decided = 107_100 },
            new("staff / page 1") { Cases = 10_996, LiveCases = 10_996, TrafficShare = 0.095, CasesPerHour = 20, Due = 11_400, Decided = 11_300 },
            new("staff / page 3+") { Cases = 212, LiveCases = 212, TrafficShare = 0.005, CasesPerHour = 60, Due = 600, Decided = 600 },
        ],
    };

    public static OperationEvidence None { get; } = new() { Operation = "tickets.list", Candidate = "abc123" };

    public static Stage At(string name) => Stage.TryParse(name, out var stage) ? stage : throw new ArgumentException($"No stage {name}.");

    public static GateDecision Decide(OperationEvidence evidence, string stage, GatePolicy? policy = null) =>
        Gate.Decide(evidence, policy ?? GatePolicy.Default, At(stage));

    public static OperationEvidence With(this OperationEvidence evidence, int shape, Func<ShapeEvidence, ShapeEvidence> change) =>
        evidence with { Shapes = [.. evidence.Shapes.Select((it, i) => i == shape ? change(it) : it)] };
}
