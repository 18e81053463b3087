using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Shadowing.AspNetCore.Problems;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Http;

internal static class RequestLimits
{
    public const int UrlBytes = 8 * 1024;
    public const int BodyBytes = 64 * 1024;

    public static void Apply(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = BodyBytes;
        // Above our own limit on the URL, so that one code is given for it.
        kestrel.Limits.MaxRequestLineSize = 4 * UrlBytes;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxConcurrentConnections = 2048;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
    }

    public static void UseUrlLimit(this WebApplication app) => app.Use((context, next) =>
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Length > UrlBytes
            ? throw new RefusedException(TicketRefusals.UrlTooLong)
            : next(context));
}
