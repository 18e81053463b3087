using Microsoft.AspNetCore.Diagnostics;
using Npgsql;
using Shadowing.AspNetCore.Problems;

namespace Ticketing.Api.Problems;

/// <summary>
/// Turns an operation's exception into the problem that the caller may see. It logs once the failures of the service and its database.
/// </summary>
internal sealed class ExceptionProblems(
    IProblemDetailsService problems, OutageLog outages, ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var refusal = RefusalOf(httpContext, exception);
        var route = (httpContext.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        if (refusal == TicketRefusals.InternalError) Log.RequestFailed(logger, exception, httpContext.Request.Method, route);
        if (refusal == TicketRefusals.DatabaseUnavailable) outages.Add(httpContext.Request.Method, route, exception);

        httpContext.Response.StatusCode = refusal.Status;
        return refusal == TicketRefusals.ClientClosedRequest
            || await problems.TryWriteAsync(new() { HttpContext = httpContext, ProblemDetails = refusal.ToProblem() });
    }

    private static Refusal RefusalOf(HttpContext context, Exception exception) => exception switch
    {
        RefusedException refused => refused.Refusal,
        BadHttpRequestException bad => TicketProblemCodes.ForStatus(bad.StatusCode),
        _ when context.RequestAborted.IsCancellationRequested && Chain(exception).Any(IsCancellation) => TicketRefusals.ClientClosedRequest,
        _ => RefusalOf(exception),
    };

    /// <summary>What any request is refused with for a failure of its operation.</summary>
    public static Refusal RefusalOf(Exception exception) => exception switch
    {
        RefusedException refused => refused.Refusal,
        // EF Core wraps Npgsql's exceptions in DbUpdateException or InvalidOperationException; Dapper does not.
        _ when Chain(exception).OfType<PostgresException>().FirstOrDefault() is { } refusedByDatabase => RefusalOf(refusedByDatabase),
        _ when Chain(exception).OfType<NpgsqlException>().Any() => TicketRefusals.DatabaseUnavailable,
        _ => TicketRefusals.InternalError,
    };

    private static Refusal RefusalOf(PostgresException exception) => exception switch
    {
        { SqlState: PostgresErrorCodes.ForeignKeyViolation, ConstraintName: var constraint } => ReferenceRefusal(constraint ?? ""),
        // A sequence is at its end: no value of the caller's would be taken.
        { SqlState: "2200H" } => TicketRefusals.InternalError,
        { SqlState: ['2', '2', ..] } => TicketRefusals.UnacceptableValue,
        // No connection (08), no login (28), no such database (3D), shut down or timed out (57).
        { SqlState: ['0', '8', ..] or ['2', '8', ..] or ['3', 'D', ..] or ['5', '7', ..] } or { IsTransient: true } =>
            TicketRefusals.DatabaseUnavailable,
        _ => TicketRefusals.InternalError,
    };

    // The ticket or the caller's own account can be deleted between the check and the write.
    private static Refusal ReferenceRefusal(string constraint) =>
        constraint.Contains("ticket_id", StringComparison.Ordinal) ? TicketRefusals.TicketNotFound
        : constraint.Contains("user_id", StringComparison.Ordinal) ? TicketRefusals.AccountInactive
        : TicketRefusals.AssigneeNotFound;

    private static bool IsCancellation(Exception exception) =>
        exception is OperationCanceledException or IOException or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled };

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException) yield return exception;
    }
}
