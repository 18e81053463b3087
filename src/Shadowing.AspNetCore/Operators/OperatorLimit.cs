using System.Threading.RateLimiting;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Operators;

/// <summary>
/// How often one address may ask the endpoints: <see cref="OperatorsOptions.RequestsPerSecond"/>, and twice that at once. It answers 429
/// before anybody is authenticated, so that tokens cannot be tried by the thousand. Other routes pass.
/// </summary>
/// <remarks>
/// Not the application's own rate limiter: what that answers, and to which policies, is the application's to say. It ends with its host.
/// </remarks>
internal sealed class OperatorLimit(LastValid<OperatorsOptions> operators) : IMiddleware, IDisposable
{
    private readonly PartitionedRateLimiter<HttpContext> _limiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
    {
        var perSecond = operators.Current.RequestsPerSecond;
        return RateLimitPartition.GetTokenBucketLimiter(context.Connection.RemoteIpAddress?.ToString() ?? "", _ => new()
        {
            TokenLimit = 2 * perSecond,
            TokensPerPeriod = perSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        });
    });

    /// <inheritdoc/>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Limited>() is not { Applies: true })
        {
            await next(context);
            return;
        }

        using var lease = _limiter.AttemptAcquire(context);
        if (lease.IsAcquired) await next(context);
        else context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
    }

    /// <inheritdoc/>
    public void Dispose() => _limiter.Dispose();

    /// <summary>Of an endpoint: whether the limit applies to it. The innermost group or route has the last word.</summary>
    internal sealed record Limited(bool Applies);
}
