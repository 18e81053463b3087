using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Shadowing.Evidence;
using Shadowing.Rollout;

namespace Ticketing.Api.Problems;

/// <summary>Why a request is refused, in words fit for the caller: never a type, a statement or a value that we hold.</summary>
internal sealed record Refusal(int Status, string Code, string Detail)
{
    public static readonly Refusal TokenMissing =
        new(401, ProblemCodes.TokenMissing, "The Authorization header must carry a bearer token.");

    public static readonly Refusal TokenInvalid =
        new(401, ProblemCodes.TokenInvalid, "The bearer token is not an access token of this service.");

    public static readonly Refusal TokenExpired =
        new(401, ProblemCodes.TokenExpired, "The bearer token has expired.");

    public static readonly Refusal AccountInactive =
        new(401, ProblemCodes.AccountInactive, "The token's account does not exist or is not active.");

    public static readonly Refusal Forbidden =
        new(403, ProblemCodes.Forbidden, "The ticket is somebody else's, or this is for staff only.");

    public static readonly Refusal OperatorTokenInvalid =
        new(401, ProblemCodes.TokenInvalid, "The bearer token is not an operator's or viewer's.");

    public static readonly Refusal OperatorForbidden =
        new(403, ProblemCodes.OperatorForbidden, "This token may look, but not change anything.");

    public static readonly Refusal TicketNotFound =
        new(404, ProblemCodes.TicketNotFound, "There is no ticket of this id.");

    public static readonly Refusal UrlTooLong =
        new(414, ProblemCodes.UrlTooLong, "The address is longer than 8192 bytes.");

    public static readonly Refusal UnsupportedMediaType =
        new(415, ProblemCodes.UnsupportedMediaType, "The body must be application/json in UTF-8.");

    public static readonly Refusal NothingToUpdate =
        new(400, ProblemCodes.NothingToUpdate, "The body names none of status, priority, assignedTo and resolution.");

    public static readonly Refusal UnacceptableValue =
        new(400, ProblemCodes.UnacceptableValue, "A value of the request cannot be stored.");

    public static readonly Refusal AssigneeNotFound =
        new(422, ProblemCodes.AssigneeNotFound, "assignedTo: there is no user of this id.");

    public static readonly Refusal OperationNotFound =
        new(404, ProblemCodes.OperationNotFound, "There is no operation of this name, or nothing is known of it yet.");

    public static readonly Refusal SignatureNotFound =
        new(404, ProblemCodes.SignatureNotFound, "No mismatch of this signature is known, or it has no acceptance.");

    public static readonly Refusal NotAcceptable =
        new(409, ProblemCodes.NotAcceptable, "Only a mismatch in what is answered can be intended: no failure, and nothing of severity critical.");

    public static readonly Refusal RawSamplesLocked =
        new(403, ProblemCodes.RawSamplesLocked, "Raw samples are locked, or none of this signature has been taken since they were unlocked.");

    public static readonly Refusal EvidenceUnavailable =
        new(503, ProblemCodes.EvidenceUnavailable, "The evidence store cannot be reached; nothing was changed.");

    public static readonly Refusal GenerationStale =
        new(409, ProblemCodes.GenerationStale, "Somebody has changed the operation since this generation was read; read it again.");

    public static readonly Refusal SweepNotFound =
        new(404, ProblemCodes.SweepNotFound, "There is no sweep of this id, or it is not running.");

    public static readonly Refusal SweepRunning =
        new(409, ProblemCodes.SweepRunning, "A sweep of this operation is running; stop that one, or wait for its end.");

    public static readonly Refusal AlertUnreadable =
        new(400, ProblemCodes.InvalidBody, "The body must be Alertmanager's, with a groupKey and at most 200 alerts.");

    public static readonly Refusal ClientClosedRequest =
        new(499, ProblemCodes.ClientClosedRequest, "The request was cancelled.");

    public static readonly Refusal InternalError =
        new(500, ProblemCodes.InternalError, "Something went wrong on our side; the traceId finds it in our logs.");

    public static readonly Refusal DatabaseUnavailable =
        new(503, ProblemCodes.DatabaseUnavailable, "Tickets cannot be reached at the moment; try again shortly.");

    public static ProblemHttpResult Of(TicketAccess access) =>
        TypedResults.Problem((access is TicketAccess.NotFound ? TicketNotFound : Forbidden).ToProblem());

    /// <param name="gate">What the gate says; null where it has not judged this generation.</param>
    public static Refusal Of(RolloutRefusal refused, GateDecision? gate) => refused switch
    {
        RolloutRefusal.Held => new(409, ProblemCodes.Held, "The operation was rolled back; acknowledge that first."),
        RolloutRefusal.NotNominated => new(409, ProblemCodes.NotNominated, "No fingerprint is nominated, so none could serve; nominate one first."),
        _ => new(409, ProblemCodes.NotEarned, gate is null ? "The gate has not judged this generation yet; try again in a second." : $"The gate says: {gate.Sentence}"),
    };

    public ProblemDetails ToProblem() => new() { Status = Status, Detail = Detail, Extensions = { ["code"] = Code } };
}

/// <summary>Ends a request with a refusal from anywhere before its endpoint answers.</summary>
internal sealed class RefusedException(Refusal refusal) : Exception(refusal.Detail)
{
    public Refusal Refusal { get; } = refusal;
}
