using Microsoft.AspNetCore.Diagnostics;

namespace Shadowing.AspNetCore.Problems;

/// <summary>
/// Answers a <see cref="RefusedException"/> where an application is being developed: the page of that environment would show it as a fault.
/// </summary>
internal sealed class RefusalPage : IDeveloperPageExceptionFilter
{
    public Task HandleExceptionAsync(ErrorContext errorContext, Func<ErrorContext, Task> next) =>
        errorContext is { Exception: RefusedException refused, HttpContext: { Response.HasStarted: false } context }
            ? TypedResults.Problem(refused.Refusal.ToProblem()).ExecuteAsync(context) : next(errorContext);
}
