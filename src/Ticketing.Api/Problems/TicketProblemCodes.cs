using System.Reflection;
using Shadowing.AspNetCore.Problems;

namespace Ticketing.Api.Problems;

/// <summary>The codes that are the service's own, beside <see cref="ProblemCodes"/>; none is ever reused or renamed.</summary>
internal static class TicketProblemCodes
{
    public const string BadRequest = "bad_request";
    public const string NothingToUpdate = "nothing_to_update";
    public const string UnacceptableValue = "unacceptable_value";
    public const string TokenExpired = "token_expired";
    public const string AccountInactive = "account_inactive";
    public const string Forbidden = "forbidden";
    public const string RouteNotFound = "route_not_found";
    public const string TicketNotFound = "ticket_not_found";
    public const string MethodNotAllowed = "method_not_allowed";
    public const string RequestTimeout = "request_timeout";
    public const string BodyTooLarge = "body_too_large";
    public const string UrlTooLong = "url_too_long";
    public const string AssigneeNotFound = "assignee_not_found";
    public const string TooManyRequests = "too_many_requests";
    public const string ClientClosedRequest = "client_closed_request";
    public const string InternalError = "internal_error";
    public const string DatabaseUnavailable = "database_unavailable";

    public static IEnumerable<string> All { get; } =
    [
        .. ProblemCodes.All,
        .. typeof(TicketProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetRawConstantValue())
            .OfType<string>(),
    ];

    /// <summary>The code and detail of a status that the framework set without a word.</summary>
    public static Refusal ForStatus(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => Refusal.TokenMissing,
        StatusCodes.Status403Forbidden => TicketRefusals.Forbidden,
        StatusCodes.Status404NotFound => new(status, RouteNotFound, "There is nothing at this address."),
        StatusCodes.Status405MethodNotAllowed =>
            new(status, MethodNotAllowed, "This address does not take this method; Allow names those it takes."),
        StatusCodes.Status408RequestTimeout => new(status, RequestTimeout, "The request did not arrive in time."),
        StatusCodes.Status413PayloadTooLarge => new(status, BodyTooLarge, "The body is larger than this address takes."),
        StatusCodes.Status414UriTooLong => TicketRefusals.UrlTooLong,
        StatusCodes.Status415UnsupportedMediaType => Refusal.UnsupportedMediaType,
        StatusCodes.Status429TooManyRequests => new(status, TooManyRequests, "Too many requests; try again later."),
        StatusCodes.Status503ServiceUnavailable => TicketRefusals.DatabaseUnavailable,
        >= 500 => TicketRefusals.InternalError,
        _ => new(status, BadRequest, "The request cannot be understood."),
    };
}
