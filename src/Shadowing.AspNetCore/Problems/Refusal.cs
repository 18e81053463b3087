using Microsoft.AspNetCore.Mvc;
using Shadowing.Evidence;
using Shadowing.Rollout;

namespace Shadowing.AspNetCore.Problems;

/// <summary>Why a request is refused, in words fit for the caller: never a type, a statement or a value that we hold.</summary>
/// <param name="Code">What clients branch on.</param>
public sealed record Refusal(int Status, string Code, string Detail)
{
    /// <summary>A request without a token.</summary>
    public static readonly Refusal TokenMissing =
        new(401, ProblemCodes.TokenMissing, "The Authorization header must carry a bearer token.");

    internal static readonly Refusal OperatorTokenInvalid =
        new(401, ProblemCodes.TokenInvalid, "The bearer token is not an operator's or viewer's.");

    internal static readonly Refusal OperatorForbidden =
        new(403, ProblemCodes.OperatorForbidden, "This token may look, but not change anything.");

    /// <summary>A body that is no JSON.</summary>
    public static readonly Refusal UnsupportedMediaType =
        new(415, ProblemCodes.UnsupportedMediaType, "The body must be application/json in UTF-8.");

    internal static readonly Refusal OperationNotFound =
        new(404, ProblemCodes.OperationNotFound, "There is no operation of this name, or nothing is known of it yet.");

    internal static readonly Refusal SignatureNotFound =
        new(404, ProblemCodes.SignatureNotFound, "No mismatch of this signature is known, or it has no acceptance or triage.");

    internal static readonly Refusal NotAcceptable =
        new(409, ProblemCodes.NotAcceptable,
            "Only a mismatch in what is answered can be intended: no failure, and nothing of severity critical.");

    internal static readonly Refusal NotTriable =
        new(409, ProblemCodes.NotTriable, "Something critical cannot be outweighed by other cases: it must be fixed.");

    internal static readonly Refusal RawSamplesLocked =
        new(403, ProblemCodes.RawSamplesLocked,
            "Raw samples are locked, or none of this signature has been taken since they were unlocked.");

    internal static readonly Refusal EvidenceUnavailable =
        new(503, ProblemCodes.EvidenceUnavailable, "The evidence store cannot be reached; nothing was changed.");

    internal static readonly Refusal NotKept =
        new(503, ProblemCodes.EvidenceUnavailable, "No evidence is kept: name a store with KeepEvidence in AddShadowing.");

    internal static readonly Refusal TooManyRequests =
        new(429, ProblemCodes.TooManyRequests, "This address asks too often; wait a second.");

    internal static readonly Refusal GenerationStale =
        new(409, ProblemCodes.GenerationStale, "The operation has changed since this generation was read; read it again.");

    internal static readonly Refusal SweepNotFound =
        new(404, ProblemCodes.SweepNotFound, "There is no sweep of this id, or it is not running.");

    internal static readonly Refusal SweepRunning =
        new(409, ProblemCodes.SweepRunning, "A sweep of this operation is running; stop that one, or wait for its end.");

    internal static readonly Refusal ReplayNotFound =
        new(404, ProblemCodes.ReplayNotFound, "There is no replay of this id on this replica, or it is not running.");

    internal static readonly Refusal ReplayRunning =
        new(409, ProblemCodes.ReplayRunning, "A replay is running on this replica; stop that one, or wait for its end.");

    internal static readonly Refusal AlertUnreadable =
        new(400, ProblemCodes.InvalidBody, "The body must be Alertmanager's, with a groupKey and at most 200 alerts.");

    internal static Refusal ForUnknownBuild(string build, IEnumerable<string> known) => new(404, ProblemCodes.BuildNotFound,
        $"No replica runs the build {build}, and it has left no evidence. Builds that are known: {string.Join(", ", known.Distinct())}.");

    /// <param name="gate">What the gate says; null where it has not judged this generation.</param>
    internal static Refusal ForRollout(RolloutRefusal refused, GateDecision? gate) => refused switch
    {
        RolloutRefusal.Held => new(409, ProblemCodes.Held, "The operation was rolled back; acknowledge that first."),
        RolloutRefusal.NotNominated =>
            new(409, ProblemCodes.NotNominated, "No fingerprint is nominated, so none could serve; nominate one first."),
        _ => new(409, ProblemCodes.NotEarned, gate is null
            ? "The gate has not judged this generation yet; try again in a second." : $"The gate says: {gate.Sentence}"),
    };

    /// <summary>As RFC 9457 has it; the code is an extension.</summary>
    public ProblemDetails ToProblem() => new() { Status = Status, Detail = Detail, Extensions = { ["code"] = Code } };
}

/// <summary>Ends a request with a refusal from anywhere before its endpoint answers.</summary>
public sealed class RefusedException(Refusal refusal) : Exception(refusal.Detail)
{
    /// <summary>What the caller is told.</summary>
    public Refusal Refusal { get; } = refusal;
}
