using System.Threading.RateLimiting;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Operators;

/// <summary>
/// Limits how often one address may call the endpoints: <see cref="OperatorsOptions.RequestsPerSecond"/>, with a burst of twice that. It
/// answers 429 before the caller is authenticated, so that tokens cannot be guessed by the thousand. Other routes are not limited.
/// </summary>
/// <remarks>
/// Not the application's own rate limiter, because the application decides its answers and policies. Disposed of with its host.
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

        if (Allows(context)) await next(context);
        else context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
    }

    /// <summary>Whether the request is within the limit of its address; counted once, however often it is asked.</summary>
    public bool Allows(HttpContext context)
    {
        if (context.Items[this] is bool known) return known;
        using var lease = _limiter.AttemptAcquire(context);
        context.Items[this] = lease.IsAcquired;
        return lease.IsAcquired;
    }

    /// <inheritdoc/>
    public void Dispose() => _limiter.Dispose();

    /// <summary>Metadata of an endpoint: whether the limit applies to it. That of the innermost group or route decides.</summary>
    internal sealed record Limited(bool Applies);
}
