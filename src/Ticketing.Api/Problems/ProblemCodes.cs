using System.Reflection;

namespace Ticketing.Api.Problems;

/// <summary>The <c>code</c> of every refusal. Clients branch on them, so a code is never reused or renamed.</summary>
internal static class ProblemCodes
{
    public const string BadRequest = "bad_request";
    public const string MalformedJson = "malformed_json";
    public const string InvalidBody = "invalid_body";
    public const string InvalidMember = "invalid_member";
    public const string InvalidParameter = "invalid_parameter";
    public const string NothingToUpdate = "nothing_to_update";
    public const string UnacceptableValue = "unacceptable_value";
    public const string TokenMissing = "token_missing";
    public const string TokenInvalid = "token_invalid";
    public const string TokenExpired = "token_expired";
    public const string AccountInactive = "account_inactive";
    public const string Forbidden = "forbidden";
    public const string OperatorForbidden = "operator_forbidden";
    public const string RouteNotFound = "route_not_found";
    public const string TicketNotFound = "ticket_not_found";
    public const string MethodNotAllowed = "method_not_allowed";
    public const string RequestTimeout = "request_timeout";
    public const string BodyTooLarge = "body_too_large";
    public const string UrlTooLong = "url_too_long";
    public const string UnsupportedMediaType = "unsupported_media_type";
    public const string AssigneeNotFound = "assignee_not_found";
    public const string OperationNotFound = "operation_not_found";
    public const string SignatureNotFound = "signature_not_found";
    public const string NotAcceptable = "not_acceptable";
    public const string RawSamplesLocked = "raw_samples_locked";
    public const string GenerationStale = "generation_stale";
    public const string Held = "held";
    public const string NotNominated = "not_nominated";
    public const string NotEarned = "not_earned";
    public const string SweepNotFound = "sweep_not_found";
    public const string SweepRunning = "sweep_running";
    public const string EvidenceUnavailable = "evidence_unavailable";
    public const string TooManyRequests = "too_many_requests";
    public const string ClientClosedRequest = "client_closed_request";
    public const string InternalError = "internal_error";
    public const string DatabaseUnavailable = "database_unavailable";

    public static IEnumerable<string> All { get; } =
        [.. typeof(ProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetRawConstantValue()).OfType<string>()];

    /// <summary>The code and detail of a status that the framework set without a word.</summary>
    public static Refusal Of(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => Refusal.TokenMissing,
        StatusCodes.Status403Forbidden => Refusal.Forbidden,
        StatusCodes.Status404NotFound => new(status, RouteNotFound, "There is nothing at this address."),
        StatusCodes.Status405MethodNotAllowed => new(status, MethodNotAllowed, "This address does not take this method; Allow names those it takes."),
        StatusCodes.Status408RequestTimeout => new(status, RequestTimeout, "The request did not arrive in time."),
        StatusCodes.Status413PayloadTooLarge => new(status, BodyTooLarge, "The body is larger than this address takes."),
        StatusCodes.Status414UriTooLong => Refusal.UrlTooLong,
        StatusCodes.Status415UnsupportedMediaType => Refusal.UnsupportedMediaType,
        StatusCodes.Status429TooManyRequests => new(status, TooManyRequests, "Too many requests; try again later."),
        StatusCodes.Status503ServiceUnavailable => Refusal.DatabaseUnavailable,
        >= 500 => Refusal.InternalError,
        _ => new(status, BadRequest, "The request cannot be understood."),
    };
}
