using System.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Shadowing.AspNetCore.Problems;

namespace Ticketing.Api.Problems;

/// <summary>Writes every problem of the service, from every source, and ignores the request's <c>Accept</c> header.</summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => true;

    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var (http, problem) = (context.HttpContext, context.ProblemDetails);
        var status = problem.Status ??= http.Response.StatusCode;
        Complete(problem, status, Activity.Current?.Id ?? http.TraceIdentifier);

        if (status is StatusCodes.Status401Unauthorized)
            http.Response.Headers[HeaderNames.WWWAuthenticate] =
                problem.Extensions["code"] is ProblemCodes.TokenMissing ? "Bearer" : "Bearer error=\"invalid_token\"";
        if (status is StatusCodes.Status503ServiceUnavailable) http.Response.Headers[HeaderNames.RetryAfter] = "1";

        return new(http.Response.WriteAsJsonAsync(problem, options: null, "application/problem+json", http.RequestAborted));
    }

    /// <summary>Adds what every problem has.</summary>
    public static void Complete(ProblemDetails problem, int status, string? traceId)
    {
        var bare = TicketProblemCodes.ForStatus(status);
        problem.Type = null;
        problem.Title = ReasonPhrases.GetReasonPhrase(status);
        if (problem.Extensions.TryAdd("code", bare.Code)) problem.Detail = bare.Detail;
        problem.Extensions["traceId"] = traceId;
    }
}
