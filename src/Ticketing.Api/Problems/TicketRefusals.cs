using Microsoft.AspNetCore.Http.HttpResults;
using Shadowing.AspNetCore.Problems;

namespace Ticketing.Api.Problems;

/// <summary>What requests for tickets are refused with, beside what any request is.</summary>
internal static class TicketRefusals
{
    public static readonly Refusal TokenInvalid =
        new(401, ProblemCodes.TokenInvalid, "The bearer token is not an access token of this service.");

    public static readonly Refusal TokenExpired =
        new(401, TicketProblemCodes.TokenExpired, "The bearer token has expired.");

    public static readonly Refusal AccountInactive =
        new(401, TicketProblemCodes.AccountInactive, "The token's account does not exist or is not active.");

    public static readonly Refusal Forbidden =
        new(403, TicketProblemCodes.Forbidden, "The ticket belongs to another user, or this is for staff only.");

    public static readonly Refusal TicketNotFound =
        new(404, TicketProblemCodes.TicketNotFound, "There is no ticket of this id.");

    public static readonly Refusal UrlTooLong =
        new(414, TicketProblemCodes.UrlTooLong, "The address is longer than 8192 bytes.");

    public static readonly Refusal NothingToUpdate =
        new(400, TicketProblemCodes.NothingToUpdate, "The body names none of status, priority, assignedTo and resolution.");

    public static readonly Refusal UnacceptableValue =
        new(400, TicketProblemCodes.UnacceptableValue, "A value of the request cannot be stored.");

    public static readonly Refusal AssigneeNotFound =
        new(422, TicketProblemCodes.AssigneeNotFound, "assignedTo: there is no user of this id.");

    public static readonly Refusal ClientClosedRequest =
        new(499, TicketProblemCodes.ClientClosedRequest, "The request was cancelled.");

    public static readonly Refusal InternalError =
        new(500, TicketProblemCodes.InternalError, "Something went wrong on our side; the traceId finds it in our logs.");

    public static readonly Refusal DatabaseUnavailable =
        new(503, TicketProblemCodes.DatabaseUnavailable, "Tickets cannot be reached at the moment; try again shortly.");

    public static ProblemHttpResult ForAccess(TicketAccess access) =>
        TypedResults.Problem((access is TicketAccess.NotFound ? TicketNotFound : Forbidden).ToProblem());
}
