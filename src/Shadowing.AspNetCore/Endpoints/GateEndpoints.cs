using Microsoft.AspNetCore.Http.HttpResults;
using Shadowing.AspNetCore.Problems;
using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>What the gate says of an operation. Always an answer, also where it is no; so that a web metric can take it.</summary>
/// <param name="AsOf">When the evidence was read; null while it has not been.</param>
/// <param name="Decision"><c>advance</c>, <c>hold</c>, <c>rollback</c> or <c>no_evidence</c>.</param>
/// <param name="Stage">Where the operation is, and <paramref name="Target"/> where the decision leads.</param>
/// <param name="Sentence">All of it in one sentence.</param>
/// <param name="Policy">The policy's name and version.</param>
internal sealed record GateAnswer(
    DateTimeOffset? AsOf, string Fingerprint, string Operation, string Decision, string Stage, string Target, string Sentence,
    IReadOnlyList<GateAnswerReason> Reasons, string Policy, int PolicyVersion, GateFigures? Figures)
{
    /// <summary>What the figures claim once they are proven.</summary>
    public IReadOnlyList<string> Claimed { get; init; } = [];

    /// <summary>What they do not claim.</summary>
    public IReadOnlyList<string> NotClaimed { get; } = GateClaims.NotClaimed;

    public static GateAnswer FromReading(GateReading reading, JudgedOperation judged) => new(
        reading.At, reading.Fingerprint, judged.Decision.Operation, judged.Decision.Decision.Wire(), judged.Decision.Stage.Name,
        judged.Decision.Target.Name, judged.Decision.Sentence,
        [.. judged.Decision.Reasons.Select(reason => new GateAnswerReason(reason.Code.Wire(), reason.Text, reason.Shape))],
        judged.Decision.Policy, judged.Decision.PolicyVersion, judged.Decision.Figures)
    {
        Claimed = GateClaims.Claimed(reading.Policy),
    };

    /// <summary>Before the evidence has been read nothing is known, and so nothing is earned.</summary>
    /// <param name="why">Why it cannot be read; null where it has only not been read yet.</param>
    public static GateAnswer Unread(GateReading reading, string operation, string? why) => new(
        null, reading.Fingerprint, operation, GateVerdict.NoEvidence.Wire(), "off", "off",
        $"{operation}: the evidence {(why is null ? "has not been read" : $"cannot be read ({why})")}, so the control stays.",
        [
            why is null ? new("nothing_compared", "the evidence has not been read", null)
                : new(GateReasonCode.EvidenceUnreadable.Wire(), $"the evidence cannot be read ({why})", null),
        ],
        reading.Policy.Name, reading.Policy.Version, null);
}

/// <summary>A reason with its code by name.</summary>
internal sealed record GateAnswerReason(string Code, string Text, string? Shape);

/// <summary>All that is known of an operation, in one document to keep beside a decision.</summary>
internal sealed record EvidenceDocument(
    DateTimeOffset? AsOf, string Fingerprint, GateAnswer Gate, OperationEvidence Evidence, GatePolicy Policy);

/// <summary>The gate and what it rests on.</summary>
internal static class GateEndpoints
{
    public static void MapGate(this IEndpointRouteBuilder shadow, IReadOnlyCollection<string> operations)
    {
        shadow.MapGet("/gate", (GateBoard board, KeeperRegister keepers) =>
                TypedResults.Ok(operations.Select(operation => Answer(board, keepers, operation)).ToArray()))
            .WithName("shadow.gates").WithSummary("What the gate says of each operation.").ProducesProblem(401).ProducesProblem(403);
        shadow.MapGet("/gate/{operation}", Results<Ok<GateAnswer>, ProblemHttpResult> (
                string operation, GateBoard board, KeeperRegister keepers) =>
                OperationNames.Full(operations, operation) is { } one ? TypedResults.Ok(Answer(board, keepers, one)) : Unknown())
            .WithName("shadow.gate")
                .WithSummary("What the gate says of an operation: advance, hold, rollback or no_evidence, with each reason.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
        shadow.MapPost("/gate/{operation}/confirm",
            Results<Ok<GateAnswer>, Conflict<GateAnswer>, ProblemHttpResult> (string operation, GateBoard board, KeeperRegister keepers) =>
            {
                if (OperationNames.Full(operations, operation) is not { } one) return Unknown();
                var answer = Answer(board, keepers, one);
                return answer.Decision == GateVerdict.Advance.Wire() ? TypedResults.Ok(answer) : TypedResults.Conflict(answer);
            })
            .WithName("shadow.gate.confirm")
                .WithSummary("200 where the next stage is earned, else 409: for hooks that ask before they promote.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
        shadow.MapGet("/evidence", (GateBoard board) =>
            TypedResults.Ok(board.Latest.Operations.Select(judged => Document(board.Latest, judged)).ToArray()))
            .WithName("shadow.evidences").WithSummary("All that is known of every operation.").ProducesProblem(401).ProducesProblem(403);
        shadow.MapGet("/evidence/{operation}", Results<Ok<EvidenceDocument>, ProblemHttpResult> (string operation, GateBoard board) =>
                board.Latest is var reading && OperationNames.Full(operations, operation) is { } one && reading.JudgedOf(one) is { } judged
                    ? TypedResults.Ok(Document(reading, judged)) : Unknown())
            .WithName("shadow.evidence").WithSummary("All that is known of an operation, to keep beside a decision.")
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
    }

    private static GateAnswer Answer(GateBoard board, KeeperRegister keepers, string operation) =>
        board.Latest is var reading && reading.JudgedOf(operation) is { } judged ? GateAnswer.FromReading(reading, judged)
            : GateAnswer.Unread(reading, operation, keepers.StoreLost?.Why);

    private static EvidenceDocument Document(GateReading reading, JudgedOperation judged) =>
        new(reading.At, reading.Fingerprint, GateAnswer.FromReading(reading, judged), judged.Evidence, reading.Policy);

    private static ProblemHttpResult Unknown() => TypedResults.Problem(Refusal.OperationNotFound.ToProblem());
}
