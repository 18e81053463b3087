using Microsoft.AspNetCore.Diagnostics;

namespace Shadowing.AspNetCore.Problems;

/// <summary>Answers a <see cref="RefusedException"/> with its problem, in any host.</summary>
internal sealed class RefusalAnswers(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not RefusedException { Refusal: var refusal }) return false;
        httpContext.Response.StatusCode = refusal.Status;
        return await problems.TryWriteAsync(new() { HttpContext = httpContext, ProblemDetails = refusal.ToProblem() });
    }
}
